import { backoffOf } from '../../../../lib/policies/retry/backoff.js';
import type { RetryOptions } from '../../../../lib/policies/retry/retry.options.js';
import { seededRandom } from '../../../../lib/testing/index.js';

const first = (count: number, options: RetryOptions, seed = 1): number[] => {
  const backoff = backoffOf(options, seededRandom(seed));
  return Array.from({ length: count }, (_, i) => backoff(i + 1));
};

it.each<[NonNullable<RetryOptions['backoff']>, number[]]>([
  ['exponential', [100, 200, 400, 800, 1_000, 1_000]],
  ['linear', [100, 200, 300, 400, 500, 600]],
  ['constant', [100, 100, 100, 100, 100, 100]],
])('%s grows as its name says, up to maxDelay', (backoff, delays) => {
  expect(first(6, { backoff, maxDelay: 1_000, jitter: 'none' })).toEqual(delays);
});

it('#46 never overflows to "now": 2,000 attempts, with and without jitter, a hundred seeds', () => {
  for (let seed = 0; seed < 100; seed += 1) {
    for (const jitter of ['none', 'full'] as const) {
      const delays = first(2_000, { delay: 1_000, multiplier: 10, maxDelay: 30_000, jitter }, seed);
      expect(delays.every((d) => Number.isInteger(d) && d >= 0 && d <= 30_000)).toBe(true);
      if (jitter === 'none') expect(delays.at(-1)).toBe(30_000);
    }
  }
});

it('#50 full jitter covers the whole range evenly, and the same seed repeats', () => {
  const options: RetryOptions = { delay: 1_000, backoff: 'constant', maxDelay: 1_000 };
  const delays = first(100_000, options, 7);

  expect(Math.min(...delays)).toBe(0);
  expect(Math.max(...delays)).toBe(1_000);
  expect(Math.abs(delays.reduce((a, b) => a + b) / delays.length - 500)).toBeLessThan(5);
  expect(first(100, options, 7)).toEqual(first(100, options, 7));
  expect(first(100, options, 7)).not.toEqual(first(100, options, 8));
});

it('a delay of zero stays zero however it grows', () => {
  expect(first(2_000, { delay: 0, multiplier: 10 }).every((d) => d === 0)).toBe(true);
});
