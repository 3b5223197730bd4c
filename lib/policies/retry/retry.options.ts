import {
  boolean,
  checkOptions,
  integer,
  type Mistake,
  number,
  oneOf,
  type OptionRules,
  show,
  span,
} from '../../kernel/check.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { type ErrorMatchers, errorMatchers } from '../../kernel/matcher.js';

/** Options of a retry. */
export interface RetryOptions {
  /** Attempts in total, the first included. From 1. Default 3. */
  maxAttempts?: number;
  /** The first delay, before jitter, in milliseconds. From 0. Default 100. */
  delay?: Milliseconds;
  /** How delays grow: `exponential` (× `multiplier`), `linear` (+ `delay`) or `constant`. Default `exponential`. */
  backoff?: 'exponential' | 'linear' | 'constant';
  /** Growth of the exponential back-off. From 1. Default 2. */
  multiplier?: number;
  /** No delay is longer, in milliseconds. Default 10 s. */
  maxDelay?: Milliseconds;
  /** `full`: a random delay between 0 and the computed one, so that callers do not return in step. Default `full`. */
  jitter?: 'full' | 'none';
  /**
   * Milliseconds for the whole call with all its attempts and delays. At its end the attempt on
   * its way is aborted; no attempt is planned to start after it. Default: none.
   */
  totalTimeout?: Milliseconds;
  /** Errors that are retried; no others are. Default: what the classifier calls retryable. */
  retryOn?: ErrorMatchers;
  /** Errors that are not retried. Wins over `retryOn`. */
  abortOn?: ErrorMatchers;
  /**
   * The method may run again while an earlier attempt that we timed out is still running. Default
   * false: after our own timeout of running work there is no retry, for it could happen twice.
   */
  idempotent?: boolean;
}

export const RETRY_DEFAULTS = {
  maxAttempts: 3,
  delay: 100,
  backoff: 'exponential',
  multiplier: 2,
  maxDelay: 10_000,
  jitter: 'full',
  idempotent: false,
} as const;

const RULES: OptionRules<RetryOptions> = {
  maxAttempts: integer(1, 1_000_000),
  delay: span(0),
  backoff: oneOf('exponential', 'linear', 'constant'),
  multiplier: number(1, 1_000_000),
  maxDelay: span(0),
  jitter: oneOf('full', 'none'),
  totalTimeout: span(1),
  retryOn: errorMatchers,
  abortOn: errorMatchers,
  idempotent: boolean,
};

/** Every mistake in the options, alone and against each other. */
export function checkRetry(at: string, options: RetryOptions): Mistake[] {
  const mistakes = checkOptions(at, options, RULES);
  if (mistakes.length > 0) return mistakes;
  const { delay, maxDelay } = options;
  if (delay !== undefined && maxDelay !== undefined && maxDelay < delay) {
    mistakes.push({
      at: `${at} maxDelay`,
      problem: `got ${show(maxDelay)}, expected at least delay, ${delay}`,
    });
  }
  return mistakes;
}
