import type { Milliseconds } from '../../kernel/duration.js';
import {
  type CompiledMatcher,
  compileMatcher,
  type PredicateReport,
} from '../../kernel/matcher.js';
import type { Random } from '../../kernel/random.js';
import { isResilienceRejection } from '../../kernel/rejection.js';
import { type Backoff, backoffOf } from './backoff.js';
import { RETRY_DEFAULTS as DEFAULTS, type RetryOptions } from './retry.options.js';

/** Decides whether a failed attempt is followed by another. Holds no state: budgets are per call. */
export class Retry {
  readonly totalTimeout: Milliseconds | undefined;
  /** The delay after the n-th failed attempt. */
  readonly delayAfter: Backoff;
  private readonly maxAttempts: number;
  private readonly idempotent: boolean;
  private readonly retryOn: CompiledMatcher | undefined;
  private readonly abortOn: CompiledMatcher | undefined;

  constructor(options: RetryOptions, random: Random, report: PredicateReport) {
    this.maxAttempts = options.maxAttempts ?? DEFAULTS.maxAttempts;
    this.totalTimeout = options.totalTimeout;
    this.idempotent = options.idempotent ?? DEFAULTS.idempotent;
    this.retryOn = compileMatcher(options.retryOn, 'retryOn', false, report);
    this.abortOn = compileMatcher(options.abortOn, 'abortOn', true, report);
    this.delayAfter = backoffOf(options, random);
  }

  /** Whether `attempts` attempts were all. */
  exhausted(attempts: number): boolean {
    return attempts >= this.maxAttempts;
  }

  /**
   * Whether this error is worth another attempt.
   *
   * @param retryable what the classifier says of it
   * @param stillRunning our own time limit gave up on work that has not ended
   */
  wants(error: unknown, retryable: () => boolean, stillRunning: boolean): boolean {
    if (stillRunning && !this.idempotent) return false;
    if (this.abortOn?.(error) === true) return false;
    if (this.retryOn !== undefined) return this.retryOn(error);
    return stillRunning || (!isResilienceRejection(error) && retryable());
  }
}
