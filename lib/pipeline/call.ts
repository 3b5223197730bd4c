import type { CancelTimer } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import { isCommitUnknown } from '../kernel/commit-unknown.js';
import { ignore } from '../kernel/ignore.js';
import type { ResilienceRejection } from '../kernel/rejection.js';
import type { Offer } from '../policies/fallback/fallback.js';
import { CallTimeoutError } from '../policies/time-limit/call-timeout.error.js';
import { wasBlocked } from '../policies/time-limit/time-limit.js';
import { Attempt } from './attempt.js';
import type { AttemptOwner } from './attempt-owner.js';
import type { EndableCall } from './calls-in-flight.js';
import { inheritedEnd, runAs, runInContext } from './current-call.js';
import type { DirectStart } from './direct-start.js';
import { emit, emitRefusal } from './environment.js';
import { explainCall } from './explain-call.js';
import type { Lane } from './lane.js';
import { scheduleLimit } from './limit-timer.js';
import type { Pipeline } from './pipeline.js';
import { asItIs } from './recorded-error.js';
import { Retries } from './retries.js';
import { Account } from './statistics/account.js';
import { Trace } from './trace.js';
import { withCause } from './with-cause.js';

/** Any method that a pipeline protects. */
export type Method = (...args: never[]) => unknown;

/**
 * One call on its way through a pipeline: the engine. It plans the attempts and decides what the
 * caller gets; a face says how a method is started and how an answer is delivered.
 */
export abstract class Call implements AttemptOwner<Attempt>, EndableCall {
  before: EndableCall | undefined = undefined;
  after: EndableCall | undefined = undefined;
  totalEnds: Milliseconds | undefined;
  readonly trace: Trace | undefined;
  /** Under which the answer is kept for calls that fail; undefined if it is not kept. */
  protected key: string | undefined;
  readonly retries = new Retries(this);
  private readonly account: Account;
  private attempt: Attempt | undefined;
  private over = false;
  /** Whether the budget counts it among the calls in flight. */
  private counted = false;
  private endTotal: (() => void) | undefined;
  private cancelTotal: CancelTimer | undefined;

  constructor(
    readonly pipeline: Pipeline,
    public lane: Lane,
    private readonly method: Method,
    readonly self: unknown,
    readonly args: unknown[],
  ) {
    const { trace, clock } = pipeline.env;
    this.trace = trace ? new Trace(clock) : undefined;
    this.account = new Account(pipeline);
  }

  abstract invoke(attempt: Attempt): void;
  abstract stopWork(attempt: Attempt): void;
  /** The call is over: this is its answer. */
  protected abstract answer(value: unknown): void;
  /** The same for an answer that no attempt has passed on. */
  protected deliver(value: unknown): void {
    this.answer(value);
  }
  /** The call is over: this is its error. */
  protected abstract giveUp(error: unknown): void;
  /** Waits for what a fallback returned. */
  protected abstract await(
    result: unknown,
    good: (value: unknown) => void,
    bad: (error: unknown) => void,
  ): void;
  /** Whether the caller has seen part of an answer: from then on it cannot be taken back. */
  protected get hasEmitted(): boolean {
    return false;
  }

  succeeded(value: unknown, good: boolean): void {
    if (this.over || this.retriesResult(value)) return;
    this.retries.succeeded();
    this.finish();
    this.account.ends('succeeded');
    if (good && this.key !== undefined) this.pipeline.fallback!.keep(this.key, value);
    this.answer(value);
  }

  refused(error: ResilienceRejection): void {
    emitRefusal(this.pipeline.env, error);
    this.goOn(error, false);
  }

  committed(): void {
    this.endLimit();
  }

  failed(error: unknown, stillRunning: boolean): void {
    this.retries.failed(error);
    this.account.attemptFailed(error, this.retries, this.args);
    this.goOn(error, stillRunning);
  }

  /** Decides what follows from the end of an attempt. */
  private goOn(error: unknown, stillRunning: boolean): void {
    this.retries.ended();
    if (this.over) return;
    const { retry } = this.pipeline;
    const mayRetry = retry !== undefined && (!this.hasEmitted || retry.retryAfterEmit);
    if (!mayRetry || !this.retries.afterError(error, stillRunning)) this.conclude(error);
  }

  /** The caller left. Nothing is retried and no fallback is asked. */
  cancel(reason: unknown): void {
    // what is in the journal is not called off: its caller hears what became of it
    if (this.over || this.attempt?.isCommitted === true) return;
    this.finish();
    // who leaves after a value had an answer, as `firstValueFrom` has
    this.account.ends(this.hasEmitted ? 'succeeded' : 'cancelled');
    this.retries.callOff();
    this.attempt?.abandon(reason, this.hasEmitted ? 'success' : 'cancelled');
    this.giveUp(reason);
  }

  endWait(): void {
    if (this.over) return;
    if (this.retries.callOff()) this.endWithLast('shutting-down');
    else this.attempt?.turnAway();
  }

  cutOff(): void {
    this.cancel(this.pipeline.shuttingDown());
  }

  protected begin(): void {
    if (this.over) return;
    const { fallback, retry, env } = this.pipeline;
    this.account.begins();
    this.counted = true;
    this.pipeline.budget?.callStarted();
    this.retries.begin();
    if (fallback !== undefined) {
      fallback.begun();
      this.key = fallback.keyOf(this.self, this.args);
    }
    if (this.over) return; // a function from the options made the caller leave
    if (env.calls.refusesNew) this.refused(this.pipeline.shuttingDown());
    else if (this.setDeadline(retry?.totalTimeout)) this.next();
    this.follow();
  }

  /** From here on it can be ended from outside; most that are refused are over by now. @internal */
  follow(): void {
    if (!this.over) this.pipeline.env.calls.add(this);
  }

  /**
   * Makes the first attempt out of one that was admitted, and has run, without an engine.
   */
  protected adopt(start: DirectStart): Attempt {
    this.counted = true;
    this.account.resumes(start.timing);
    this.retries.started(start.mark, start.serial);
    this.attempt = new Attempt(this, 1);
    this.attempt.adopt(start);
    return this.attempt;
  }

  private endLimit(): void {
    this.cancelTotal?.();
    this.totalEnds = undefined;
  }

  /** A stream's first value came: no limit of the whole call runs any longer, and a retry has done its work. */
  protected firstValue(attempt: Attempt, value: unknown): void {
    this.retries.ended();
    this.endLimit();
    attempt.firstValue(value);
  }

  /** Calls the method for an attempt, which its caller finds by `currentCall()`. */
  protected callMethod(attempt: Attempt): unknown {
    const { method, self } = this;
    const args = this.pipeline.freshArgs(this.args);
    if (attempt.keeping !== undefined)
      return attempt.keeping.run(() => runInContext(attempt, method, self, args));
    const run = this.pipeline.propagates ? runInContext : runAs;
    return run(attempt, method, self, args);
  }

  /** Whether this result is followed by another attempt, which is planned then. */
  protected retriesResult(value: unknown): boolean {
    if (this.hasEmitted || this.pipeline.retry?.wantsResult(value) !== true) return false;
    this.key = undefined; // not good enough to be given to others
    return !this.over && this.retries.afterResult(value);
  }

  /** Time has passed: what keys have may be another policy now. */
  lookAgain(): void {
    this.lane = this.pipeline.laneAgain(this.lane);
  }

  /** Starts an attempt. @internal */
  next(): void {
    const { totalEnds } = this;
    // a blocked event loop may let us come too late
    if (this.attempt !== undefined && totalEnds !== undefined && this.now() >= totalEnds) {
      this.endWithLast('no-time-left');
      return;
    }
    if (this.attempt !== undefined) this.lookAgain();
    this.retries.started();
    this.attempt = new Attempt(this, this.retries.count);
    this.attempt.enter();
  }

  /** Whether the caller has its answer. */
  get isOver(): boolean {
    return this.over;
  }

  /** Between two attempts there is no time left, or no room for a wait: what we have says more than a timeout. */
  private endWithLast(why: 'no-time-left' | 'shutting-down'): void {
    const last = this.retries.giveUp(why);
    if ('value' in last) {
      this.finish();
      this.account.ends('succeeded');
      this.deliver(last.value);
    } else {
      this.conclude(last.error);
    }
  }

  /** After a wait the timer of the whole call may be late; then it ends here, and answers true. */
  endIfLate(): boolean {
    const { totalEnds } = this;
    if (totalEnds === undefined || this.now() < totalEnds) return false;
    this.endTotal!();
    return true;
  }

  /** @returns false if there is no time at all, and the call has ended */
  private setDeadline(total: Milliseconds | undefined): boolean {
    const { env, name } = this.pipeline;
    const inherited = inheritedEnd(env.clock);
    if (total === undefined && inherited === undefined) return true;
    const now = env.clock.now();
    const own = total === undefined ? Number.POSITIVE_INFINITY : now + total;
    const fromCaller = inherited !== undefined && inherited < own;
    const limit = fromCaller ? inherited - now : total!;
    this.totalEnds = now + limit;
    if (limit <= 0) {
      const facts = { inherited: true };
      this.refused(new CallTimeoutError('time-limit', name, 0, false, env.stack, facts));
      return false;
    }
    this.endTotal = () => this.timedOut(limit, fromCaller);
    this.cancelTotal = scheduleLimit(env.clock, this.endTotal, limit);
    return true;
  }

  private timedOut(limit: Milliseconds, inherited: boolean): void {
    if (this.over) return;
    const { name, env, timeLimited, retry } = this.pipeline;
    if (this.retries.callOff()) {
      // a timer that fired late found us between two attempts
      this.endWithLast('no-time-left');
      return;
    }
    const started = this.attempt!.hasStarted;
    const blocked = wasBlocked(limit, env.clock.now() - this.totalEnds!);
    const policy = inherited ? 'time-limit' : 'retry';
    const facts = { blocked, inherited };
    const error = new CallTimeoutError(policy, name, limit, started, env.stack, facts);
    emit(env, { type: 'call-timed-out', target: name, limit, started, blocked });
    this.trace?.note(this.retries.count, policy, `${limit} ms have passed`);
    // a caller in a hurry says nothing of a dependency that has a limit of its own to keep
    const patient = timeLimited || retry?.totalTimeout !== undefined;
    const blame = !blocked && !(inherited && patient);
    this.attempt!.abandon(error, started ? (blame ? 'failure' : 'cancelled') : 'rejected');
    if (started) this.account.attemptFailed(error, this.retries, this.args);
    this.conclude(error);
  }

  /** No more attempts: a fallback answers, or the caller gets the error. */
  private conclude(error: unknown): void {
    if (this.over) return;
    this.cancelTotal?.();
    const errors = [error];
    // whoever is told that all is well would not look
    const offer = isCommitUnknown(error) ? undefined : this.nextFallback(0, errors);
    if (this.over) return;
    if (offer === undefined) {
      this.finish();
      this.account.endsWith(error);
      explainCall(error, this, this.retries);
      this.giveUp(error);
    } else {
      this.askFallback(offer, errors);
    }
  }

  /** @param errors of the method, and of the fallbacks that were asked already */
  private nextFallback(from: number, errors: readonly unknown[]): Offer | undefined {
    if (this.hasEmitted) return undefined;
    return this.pipeline.fallback?.next(from, errors, (e) => this.retries.classify(e), this.key);
  }

  private askFallback(offer: Offer, errors: readonly unknown[]): void {
    const { fallback, env, name } = this.pipeline;
    const [error] = errors;
    this.attempt = undefined;
    this.trace?.note(this.retries.count, 'fallback', `asks ${offer.kind}`);
    const record = env.bus.wants('fallback-used') ? asItIs(error) : error;
    const good = (value: unknown): void => {
      if (this.over) return;
      fallback!.answered(offer);
      const { kind, age } = offer;
      const facts = { kind, ...(age === undefined ? {} : { age }), error: record };
      emit(env, { type: 'fallback-used', target: name, ...facts });
      this.finish();
      this.account.ends('degraded');
      this.answer(value);
    };
    const bad = (thrown: unknown): void => {
      if (this.over) return;
      this.trace?.note(this.retries.count, 'fallback', 'failed');
      emit(env, { type: 'fallback-failed', target: name, error: thrown });
      this.retries.lookAgain();
      const all = [...errors, thrown];
      const following = this.nextFallback(offer.position + 1, all);
      if (this.over) return;
      if (following !== undefined) {
        this.askFallback(following, all);
        return;
      }
      fallback!.failed();
      this.finish();
      this.account.endsWith(thrown);
      explainCall(thrown, this, this.retries);
      this.giveUp(withCause(thrown, error));
    };
    try {
      const ask = (): unknown => offer.answer(this.self, error, this.args);
      const result = runAs(undefined, ask, undefined, []);
      if (this.over) ignore(result);
      else this.await(result, good, bad);
    } catch (thrown) {
      bad(thrown);
    }
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.pipeline.env.calls.delete(this);
    this.retries.ended();
    if (this.counted) this.pipeline.budget?.callEnded();
    this.cancelTotal?.();
  }

  private now(): Milliseconds {
    return this.pipeline.env.clock.now();
  }
}
