import type { Milliseconds } from '../../kernel/duration.js';
import { type Waiter, WaitingLine } from '../../kernel/waiting-line.js';
import { BULKHEAD_DEFAULTS as DEFAULTS, type BulkheadOptions } from './bulkhead.options.js';

/** A call's place in the queue. */
export type Ticket = Waiter;

/** A bulkhead seen from outside at one moment. */
export interface BulkheadSnapshot {
  /** Calls that have a slot. */
  readonly running: number;
  readonly queued: number;
  /** Calls that lost their slot by `maxHold` and still run. */
  readonly orphaned: number;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  /** Share of the slots in use, from 0; above 1 only until a lowered `maxConcurrent` is reached. */
  readonly utilisation: number;
  /** The most calls that ever had a slot at once. */
  readonly peak: number;
  /** Calls refused because slots and queue were full. */
  readonly refused: number;
  /** Slots taken back by `maxHold`. */
  readonly reclaimed: number;
  /** 1, and one more with each `reconfigure`. */
  readonly version: number;
}

/**
 * Slots for running calls and a queue: the highest priority first, in order of arrival within one.
 *
 * A freed slot is handed to the head of the queue in the same step: it is never free in between,
 * so a newcomer cannot overtake, and whoever was accepted into the queue will not be refused.
 */
export class Bulkhead {
  private maxConcurrent = 0;
  private maxQueue = 0;
  private timeout: Milliseconds | undefined;
  private hold: Milliseconds | false | undefined;
  private running = 0;
  private queued = 0;
  private orphaned = 0;
  private peak = 0;
  private refused = 0;
  private reclaimed = 0;
  private revision = 1;
  /** One line per priority, made when it is first needed. */
  private readonly lines: (WaitingLine | undefined)[] = [];

  /** @param options checked */
  constructor(options: BulkheadOptions) {
    this.configure(options);
  }

  /** Milliseconds a call may wait in the queue. */
  get queueTimeout(): Milliseconds | undefined {
    return this.timeout;
  }

  /** The option as given: milliseconds after which a slot is to be taken back. */
  get maxHold(): Milliseconds | false | undefined {
    return this.hold;
  }

  /** 1, and one more with each `reconfigure`. */
  get version(): number {
    return this.revision;
  }

  /** Whether `enter` would give a slot. */
  get hasRoom(): boolean {
    return this.running < this.maxConcurrent;
  }

  /** Whether nobody runs in it, and so nobody waits for it either: it may be forgotten. */
  get isIdle(): boolean {
    return this.running === 0;
  }

  /** Takes a free slot. Each one taken is given back by exactly one `release()` or `orphan()`. */
  enter(): boolean {
    if (!this.hasRoom) return false;
    this.take();
    return true;
  }

  /** True, and counted as refused, if the queue is full: ask before making what `join` needs. */
  refuses(): boolean {
    if (this.queued < this.maxQueue) return false;
    this.refused += 1;
    return true;
  }

  /**
   * Joins the queue; undefined, and counted as refused, if it is full: whatever the priority,
   * nobody who was accepted is pushed out.
   *
   * @param grant runs when a slot is handed over, which is the caller's from that moment; must not throw
   * @param priority a whole number from 0 to 9, the highest first
   */
  join(grant: () => void, priority = 0): Ticket | undefined {
    if (this.refuses()) return undefined;
    this.queued += 1;
    return (this.lines[priority] ??= new WaitingLine()).join(grant);
  }

  /** Leaves the queue at once. Does nothing if the slot has been handed over already. */
  leave(ticket: Ticket): void {
    if (ticket.unlink()) this.queued -= 1;
  }

  /** Gives a slot back: to the head of the queue if somebody waits. */
  release(): void {
    if (this.running === 0) return;
    this.running -= 1;
    this.handOver();
  }

  /**
   * Takes the slot of a call back that still runs. When that call ends, `orphanEnded()` says so,
   * and not `release()`: the slot is another's by then.
   */
  orphan(): void {
    if (this.running === 0) return;
    this.orphaned += 1;
    this.reclaimed += 1;
    this.release();
  }

  /** A call that had lost its slot has ended. */
  orphanEnded(): void {
    if (this.orphaned > 0) this.orphaned -= 1;
  }

  /**
   * Changes the options; one that is not given returns to its default. New slots go to the queue
   * at once; fewer slots are reached by letting the running calls end; a shorter queue refuses
   * newcomers and keeps who is in it.
   *
   * @param options checked
   */
  reconfigure(options: BulkheadOptions): void {
    this.configure(options);
    this.revision += 1;
    this.handOver();
  }

  snapshot(): BulkheadSnapshot {
    const { running, queued, orphaned, maxConcurrent, maxQueue, peak, refused, reclaimed } = this;
    return {
      running,
      queued,
      orphaned,
      maxConcurrent,
      maxQueue,
      utilisation: running / maxConcurrent,
      peak,
      refused,
      reclaimed,
      version: this.revision,
    };
  }

  private configure(options: BulkheadOptions): void {
    this.maxConcurrent = options.maxConcurrent ?? DEFAULTS.maxConcurrent;
    this.maxQueue = options.maxQueue ?? DEFAULTS.maxQueue;
    this.timeout = options.queueTimeout;
    this.hold = options.maxHold;
  }

  private take(): void {
    this.running += 1;
    if (this.running > this.peak) this.peak = this.running;
  }

  private handOver(): void {
    while (this.queued > 0 && this.hasRoom) {
      const next = this.head();
      next.unlink();
      this.queued -= 1;
      this.take();
      next.grant();
    }
  }

  /** Who is next; somebody waits. */
  private head(): Ticket {
    let priority = this.lines.length - 1;
    while (this.lines[priority]?.first === undefined) priority -= 1;
    return this.lines[priority]!.first!;
  }
}
