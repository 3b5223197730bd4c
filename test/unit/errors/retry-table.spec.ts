import { RETRY_TABLE } from '../../../lib/errors/retry-table.js';
import type { ErrorCategory } from '../../../lib/kernel/classifier.js';
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
