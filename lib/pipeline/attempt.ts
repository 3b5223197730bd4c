import type { CheckpointCall } from '../checkpoint/transaction/checkpoint-call.js';
import type { Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { Outcome } from '../kernel/outcome.js';
import type { ResilienceRejection } from '../kernel/rejection.js';
import { RateLimitedError } from '../policies/rate-limit/rate-limited.error.js';
import { CallTimeoutError } from '../policies/time-limit/call-timeout.error.js';
import { wasBlocked } from '../policies/time-limit/time-limit.js';
import { Admission } from './admission.js';
import type { AttemptOwner } from './attempt-owner.js';
import { makeContext } from './call-context.js';
import type { CallContext, ContextSource } from './current-call.js';
import type { DirectStart } from './direct-start.js';
import { emit } from './environment.js';
import { IdleWatch } from './idle-watch.js';
import { keepingOf } from './keeping.js';
import { LazyAbort } from './lazy-abort.js';
import { LimitWatch } from './limit-watch.js';
import { Seat } from './seat.js';
import type { Decision } from './trace.js';

/**
 * - `waiting`: for its turn or a slot.
 * - `running`: the method runs and somebody waits for it.
 * - `abandoned`: the method runs and nobody waits for it; its slot is still in use.
 * - `over`: ended; whatever comes now changes nothing.
 */
type Phase = 'waiting' | 'running' | 'abandoned' | 'over';

/**
 * One attempt on its way through breaker, rate limit, time limit and bulkhead into the method, and
 * back.
 *
 * What it took (permit, turn, slot, timer) it gives back exactly once, whichever of its ends comes
 * first.
 */
export class Attempt implements ContextSource {
  private phase: Phase = 'waiting';
  private admission: Admission | undefined;
  private seat: Seat | undefined;
  /** What it keeps of what it does. */
  keeping: CheckpointCall | undefined;
  /** What it did is in the journal. */
  isCommitted = false;
  /** Whether it had to wait before its method could start. */
  private waited = false;
  private leaveLine: (() => void) | undefined;
  private limit: LimitWatch | undefined;
  private idleWatch: IdleWatch | undefined;
  /** What `maxHold` was when the method started. */
  private hold: Milliseconds | false | undefined;
  /** Whether its stream has delivered a value. */
  hasValue = false;
  /** A stream's first value was a failure by `isFailure`. */
  private badValue = false;
  /** Its work has been stopped while nobody waited for it any more. */
  private wasStopped = false;
  private aborting = new LazyAbort();
  private known: CallContext | undefined;

  constructor(
    private readonly call: AttemptOwner<Attempt>,
    readonly number: number,
  ) {}

  /** Starts the attempt: admission, then the method. */
  enter(): void {
    const { breaker } = this.call.lane;
    if (breaker !== undefined) {
      this.admission = new Admission(breaker, this.call.pipeline.env);
      const refusal = this.admission.enter();
      if (refusal !== undefined) return this.refuse(refusal);
      this.note('circuit-breaker', this.admission.isUnobserved ? 'would refuse' : 'admitted');
    }
    if (this.call.lane.rateLimit === undefined) this.enterLimits();
    else this.enterRateLimit();
  }

  /** Takes over an attempt that was admitted, and whose method runs, without an engine. */
  adopt({ permit, startedAt }: DirectStart): void {
    const { breaker, bulkhead } = this.call.lane;
    const { env } = this.call.pipeline;
    if (breaker !== undefined) {
      this.admission = new Admission(breaker, env);
      this.admission.adopt(permit, startedAt);
    }
    if (bulkhead !== undefined) this.seat = new Seat(bulkhead, env).adopt();
    this.phase = 'running';
  }

  /**
   * The same for what ends it before its method does.
   *
   * @param hold what `maxHold` was when it started
   */
  adoptLimit(limit: LimitWatch, hold: Milliseconds | false | undefined, aborting: LazyAbort): void {
    this.limit = limit;
    this.hold = hold;
    this.aborting = aborting;
  }

  /** The method answered, or its stream completed. */
  succeeded(value: unknown): void {
    if (this.phase !== 'running') return this.ended('success');
    this.call.succeeded(value, this.endWell(value));
  }

  /** The first value is to be followed by another attempt: the work behind it has been stopped. */
  replaced(value: unknown): void {
    this.endWell(value);
  }

  /** The method threw, rejected, or its stream failed. */
  failed(error: unknown): void {
    if (this.phase !== 'running') return this.ended('failure');
    const { admission } = this;
    admission?.makeRoomIfRefused(error);
    const outcome =
      admission === undefined ? 'failure' : this.call.pipeline.outcomeOf(error, this.call.retries);
    this.note('method', `failed, counted as ${outcome}`);
    this.leave(outcome, error);
    this.seat?.giveBack();
    this.call.failed(error, false);
  }

  /** The first value of a stream: in time, and enough for a probe. The slot is held to the end. */
  firstValue(value: unknown): void {
    const { pipeline } = this.call;
    this.limit?.answered();
    this.hasValue = true;
    const outcome = pipeline.outcomeOfValue(value);
    this.badValue = outcome === 'failure';
    if (this.admission?.isProbe === true) this.admission.settle(outcome);
    const { idle } = pipeline;
    // a function from the options may have made the caller leave
    if (idle !== undefined && this.phase === 'running')
      this.idleWatch = new IdleWatch(this.clock, idle, (late) => this.giveUp(idle, late, true));
  }

  /** Another value of a stream that is not to fall silent. */
  laterValue(): void {
    this.idleWatch?.value();
  }

  /** The caller left, or the whole call ran out of time: nobody waits for this attempt any more. */
  abandon(reason: unknown, outcome: Outcome): void {
    if (this.phase !== 'waiting' && this.phase !== 'running') return;
    const wasRunning = this.phase === 'running';
    this.leave(outcome, reason);
    this.leaveLine?.();
    this.keeping?.void(reason);
    if (wasRunning) {
      this.phase = 'abandoned';
      this.holdOn();
      this.aborting.abort(reason);
      this.call.stopWork(this);
    } else {
      this.seat?.giveBack();
    }
  }

  /** The application ends: nobody waits for a slot or a turn any more. */
  turnAway(): void {
    // what would keep the call around it from ending ends with that
    if (this.phase !== 'waiting' || this.keeping?.isJoined === true) return;
    const error = this.call.pipeline.shuttingDown();
    this.abandon(error, 'rejected');
    this.call.refused(error);
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
      this.wasStopped = true;
      this.seat?.giveBack();
    }
  }

  get context(): CallContext {
    const { pipeline } = this.call;
    return (this.known ??= makeContext({
      clock: this.clock,
      target: pipeline.name,
      attempt: this.number,
      ends: () => this.ends,
      signal: () => this.aborting.signal,
    }));
  }

  endsBy(clock: Clock): Milliseconds | undefined {
    // what the method left behind when it ended has no deadline any more
    const ended = this.phase === 'over' && !this.wasStopped;
    return ended || clock !== this.clock ? undefined : this.ends;
  }

  holds(bulkhead: object): boolean {
    return this.seat?.holds(bulkhead) === true;
  }

  private enterRateLimit(): void {
    const { name, policy } = this.call.lane.rateLimit!;
    const wait = policy.enter();
    if (wait < 0) {
      this.refuse(new RateLimitedError(name, -wait, this.call.pipeline.env.stack));
    } else if (wait === 0) {
      this.enterLimits();
    } else {
      this.note('rate-limit', `waits about ${wait} ms`);
      this.waitFor(
        (granted) => void (this.leaveLine = policy.join(granted)),
        () => {
          this.leaveLine = undefined;
          this.call.lookAgain();
          this.enterLimits();
        },
      );
    }
  }

  private enterLimits(): void {
    const { pipeline, lane, args } = this.call;
    if (lane.rateLimit !== undefined) this.note('rate-limit', 'admitted');
    const limit = pipeline.limitFor(this.number, args);
    if (this.phase !== 'waiting') return; // the function made the caller leave
    if (limit !== undefined) this.limit = new LimitWatch(pipeline, limit, this);
    if (lane.bulkhead === undefined) return this.enterComponent();
    const seat = new Seat(lane.bulkhead, pipeline.env);
    this.seat = seat;
    if (seat.take()) return this.enterComponent();
    const priority = pipeline.priorityOf(args);
    if (this.phase !== 'waiting') return; // the function made the caller leave
    // it may also have freed a slot, or taken the last place in the queue
    if (seat.take()) return this.enterComponent();
    const refusal = seat.refusal();
    if (refusal !== undefined) return this.refuse(refusal);
    this.note('bulkhead', 'queued');
    this.waitFor(
      (granted) => seat.queue(priority, granted, (error) => this.refuse(error)),
      () => this.unlessLate(() => this.enterComponent()),
    );
  }

  /** Waits for the turn in the component whose state the method keeps. */
  private enterComponent(): void {
    const keeping = keepingOf(this.call, () => this.committed());
    if (keeping === undefined) return this.run();
    this.keeping = keeping;
    this.waitFor(
      (granted) => keeping.enter(granted, (error) => this.refuse(error)),
      () => this.unlessLate(() => this.run()),
    );
  }

  /** Goes on in this caller's async context, not in that of whoever makes room. */
  private waitFor(join: (granted: () => void) => boolean | void, then: () => void): void {
    let granted!: () => void;
    const turn = new Promise<void>((resolve) => (granted = resolve));
    if (join(granted) === true) return then(); // there was no need to wait
    if (this.call.pipeline.env.calls.refusesWaiting) this.turnAway();
    this.waited = true;
    void turn.then(() => {
      if (this.phase === 'waiting' && !this.call.endIfLate()) then();
    });
  }

  private unlessLate(go: () => void): void {
    const { limit } = this;
    // its timer is late: the event loop was blocked
    if (limit !== undefined && limit.late >= 0) this.timedOut();
    else go();
  }

  private run(): void {
    this.admission?.started(this.waited);
    this.hold = this.call.lane.bulkhead?.policy.maxHold;
    this.phase = 'running';
    if (typeof this.hold === 'number') this.seat!.holdAtMost(this.hold);
    if (this.seat !== undefined) this.note('bulkhead', 'admitted');
    this.note('method', 'started');
    this.call.invoke(this);
  }

  private refuse(error: ResilienceRejection): void {
    this.note(error.policy, `refused: ${error.code}`);
    this.leave('rejected');
    this.seat?.giveBack();
    this.call.refused(error);
  }

  /** From here on it is a matter of the disk, and cannot be called off. */
  private committed(): void {
    this.isCommitted = true;
    this.limit?.cancel();
    this.limit = undefined;
    this.call.committed();
  }

  /** Its limit has passed. */
  timedOut(): void {
    if (this.phase === 'waiting' || this.phase === 'running')
      this.giveUp(this.limit!.ms, this.limit!.late, false);
  }

  private giveUp(limit: Milliseconds, late: Milliseconds, idle: boolean): void {
    const { env, name } = this.call.pipeline;
    const started = this.phase === 'running';
    const blocked = wasBlocked(limit, late);
    const facts = { blocked, idle };
    const error = new CallTimeoutError('time-limit', name, limit, started, env.stack, facts);
    emit(env, { type: 'call-timed-out', target: name, limit, started, blocked });
    this.note('time-limit', `${limit} ms have passed`);
    // an answer that nobody could read in time is no fault of the dependency
    this.abandon(error, started ? (blocked ? 'cancelled' : 'failure') : 'rejected');
    this.call.failed(error, started);
  }

  /** @returns whether the answer counted as a success */
  private endWell(value: unknown): boolean {
    if (!this.hasValue) this.limit?.answered();
    const outcome = this.outcomeOf(value);
    this.note('method', outcome === 'success' ? 'answered' : 'answered, counted as failure');
    this.leave(outcome);
    this.seat?.giveBack();
    return outcome === 'success';
  }

  /** Of a stream the first value decides, and it has. */
  private outcomeOf(value: unknown): Outcome {
    if (this.hasValue) return this.badValue ? 'failure' : 'success';
    return this.call.pipeline.outcomeOfValue(value);
  }

  /** Ends the wait for this attempt. The slot is for the caller to give back. */
  private leave(outcome: Outcome, error?: unknown): void {
    this.phase = 'over';
    this.limit?.cancel();
    this.idleWatch?.cancel();
    this.admission?.settle(outcome, error);
  }

  /** Work that nobody waits for has ended. */
  private ended(outcome: 'success' | 'failure'): void {
    if (this.phase !== 'abandoned') return;
    this.phase = 'over';
    this.seat?.giveBack();
    const { counters, env, name } = this.call.pipeline;
    if (outcome === 'success') counters.lateSuccesses += 1;
    else counters.lateFailures += 1;
    emit(env, { type: 'late-result', target: name, outcome });
  }

  /** Work that nobody waits for keeps its slot for a while: for 5 time limits, unless it is said otherwise. */
  private holdOn(): void {
    const { limit } = this;
    if (limit === undefined || this.hold !== undefined) return;
    this.seat?.holdAtMost(Math.max(0, 4 * limit.ms - limit.late));
  }

  private note(by: Decision['by'], verdict: string): void {
    this.call.trace?.note(this.number, by, verdict);
  }

  private get clock(): Clock {
    return this.call.pipeline.env.clock;
  }

  /** When it is given up; of a stream only its first value has to be there by then. */
  private get ends(): Milliseconds | undefined {
    const { totalEnds } = this.call;
    if (this.limit === undefined || this.hasValue) return totalEnds;
    const { ends } = this.limit;
    return totalEnds === undefined ? ends : Math.min(ends, totalEnds);
  }
}
