import { retryAfterOf } from '../errors/retry-after.js';
import type { CancelTimer } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { Permit } from '../kernel/permit.js';
import type { ResilienceRejection } from '../kernel/rejection.js';
import type { Offer } from '../policies/fallback/fallback.js';
import { AttemptLog } from '../policies/retry/attempt-log.js';
import type { NoRetry, RetryVerdict } from '../policies/retry/retry.js';
import { SpentErrors } from '../policies/retry/spent-errors.js';
import { CallTimeoutError } from '../policies/time-limit/call-timeout.error.js';
import { wasBlocked } from '../policies/time-limit/time-limit.js';
import { Attempt, type AttemptOwner } from './attempt.js';
import { inheritedEnd, runAs } from './current-call.js';
import { emit } from './environment.js';
import type { Lane } from './lane.js';
import type { Pipeline } from './pipeline.js';
import { asItIs } from './recorded-error.js';
import { explain, Trace } from './trace.js';
import { withCause } from './with-cause.js';

/** Any method that a pipeline protects. */
export type Method = (...args: never[]) => unknown;

/** Errors that have used up a retry somewhere in this process. */
const spent = new SpentErrors();

/** To be read when an attempt starts: what was spent before is none of its business. */
export function spentMark(): number {
  return spent.mark();
}

/** How the last attempt ended. */
type Ending = { readonly error: unknown } | { readonly value: unknown };

/**
 * One call on its way through a pipeline: the engine. It plans the attempts and decides what the
 * caller gets; a face says how a method is started and how an answer is delivered.
 */
export abstract class Call implements AttemptOwner {
  totalEnds: Milliseconds | undefined;
  readonly trace: Trace | undefined;
  /** Under which the answer is kept for calls that fail; undefined if it is not kept. */
  protected key: string | undefined;
  private attempts = 0;
  private attempt: Attempt | undefined;
  private over = false;
  private last: Ending | undefined;
  private previousDelay: Milliseconds = 0;
  private spentBefore = 0;
  /** Whether it has leave of the budget for the retry that is planned or running. */
  private retrying = false;
  /** Whether the budget counts it among the calls in flight. */
  private counted = false;
  private log: AttemptLog | undefined;
  private cancelTotal: CancelTimer | undefined;
  private cancelDelay: (() => void) | undefined;

  constructor(
    readonly pipeline: Pipeline,
    readonly lane: Lane,
    protected readonly self: unknown,
    readonly args: unknown[],
  ) {
    const { trace, clock } = pipeline.env;
    this.trace = trace ? new Trace(clock) : undefined;
  }

  abstract invoke(attempt: Attempt): void;
  abstract stopWork(attempt: Attempt): void;
  /** The call is over: this is its answer. */
  protected abstract answer(value: unknown): void;
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

  succeeded(value: unknown): void {
    this.endRetry();
    if (this.over || this.retriesResult(value)) return;
    this.finish();
    if (this.key !== undefined) this.pipeline.fallback!.keep(this.key, value);
    this.answer(value);
  }

  refused(error: ResilienceRejection): void {
    const { env } = this.pipeline;
    if (env.bus.wants('call-rejected')) {
      const { policy, code, target, retryAfter } = error;
      emit(env, {
        type: 'call-rejected',
        target,
        policy,
        code,
        ...(retryAfter === undefined ? {} : { retryAfter }),
      });
    }
    this.failed(error, false);
  }

  failed(error: unknown, stillRunning: boolean): void {
    this.endRetry();
    if (this.over) return;
    if (this.pipeline.retry === undefined || !this.retriesError(error, stillRunning))
      this.conclude(error);
  }

  /** The caller left. Nothing is retried and no fallback is asked. */
  cancel(reason: unknown): void {
    if (this.over) return;
    this.finish();
    this.cancelDelay?.();
    this.attempt?.abandon(reason, this.hasEmitted ? 'success' : 'cancelled');
    this.giveUp(reason);
  }

  protected begin(): void {
    if (this.over) return;
    const { fallback, retry } = this.pipeline;
    this.counted = true;
    this.pipeline.budget?.callStarted();
    if (fallback !== undefined) {
      fallback.begun();
      this.key = fallback.keyOf(this.self, this.args);
      if (this.over) return; // the key function made the caller leave
    }
    if (!this.setDeadline(retry?.totalTimeout)) return;
    this.next();
  }

  /**
   * Makes the first attempt out of one that was admitted, and has run, without an engine.
   *
   * @param startedAt when it began, where the breaker measures
   * @param mark what `spentMark` answered then
   */
  protected adopt(permit: Permit, startedAt: Milliseconds, mark: number): Attempt {
    this.counted = true;
    this.attempts = 1;
    this.spentBefore = mark;
    this.attempt = new Attempt(this, 1);
    this.attempt.adopt(permit, startedAt);
    return this.attempt;
  }

  /** A stream's first value came: no limit of the whole call runs any longer. */
  protected firstValue(attempt: Attempt, value: unknown): void {
    this.cancelTotal?.();
    attempt.firstValue(value);
  }

  /** The arguments for the next attempt: a fresh copy where each is to have its own. */
  protected freshArgs(): unknown[] {
    const { retry, report } = this.pipeline;
    if (retry?.cloneArgs !== true) return this.args;
    try {
      return structuredClone(this.args);
    } catch (error) {
      report('cloneArgs', error);
      return this.args;
    }
  }

  /** Whether this result is followed by another attempt, which is planned then. */
  protected retriesResult(value: unknown): boolean {
    const { retry } = this.pipeline;
    if (retry === undefined || this.hasEmitted || !retry.wantsResult(value)) return false;
    const verdict = retry.afterResult(this.attempts, this.previousDelay);
    return !this.over && this.follow(verdict, { value });
  }

  private retriesError(error: unknown, stillRunning: boolean): boolean {
    const { retry, env } = this.pipeline;
    if (this.hasEmitted && !retry!.retryAfterEmit) return false;
    const verdict = retry!.decide({
      error,
      attempts: this.attempts,
      previousDelay: this.previousDelay,
      stillRunning,
      spentFurtherIn: spent.isSpentSince(error, this.spentBefore),
      classification: () => this.pipeline.classify(error),
      retryAfter: () => retryAfterOf(error, env.clock.epoch()),
    });
    if (this.over) return true; // a predicate made the caller leave
    return this.follow(verdict, { error });
  }

  /** Plans the next attempt, if the verdict and what is left of time and budget allow it. */
  private follow(verdict: RetryVerdict, ending: Ending): boolean {
    const { env, name, counters, budget } = this.pipeline;
    if (!verdict.retry) return this.decline(verdict.why, ending);
    const { delay } = verdict;
    if (this.totalEnds !== undefined && env.clock.now() + delay >= this.totalEnds)
      return this.decline('no-time-left', ending);
    this.endRetry();
    if (budget?.tryRetry() === false) return this.decline('budget-exhausted', ending);
    this.retrying = budget !== undefined;
    counters.retries += 1;
    this.last = ending;
    this.previousDelay = delay;
    const error = 'error' in ending ? ending.error : undefined;
    (this.log ??= new AttemptLog()).add(this.attempts, error, delay);
    this.trace?.note(this.attempts, 'retry', `again in ${delay} ms`);
    emit(env, { type: 'retry-scheduled', target: name, attempt: this.attempts, delay, error });
    const cancel = env.clock.schedule(() => this.afterDelay(), delay);
    this.cancelDelay = cancel;
    return true;
  }

  private decline(why: NoRetry | 'no-time-left' | 'budget-exhausted', ending: Ending): false {
    const { env, name } = this.pipeline;
    this.trace?.note(this.attempts, 'retry', `no more: ${why}`);
    if (!('error' in ending)) return false;
    const { error } = ending;
    if (why === 'exhausted' || why === 'no-time-left' || why === 'budget-exhausted')
      spent.add(error);
    if (why === 'exhausted') {
      if (env.bus.wants('retry-exhausted')) {
        const { attempts } = this;
        emit(env, { type: 'retry-exhausted', target: name, attempts, error: asItIs(error) });
      }
    } else if (why !== 'not-retryable' && why !== 'aborted-on') {
      emit(env, { type: 'retry-declined', target: name, attempt: this.attempts, why });
    }
    return false;
  }

  private afterDelay(): void {
    const { beforeRetry } = this.pipeline.retry!;
    if (beforeRetry === undefined) {
      this.cancelDelay = undefined;
      this.next();
      return;
    }
    let left = false;
    this.cancelDelay = () => (left = true);
    const go = (): void => {
      if (left) return;
      this.cancelDelay = undefined;
      this.next();
    };
    const failed = (thrown: unknown): void => {
      this.pipeline.report('beforeRetry', thrown);
      go();
    };
    try {
      const error = 'error' in this.last! ? this.last.error : undefined;
      const info = { attempt: this.attempts + 1, error, delay: this.previousDelay };
      void Promise.resolve(beforeRetry({ ...info, args: this.args })).then(go, failed);
    } catch (thrown) {
      failed(thrown);
    }
  }

  private next(): void {
    // a blocked event loop may let us come too late
    if (
      this.attempts > 0 &&
      this.totalEnds !== undefined &&
      this.pipeline.env.clock.now() >= this.totalEnds
    ) {
      this.endWithLast();
      return;
    }
    this.attempts += 1;
    this.spentBefore = spent.mark();
    const attempt = new Attempt(this, this.attempts);
    this.attempt = attempt;
    attempt.enter();
  }

  /** Between two attempts there is no time left: what we have says more than a timeout. */
  private endWithLast(): void {
    this.endRetry();
    const { last } = this;
    if (last !== undefined && 'value' in last) {
      this.finish();
      this.answer(last.value);
    } else {
      this.conclude(last?.error);
    }
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
    this.cancelTotal = env.clock.schedule(() => this.timedOut(limit, fromCaller), limit);
    return true;
  }

  private timedOut(limit: Milliseconds, inherited: boolean): void {
    if (this.over) return;
    const { name, env, timeLimited } = this.pipeline;
    if (this.cancelDelay !== undefined) {
      // a timer that fired late found us between two attempts
      this.cancelDelay();
      this.endWithLast();
      return;
    }
    const started = this.attempt!.hasStarted;
    const blocked = wasBlocked(limit, env.clock.now() - this.totalEnds!);
    const policy = inherited ? 'time-limit' : 'retry';
    const facts = { blocked, inherited };
    const error = new CallTimeoutError(policy, name, limit, started, env.stack, facts);
    emit(env, { type: 'call-timed-out', target: name, limit, started, blocked });
    this.trace?.note(this.attempts, policy, `${limit} ms have passed`);
    // a caller in a hurry says nothing of a dependency that has a limit of its own to keep
    const blame = !blocked && !(inherited && timeLimited);
    this.attempt!.abandon(error, started ? (blame ? 'failure' : 'cancelled') : 'rejected');
    this.conclude(error);
  }

  /** No more attempts: a fallback answers, or the caller gets the error. */
  private conclude(error: unknown): void {
    if (this.over) return;
    this.endRetry();
    this.cancelTotal?.();
    const errors = [error];
    const offer = this.nextFallback(0, errors);
    if (this.over) return;
    if (offer === undefined) {
      this.finish();
      this.explain(error);
      this.giveUp(error);
    } else {
      this.askFallback(offer, errors);
    }
  }

  /** @param errors of the method, and of the fallbacks that were asked already */
  private nextFallback(from: number, errors: readonly unknown[]): Offer | undefined {
    if (this.hasEmitted) return undefined;
    const { pipeline } = this;
    return pipeline.fallback?.next(from, errors, (e) => pipeline.classify(e).fallback, this.key);
  }

  private askFallback(offer: Offer, errors: readonly unknown[]): void {
    const { fallback, env, name, counters } = this.pipeline;
    const [error] = errors;
    this.attempt = undefined;
    this.trace?.note(this.attempts, 'fallback', `asks ${offer.kind}`);
    const record = env.bus.wants('fallback-used') ? asItIs(error) : error;
    const good = (value: unknown): void => {
      if (this.over) return;
      counters.degraded += 1;
      fallback!.answered(offer);
      const { kind, age } = offer;
      const facts = { kind, ...(age === undefined ? {} : { age }), error: record };
      emit(env, { type: 'fallback-used', target: name, ...facts });
      this.finish();
      this.answer(value);
    };
    const bad = (thrown: unknown): void => {
      if (this.over) return;
      emit(env, { type: 'fallback-failed', target: name, error: thrown });
      const all = [...errors, thrown];
      const following = this.nextFallback(offer.position + 1, all);
      if (this.over) return;
      if (following !== undefined) {
        this.askFallback(following, all);
        return;
      }
      fallback!.failed();
      this.finish();
      this.explain(thrown);
      this.giveUp(withCause(thrown, error));
    };
    try {
      const ask = (): unknown => offer.answer(this.self, error, this.args);
      const result = runAs(undefined, ask, undefined, []);
      if (!this.over) this.await(result, good, bad);
    } catch (thrown) {
      bad(thrown);
    }
  }

  /** Notes how the error that the caller gets came about. */
  private explain(error: unknown): void {
    const { log, trace, totalEnds } = this;
    if (log === undefined && trace === undefined) return;
    const { name, env } = this.pipeline;
    explain(error, {
      target: name,
      attempts: log?.records ?? [],
      decisions: trace?.decisions ?? [],
      ...(totalEnds === undefined ? {} : { remaining: Math.max(0, totalEnds - env.clock.now()) }),
    });
  }

  /** The retry that the budget gave leave for is over. */
  private endRetry(): void {
    if (!this.retrying) return;
    this.retrying = false;
    this.pipeline.budget!.retryEnded();
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.endRetry();
    if (this.counted) this.pipeline.budget?.callEnded();
    this.cancelTotal?.();
  }
}
