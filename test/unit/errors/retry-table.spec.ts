import { CATEGORY_DEFAULTS } from '../../../lib/errors/classifier/error-classification.js';
import { RETRY_TABLE } from '../../../lib/errors/retry-table.js';
import type { ErrorCategory } from '../../../lib/kernel/classifier.js';
import { Retry } from '../../../lib/policies/retry/retry.js';
import { checkRetry } from '../../../lib/policies/retry/retry.options.js';
import { classified, failure, retryOf } from '../policies/retry/failed-attempts.js';

it('is itself a good `byCategory`', () => {
  expect(checkRetry('table', { byCategory: RETRY_TABLE })).toEqual([]);
});

it.each<[ErrorCategory, number[]]>([
  ['transient', [100, 200]],
  ['communication', [100, 200]],
  ['dependency', [100, 200]],
  ['timeout', [1_000, 2_000]],
  ['resource', [1_000, 2_000, 4_000, 8_000, 16_000]],
])('%s errors are retried after %p', (category, expected) => {
  const retry = retryOf({}, RETRY_TABLE);
  const delays: number[] = [];

  for (let attempts = 1; attempts <= 10; attempts += 1) {
    const verdict = retry.decide(failure({ attempts, as: classified(category) }));
    if (verdict.retry) delays.push(verdict.delay);
  }

  expect(delays).toEqual(expected);
});

it.each<[ErrorCategory, number]>([
  ['transient', 5_000],
  ['communication', 5_000],
  ['dependency', 5_000],
  ['timeout', 10_000],
  ['resource', 30_000],
])('%s errors wait at most %d ms, however many attempts are asked for', (category, most) => {
  const retry = retryOf({ maxAttempts: 100 }, RETRY_TABLE);

  const verdict = retry.decide(failure({ attempts: 50, as: classified(category) }));

  expect(verdict).toEqual({ retry: true, delay: most });
});

describe('the plans are those of seeds/002 2.1', () => {
  /** Retries, the first delay, the longest, growth. */
  it.each<[ErrorCategory, number, number, number, 'doubles' | 'adds']>([
    // the seed has 3 retries here; 3 attempts are DESIGN 4.3 and case 57
    ['transient', 2, 100, 5_000, 'doubles'],
    ['timeout', 2, 1_000, 10_000, 'adds'], // the seed names no longest delay
    ['resource', 5, 1_000, 30_000, 'doubles'],
    // DESIGN 5: as transient
    ['communication', 2, 100, 5_000, 'doubles'],
    ['dependency', 2, 100, 5_000, 'doubles'],
  ])('%s: %d retries from %d ms to %d ms', (category, retries, first, longest, growth) => {
    const as = classified(category);
    const delayAfter = (attempts: number, maxAttempts?: number): number | undefined => {
      const retry = retryOf(maxAttempts === undefined ? {} : { maxAttempts }, RETRY_TABLE);
      const verdict = retry.decide(failure({ attempts, as }));
      return verdict.retry ? verdict.delay : undefined;
    };

    expect([delayAfter(retries), delayAfter(retries + 1)]).toEqual([expect.any(Number), undefined]);
    expect([1, 2, 3].map((attempts) => delayAfter(attempts, 100))).toEqual(
      growth === 'doubles' ? [first, 2 * first, 4 * first] : [first, 2 * first, 3 * first],
    );
    expect(delayAfter(99, 100)).toBe(longest);
  });

  it.each<ErrorCategory>(['permanent', 'poison', 'validation'])('%s: none', (category) => {
    const { retryable, outcome, fallback } = CATEGORY_DEFAULTS[category];
    const as = { category, retryable, outcome, fallback };

    expect(retryOf({}, RETRY_TABLE).decide(failure({ attempts: 1, as }))).toEqual({
      retry: false,
      why: 'not-retryable',
    });
  });

  it('all delays have jitter unless the options say otherwise', () => {
    for (const category of ['transient', 'timeout', 'resource'] as const) {
      const retry = new Retry(
        {},
        () => 0.25,
        () => {},
        RETRY_TABLE,
      );
      const verdict = retry.decide(failure({ attempts: 1, as: classified(category) }));
      expect(verdict).toEqual({ retry: true, delay: category === 'transient' ? 25 : 250 });
    }
  });
});
