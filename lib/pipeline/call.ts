import { retryAfterOf } from '../errors/retry-after.js';
import type { CancelTimer } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { Permit } from '../kernel/permit.js';
import type { ResilienceRejection } from '../kernel/rejection.js';
import type { Offer } from '../policies/fallback/fallback.js';
import { CallTimeoutError } from '../policies/time-limit/call-timeout.error.js';
import { Attempt, type AttemptOwner } from './attempt.js';
import { runAs } from './current-call.js';
import { emit } from './environment.js';
import type { Pipeline } from './pipeline.js';
import { asItIs } from './recorded-error.js';

/** Any method that a pipeline protects. */
export type Method = (...args: never[]) => unknown;

/**
 * One call on its way through a pipeline: the engine. It plans the attempts and decides what the
 * caller gets; a face says how a method is started and how an answer is delivered.
 */
export abstract class Call implements AttemptOwner {
  totalEnds: Milliseconds | undefined;
  private attempts = 0;
  private previousDelay: Milliseconds = 0;
  private attempt: Attempt | undefined;
  private over = false;
  private lastError: unknown;
  private cancelTotal: CancelTimer | undefined;
  private cancelDelay: CancelTimer | undefined;
  /** Under which the answer is kept for calls that fail; undefined if it is not kept. */
  protected key: string | undefined;

  constructor(
    readonly pipeline: Pipeline,
    protected readonly self: unknown,
    protected readonly args: unknown[],
  ) {}

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
    if (this.over) return;
    if (this.pipeline.retry === undefined || !this.planNext(error, stillRunning))
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
    const { fallback } = this.pipeline;
    if (fallback !== undefined) {
      fallback.begun();
      this.key = fallback.keyOf(this.self, this.args);
      if (this.over) return; // the key function made the caller leave
    }
    const total = this.pipeline.retry?.totalTimeout;
    if (total !== undefined) {
      const { clock } = this.pipeline.env;
      this.totalEnds = clock.now() + total;
      this.cancelTotal = clock.schedule(() => this.timedOut(total), total);
    }
    this.next();
  }

  /** Makes the first attempt out of one that was admitted, and has run, without an engine. */
  protected adopt(permit: Permit): Attempt {
    this.attempts = 1;
    this.attempt = new Attempt(this, 1);
    this.attempt.adopt(permit);
    return this.attempt;
  }

  /** A stream's first value came: no limit of the whole call runs any longer. */
  protected firstValue(attempt: Attempt): void {
    this.cancelTotal?.();
    attempt.firstValue();
  }

  private next(): void {
    // a blocked event loop may let us come too late
    if (
      this.attempts > 0 &&
      this.totalEnds !== undefined &&
      this.pipeline.env.clock.now() >= this.totalEnds
    ) {
      this.conclude(this.lastError);
      return;
    }
    this.attempts += 1;
    const attempt = new Attempt(this, this.attempts);
    this.attempt = attempt;
    attempt.enter();
  }

  private planNext(error: unknown, stillRunning: boolean): boolean {
    const { retry, env, name, counters } = this.pipeline;
    if (this.hasEmitted) return false;
    const verdict = retry!.decide({
      error,
      attempts: this.attempts,
      previousDelay: this.previousDelay,
      stillRunning,
      spentFurtherIn: false,
      classification: () => this.pipeline.classify(error),
      retryAfter: () => retryAfterOf(error, env.clock.epoch()),
    });
    if (this.over) return true; // a predicate made the caller leave
    if (!verdict.retry) {
      if (verdict.why === 'exhausted') {
        const record = env.bus.wants('retry-exhausted') ? asItIs(error) : error;
        const { attempts } = this;
        emit(env, { type: 'retry-exhausted', target: name, attempts, error: record });
      }
      return false;
    }
    const { delay } = verdict;
    if (this.totalEnds !== undefined && env.clock.now() + delay >= this.totalEnds) return false;
    counters.retries += 1;
    this.lastError = error;
    this.previousDelay = delay;
    emit(env, { type: 'retry-scheduled', target: name, attempt: this.attempts, delay, error });
    this.cancelDelay = env.clock.schedule(() => {
      this.cancelDelay = undefined;
      this.next();
    }, delay);
    return true;
  }

  private timedOut(limit: Milliseconds): void {
    if (this.over) return;
    const { name, env } = this.pipeline;
    if (this.cancelDelay !== undefined) {
      // a timer that fired late found us between two attempts: the error we have says more
      this.cancelDelay();
      this.conclude(this.lastError);
      return;
    }
    const started = this.attempt!.hasStarted;
    const error = new CallTimeoutError('retry', name, limit, started, env.stack);
    emit(env, { type: 'call-timed-out', target: name, limit, started });
    this.attempt!.abandon(error, started ? 'failure' : 'rejected');
    this.conclude(error);
  }

  /** No more attempts: a fallback answers, or the caller gets the error. */
  private conclude(error: unknown): void {
    if (this.over) return;
    this.cancelTotal?.();
    const errors = [error];
    const offer = this.nextFallback(0, errors);
    if (this.over) return;
    if (offer === undefined) {
      this.finish();
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

  private finish(): void {
    this.over = true;
    this.cancelTotal?.();
  }
}

/** The causes we gave; an error that comes twice with different ones is shared between calls. */
const causes = new WeakMap<Error, unknown>();

/**
 * The error of a fallback says what it was asked to stand in for, unless it says so already. An
 * error object that several calls share says nothing: one caller's error is none of another's.
 */
function withCause(thrown: unknown, original: unknown): unknown {
  try {
    if (!(thrown instanceof Error) || thrown === original) return thrown;
    if (causes.has(thrown)) {
      if (causes.get(thrown) !== original) delete thrown.cause;
    } else if (thrown.cause === undefined && Object.isExtensible(thrown)) {
      Object.defineProperty(thrown, 'cause', {
        value: original,
        configurable: true,
        writable: true,
      });
      causes.set(thrown, original);
    }
  } catch {
    // a hostile error says what it likes
  }
  return thrown;
}
