import type { CancelTimer } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { Outcome } from '../kernel/outcome.js';
import { type Permit, REFUSED } from '../kernel/permit.js';
import type { ResilienceRejection } from '../kernel/rejection.js';
import { BulkheadFullError, QueueTimeoutError } from '../policies/bulkhead/bulkhead-full.error.js';
import type { Ticket } from '../policies/bulkhead/bulkhead.js';
import { CircuitOpenError } from '../policies/circuit-breaker/circuit-open.error.js';
import { CallTimeoutError } from '../policies/time-limit/call-timeout.error.js';
import type { CallContext, ContextSource } from './current-call.js';
import { emit } from './environment.js';
import type { Pipeline } from './pipeline.js';

/** The call that an attempt belongs to. */
export interface AttemptOwner {
  readonly pipeline: Pipeline;
  /** When the whole call ends, by the monotonic clock. */
  readonly totalEnds: Milliseconds | undefined;
  /** Starts the method for the attempt and tells the attempt how it ends. Must not throw. */
  invoke(attempt: Attempt): void;
  /** Ends the work of an abandoned attempt, where the face can. */
  stopWork(attempt: Attempt): void;
  succeeded(value: unknown): void;
  /** One of our policies refused the attempt before its method was called. */
  refused(error: ResilienceRejection): void;
  /** The attempt failed. @param stillRunning our time limit gave up on work that has not ended */
  failed(error: unknown, stillRunning: boolean): void;
}

/**
 * - `waiting`: for a slot.
 * - `running`: the method runs and somebody waits for it.
 * - `abandoned`: the method runs and nobody waits for it; its slot is still in use.
 * - `over`: ended; whatever comes now changes nothing.
 */
type Phase = 'waiting' | 'running' | 'abandoned' | 'over';

/**
 * One attempt on its way through breaker, time limit and bulkhead into the method, and back.
 *
 * What it took (permit, slot, timer, place in the queue) it gives back exactly once, whichever of
 * its ends comes first.
 */
export class Attempt implements ContextSource {
  private phase: Phase = 'waiting';
  private permit: Permit = REFUSED;
  private slot = false;
  private ticket: Ticket | undefined;
  private cancelLimit: CancelTimer | undefined;
  private cancelQueueTimer: CancelTimer | undefined;
  private limitEnds: Milliseconds | undefined;
  private controller: AbortController | undefined;
  private abortReason: { readonly reason: unknown } | undefined;
  private known: CallContext | undefined;

  constructor(
    private readonly call: AttemptOwner,
    readonly number: number,
  ) {}

  /** Starts the attempt: admission, then the method. */
  enter(): void {
    const { breaker, bulkhead, timeLimit } = this.call.pipeline;
    if (breaker !== undefined) {
      this.permit = breaker.policy.enter();
      if (this.permit === REFUSED) {
        const { name, policy } = breaker;
        this.phase = 'over';
        this.call.refused(
          new CircuitOpenError(name, policy.current, policy.retryAfter(), this.stack),
        );
        return;
      }
    }
    if (timeLimit !== undefined) this.startLimit(timeLimit);
    if (bulkhead === undefined || bulkhead.policy.enter()) {
      this.slot = bulkhead !== undefined;
      this.run();
    } else {
      this.queue();
    }
  }

  /** Takes over an attempt that was admitted, and whose method runs, without an engine. */
  adopt(permit: Permit): void {
    this.permit = permit;
    this.slot = this.call.pipeline.bulkhead !== undefined;
    this.phase = 'running';
  }

  /** The method answered, or its stream completed. */
  succeeded(value: unknown): void {
    if (this.phase !== 'running') return this.ended('success');
    this.leave('success');
    this.releaseSlot();
    this.call.succeeded(value);
  }

  /** The method threw, rejected, or its stream failed. */
  failed(error: unknown): void {
    if (this.phase !== 'running') return this.ended('failure');
    const { pipeline } = this.call;
    if (pipeline.isOwnRefusal(error)) pipeline.breaker!.policy.makeRoom(this.permit);
    this.leave(pipeline.breaker === undefined ? 'failure' : pipeline.outcomeOf(error));
    this.releaseSlot();
    this.call.failed(error, false);
  }

  /** The first value of a stream: in time, and enough for a probe. The slot is held to the end. */
  firstValue(): void {
    this.cancelLimit?.();
    const breaker = this.call.pipeline.breaker?.policy;
    if (breaker?.isProbe(this.permit) === true) this.settle('success');
  }

  /** The caller left, or the whole call ran out of time: nobody waits for this attempt any more. */
  abandon(reason: unknown, outcome: Outcome): void {
    if (this.phase !== 'waiting' && this.phase !== 'running') return;
    const wasRunning = this.phase === 'running';
    this.leave(outcome);
    if (wasRunning) {
      this.phase = 'abandoned';
      this.abort(reason);
      this.call.stopWork(this);
    } else {
      this.leaveQueue();
    }
  }

  /** Whether the method has been called. */
  get hasStarted(): boolean {
    return this.phase === 'running' || this.phase === 'abandoned';
  }

  /** Whether the method runs and somebody waits for it. */
  get isAwaited(): boolean {
    return this.phase === 'running';
  }

  /** The work behind an abandoned attempt has stopped without a result, as a stream does. */
  stopped(): void {
    if (this.phase === 'abandoned') {
      this.phase = 'over';
      this.releaseSlot();
    }
  }

  get context(): CallContext {
    return (this.known ??= this.makeContext());
  }

  private run(): void {
    this.phase = 'running';
    this.call.invoke(this);
  }

  private queue(): void {
    const { name, policy } = this.call.pipeline.bulkhead!;
    let arrived!: () => void;
    const turn = new Promise<void>((resolve) => (arrived = resolve));
    this.ticket = policy.join(() => {
      this.slot = true;
      this.cancelQueueTimer?.();
      arrived();
    });
    if (this.ticket === undefined) {
      const { running, queued } = policy.snapshot();
      this.leave('rejected');
      this.call.refused(new BulkheadFullError(name, running, queued, this.stack));
      return;
    }
    // the work starts in this caller's async context, not in that of whoever frees the slot
    void turn.then(() => {
      if (this.phase !== 'waiting') return;
      if (this.limitEnds !== undefined && this.call.pipeline.env.clock.now() >= this.limitEnds) {
        this.timedOut(this.call.pipeline.timeLimit!); // its timer is late: the event loop was blocked
        return;
      }
      this.call.pipeline.breaker?.policy.started(this.permit);
      this.run();
    });
    const { queueTimeout } = policy;
    if (queueTimeout !== undefined) {
      const { clock } = this.call.pipeline.env;
      this.cancelQueueTimer = clock.schedule(() => this.queueTimedOut(queueTimeout), queueTimeout);
    }
  }

  private queueTimedOut(waited: Milliseconds): void {
    if (this.phase !== 'waiting' || this.slot) return;
    this.leave('rejected');
    this.leaveQueue();
    this.call.refused(new QueueTimeoutError(this.call.pipeline.bulkhead!.name, waited, this.stack));
  }

  private startLimit(limit: Milliseconds): void {
    const { clock } = this.call.pipeline.env;
    this.limitEnds = clock.now() + limit;
    this.cancelLimit = clock.schedule(() => this.timedOut(limit), limit);
  }

  private timedOut(limit: Milliseconds): void {
    if (this.phase !== 'waiting' && this.phase !== 'running') return;
    const { pipeline } = this.call;
    const started = this.phase === 'running';
    const error = new CallTimeoutError('time-limit', pipeline.name, limit, started, this.stack);
    emit(pipeline.env, { type: 'call-timed-out', target: pipeline.name, limit, started });
    this.abandon(error, started ? 'failure' : 'rejected');
    this.call.failed(error, started);
  }

  /** Ends the wait for this attempt. The slot, and the place in the queue, are for the caller to give back. */
  private leave(outcome: Outcome): void {
    this.phase = 'over';
    this.cancelLimit?.();
    this.cancelQueueTimer?.();
    this.settle(outcome);
  }

  private settle(outcome: Outcome): void {
    if (this.permit === REFUSED) return;
    const { permit } = this;
    this.permit = REFUSED;
    this.call.pipeline.breaker!.policy.settle(permit, outcome);
  }

  private leaveQueue(): void {
    if (this.slot) this.releaseSlot();
    else if (this.ticket !== undefined) this.call.pipeline.bulkhead!.policy.leave(this.ticket);
  }

  private releaseSlot(): void {
    if (!this.slot) return;
    this.slot = false;
    this.call.pipeline.bulkhead!.policy.release();
  }

  /** Work that nobody waits for has ended. */
  private ended(outcome: 'success' | 'failure'): void {
    if (this.phase !== 'abandoned') return;
    this.phase = 'over';
    this.releaseSlot();
    const { counters, env, name } = this.call.pipeline;
    if (outcome === 'success') counters.lateSuccesses += 1;
    else counters.lateFailures += 1;
    emit(env, { type: 'late-result', target: name, outcome });
  }

  private abort(reason: unknown): void {
    this.abortReason = { reason };
    this.controller?.abort(reason);
  }

  private get stack(): boolean {
    return this.call.pipeline.env.stack;
  }

  private makeContext(): CallContext {
    const { pipeline, totalEnds } = this.call;
    const { clock } = pipeline.env;
    const ends = Math.min(
      this.limitEnds ?? Number.POSITIVE_INFINITY,
      totalEnds ?? Number.POSITIVE_INFINITY,
    );
    const remaining = (): Milliseconds => Math.max(0, ends - clock.now());
    const signal = (): AbortSignal => this.signal();
    return {
      get signal() {
        return signal();
      },
      attempt: this.number,
      ...(ends === Number.POSITIVE_INFINITY ? {} : { deadline: clock.epoch() + remaining() }),
      remaining,
      target: pipeline.name,
    };
  }

  /** Made on demand: most methods never ask, and a controller costs more than the rest of the call. */
  private signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.abortReason !== undefined) this.controller.abort(this.abortReason.reason);
    }
    return this.controller.signal;
  }
}
