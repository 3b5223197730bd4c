import type { CancelTimer } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { ResilienceRejection } from '../kernel/rejection.js';
import {
  BulkheadFullError,
  BulkheadReentrancyError,
  QueueTimeoutError,
} from '../policies/bulkhead/bulkhead-full.error.js';
import type { Bulkhead, Ticket } from '../policies/bulkhead/bulkhead.js';
import { enclosingCall } from './current-call.js';
import { emit, type Environment } from './environment.js';
import type { Named } from './lane.js';

type Place = 'none' | 'queued' | 'held' | 'orphaned';

/** An attempt's place in a bulkhead: what it took there it gives back exactly once. */
export class Seat {
  private place: Place = 'none';
  private ticket: Ticket | undefined;
  private cancelWait: CancelTimer | undefined;
  private cancelHold: CancelTimer | undefined;

  constructor(
    private readonly bulkhead: Named<Bulkhead>,
    private readonly env: Environment,
  ) {}

  /** Takes over a slot that was taken without us. */
  adopt(): this {
    this.place = 'held';
    return this;
  }

  /** Takes a free slot, if there is one. */
  take(): boolean {
    if (!this.bulkhead.policy.enter()) return false;
    this.place = 'held';
    return true;
  }

  holds(bulkhead: object): boolean {
    return this.place === 'held' && this.bulkhead.policy === bulkhead;
  }

  /** Why there is no waiting for a slot; undefined, and `queue` to be called next, if there is. */
  refusal(): ResilienceRejection | undefined {
    const { name, policy } = this.bulkhead;
    if (enclosingCall()?.holds(policy) === true)
      return new BulkheadReentrancyError(name, this.env.stack);
    if (!policy.refuses()) return undefined;
    const { running, queued } = policy.snapshot();
    return new BulkheadFullError(name, running, queued, this.env.stack);
  }

  /**
   * Waits for a slot.
   *
   * @param arrived runs when there is one
   * @param timedOut runs when the wait was too long, and we have left
   */
  queue(
    priority: number,
    arrived: () => void,
    timedOut: (error: ResilienceRejection) => void,
  ): void {
    const { name, policy } = this.bulkhead;
    this.place = 'queued';
    this.ticket = policy.join(() => {
      this.place = 'held';
      this.cancelWait?.();
      arrived();
    }, priority);
    const { queueTimeout } = policy;
    if (queueTimeout === undefined) return;
    this.cancelWait = this.env.clock.schedule(() => {
      this.giveBack();
      timedOut(new QueueTimeoutError(name, queueTimeout, this.env.stack));
    }, queueTimeout);
  }

  /** From `delay` milliseconds on the slot is others', even if the work still runs. Once per slot. */
  holdAtMost(delay: Milliseconds): void {
    this.cancelHold = this.env.clock.schedule(() => {
      this.place = 'orphaned';
      this.bulkhead.policy.orphan();
      emit(this.env, { type: 'bulkhead-reclaimed', target: this.bulkhead.name });
    }, delay);
  }

  /** Leaves the queue, gives the slot back, or says that the orphan has ended; does nothing the second time. */
  giveBack(): void {
    const { place } = this;
    if (place === 'none') return;
    this.place = 'none';
    this.cancelWait?.();
    this.cancelHold?.();
    const { policy } = this.bulkhead;
    if (place === 'queued') policy.leave(this.ticket!);
    else if (place === 'held') policy.release();
    else policy.orphanEnded();
  }
}
