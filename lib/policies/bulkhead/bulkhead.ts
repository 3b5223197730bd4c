import type { Milliseconds } from '../../kernel/duration.js';
import { BULKHEAD_DEFAULTS as DEFAULTS, type BulkheadOptions } from './bulkhead.options.js';

/** A call's place in the queue. */
export interface Ticket {
  /** Runs when a slot is handed over; the slot is the caller's from that moment. */
  readonly grant: () => void;
  queued: boolean;
  before: Ticket | undefined;
  after: Ticket | undefined;
}

/** A bulkhead seen from outside at one moment. */
export interface BulkheadSnapshot {
  readonly running: number;
  readonly queued: number;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  /** Share of the slots in use, 0 to 1. */
  readonly utilisation: number;
  /** Calls refused because slots and queue were full. */
  readonly refused: number;
}

/**
 * Slots for running calls and a queue in order of arrival.
 *
 * A freed slot is handed to the head of the queue in the same step: it is never free in between,
 * so a newcomer cannot overtake, and whoever was accepted into the queue will not be refused.
 */
export class Bulkhead {
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  readonly queueTimeout: Milliseconds | undefined;
  private running = 0;
  private queued = 0;
  private refused = 0;
  private head: Ticket | undefined;
  private tail: Ticket | undefined;

  constructor(options: BulkheadOptions) {
    this.maxConcurrent = options.maxConcurrent ?? DEFAULTS.maxConcurrent;
    this.maxQueue = options.maxQueue ?? DEFAULTS.maxQueue;
    this.queueTimeout = options.queueTimeout;
  }

  /** Whether `enter` would give a slot. */
  get hasRoom(): boolean {
    return this.running < this.maxConcurrent;
  }

  /** Takes a free slot. Each one taken is given back by exactly one `release()`. */
  enter(): boolean {
    if (!this.hasRoom) return false;
    this.running += 1;
    return true;
  }

  /** Joins the queue; undefined, and counted as refused, if it is full. */
  join(grant: () => void): Ticket | undefined {
    if (this.queued >= this.maxQueue) {
      this.refused += 1;
      return undefined;
    }
    const ticket: Ticket = { grant, queued: true, before: this.tail, after: undefined };
    if (this.tail === undefined) this.head = ticket;
    else this.tail.after = ticket;
    this.tail = ticket;
    this.queued += 1;
    return ticket;
  }

  /** Leaves the queue at once. Does nothing if the slot has been handed over already. */
  leave(ticket: Ticket): void {
    if (ticket.queued) this.unlink(ticket);
  }

  /** Gives a slot back: to the head of the queue if somebody waits. */
  release(): void {
    const next = this.head;
    if (next === undefined) {
      this.running -= 1;
      return;
    }
    this.unlink(next);
    next.grant();
  }

  snapshot(): BulkheadSnapshot {
    const { running, queued, maxConcurrent, maxQueue, refused } = this;
    return {
      running,
      queued,
      maxConcurrent,
      maxQueue,
      utilisation: running / maxConcurrent,
      refused,
    };
  }

  private unlink(ticket: Ticket): void {
    if (ticket.before === undefined) this.head = ticket.after;
    else ticket.before.after = ticket.after;
    if (ticket.after === undefined) this.tail = ticket.before;
    else ticket.after.before = ticket.before;
    ticket.queued = false;
    ticket.before = undefined;
    ticket.after = undefined;
    this.queued -= 1;
  }
}
