import type { Classification, ErrorCategory } from '../../../../lib/kernel/classifier.js';
import {
  type FailedAttempt,
  Retry,
  type RetryTable,
  type RetryVerdict,
} from '../../../../lib/policies/retry/retry.js';
import type { RetryOptions } from '../../../../lib/policies/retry/retry.options.js';
import { seededRandom } from '../../../../lib/testing/index.js';

/** The options whose functions were reported. To be emptied before each test. */
export const reports: string[] = [];

export const retryOf = (options: RetryOptions, table?: RetryTable): Retry =>
  new Retry({ jitter: 'none', ...options }, seededRandom(1), (o) => reports.push(o), table);

export const classified = (
  category: ErrorCategory,
  retryable = true,
  outcome: Classification['outcome'] = 'failure',
): Classification => ({ category, retryable, outcome, fallback: true });

export const failure = (
  given: Partial<FailedAttempt> & { as?: Classification } = {},
): FailedAttempt => ({
  error: new Error('down'),
  attempts: 1,
  previousDelay: 0,
  stillRunning: false,
  spentFurtherIn: false,
  classification: () => given.as ?? classified('transient'),
  retryAfter: () => undefined,
  ...given,
});

export const yes = (delay: number): RetryVerdict => ({ retry: true, delay });
export const no = (why: string): unknown => ({ retry: false, why });

export const mustNotAsk = (): never => {
  throw new Error('nobody needs to know');
};
