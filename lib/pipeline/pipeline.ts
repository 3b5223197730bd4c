import { RETRY_TABLE } from '../errors/retry-table.js';
import type { Classification } from '../kernel/classifier.js';
import type { Milliseconds } from '../kernel/duration.js';
import { type CompiledMatcher, compileMatcher } from '../kernel/matcher.js';
import type { Outcome } from '../kernel/outcome.js';
import type { Permit } from '../kernel/permit.js';
import { isResilienceRejection } from '../kernel/rejection.js';
import type { Bulkhead } from '../policies/bulkhead/bulkhead.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import { Fallback } from '../policies/fallback/fallback.js';
import { Retry } from '../policies/retry/retry.js';
import { timeLimitOf } from '../policies/time-limit/time-limit.js';
import type { CallContext, ContextSource } from './current-call.js';
import { emit, type Environment } from './environment.js';
import type { PolicySet } from './policy-set.js';

/** A policy that others may share, with the name it is known by. */
export interface Named<T> {
  readonly name: string;
  readonly policy: T;
}

/** What a pipeline has done besides running the method. */
export interface PipelineCounters {
  /** Attempts after the first. */
  retries: number;
  /** Calls that a fallback answered. */
  degraded: number;
  /** Work that ended well after we had given up on it. */
  lateSuccesses: number;
  /** Work that failed after we had given up on it. */
  lateFailures: number;
}

/** The policies of one method, ready to run: made once, used by every call. */
export class Pipeline implements ContextSource {
  readonly retry: Retry | undefined;
  readonly fallback: Fallback | undefined;
  readonly timeLimit: Milliseconds | undefined;
  /** A call needs the engine from its start: it may have to be answered while its method is still running, or its answer is kept. */
  private readonly engaged: boolean;
  readonly counters: PipelineCounters = {
    retries: 0,
    degraded: 0,
    lateSuccesses: 0,
    lateFailures: 0,
  };
  private readonly ignore: CompiledMatcher | undefined;
  private readonly failOn: CompiledMatcher | undefined;

  constructor(
    readonly name: string,
    policies: PolicySet,
    readonly env: Environment,
    readonly breaker: Named<CircuitBreaker> | undefined,
    readonly bulkhead: Named<Bulkhead> | undefined,
  ) {
    const report = (option: string, error: unknown): void =>
      emit(env, { type: 'predicate-failed', target: name, option, error });
    const { retry, fallback, timeLimit } = policies;
    this.retry =
      retry === undefined ? undefined : new Retry(retry, env.random, report, RETRY_TABLE);
    this.fallback = fallback === undefined ? undefined : new Fallback(fallback, env.clock, report);
    this.timeLimit = timeLimit === undefined ? undefined : timeLimitOf(timeLimit);
    this.engaged =
      this.timeLimit !== undefined ||
      this.retry?.totalTimeout !== undefined ||
      this.fallback?.keeps === true;
    this.ignore = compileMatcher(policies.circuitBreaker?.ignore, 'ignore', false, report);
    this.failOn = compileMatcher(policies.circuitBreaker?.failOn, 'failOn', true, report);
  }

  /** Whether a call would be admitted at once, and only its method could end it. */
  runsDirectly(): boolean {
    return (
      !this.engaged &&
      (this.breaker?.policy.isClosed ?? true) &&
      (this.bulkhead?.policy.hasRoom ?? true)
    );
  }

  /** A call that ran directly has ended well. */
  leave(permit: Permit): void {
    this.bulkhead?.policy.release();
    this.breaker?.policy.settle(permit, 'success');
  }

  /** The context of a call that runs directly: nothing can abort it, so it need not be told from others. */
  get context(): CallContext {
    let signal: AbortSignal | undefined;
    return {
      get signal() {
        return (signal ??= new AbortController().signal);
      },
      attempt: 1,
      remaining: () => Number.POSITIVE_INFINITY,
      target: this.name,
    };
  }

  classify(error: unknown): Classification {
    return this.env.classifier.classify(error);
  }

  /** Whether the breaker of this call refused another call that the method made further in. */
  isOwnRefusal(error: unknown): boolean {
    if (this.breaker === undefined || !isResilienceRejection(error)) return false;
    return error.code === 'CIRCUIT_OPEN' && error.target === this.breaker.name;
  }

  /** What an error of the method means for the breaker around it. */
  outcomeOf(error: unknown): Outcome {
    // our own refusals are no business of the matchers
    if (isResilienceRejection(error)) return this.classify(error).outcome;
    if (this.ignore?.(error) === true) return 'ignored';
    if (this.failOn !== undefined) return this.failOn(error) ? 'failure' : 'ignored';
    return this.classify(error).outcome;
  }
}
