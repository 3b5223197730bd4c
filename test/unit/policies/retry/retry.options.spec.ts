import { checkRetry, type RetryOptions } from '../../../../lib/policies/retry/retry.options.js';

const problems = (options: unknown): string[] =>
  checkRetry('X @Retry', options as RetryOptions).map(({ at, problem }) => `${at}: ${problem}`);

it.each<RetryOptions>([
  {},
  { maxAttempts: 1, delay: 0, maxDelay: 0, multiplier: 1, jitter: 0 },
  { backoff: 'fibonacci', jitter: 'equal', maxRetryAfter: 0, respectRetryAfter: false },
  { backoff: (attempt, error) => (error instanceof TypeError ? 0 : attempt), jitter: 1 },
  { jitter: 'decorrelated', backoff: 'exponential' },
  { budget: false },
  { budget: {} },
  { budget: { ratio: 0, minimum: 1 } },
  { budget: { ratio: 1, minimum: 0 } },
  { budget: { ratio: undefined, minimum: undefined }, byCategory: undefined },
  { retryOnResult: (value) => value === null, beforeRetry: async () => {} },
  { retryNested: true, retryAfterEmit: true, propagateDeadline: true, cloneArgs: true },
  { delay: 100, totalTimeout: 101 },
  { totalTimeout: 5 },
  { delay: 5 },
  { delay: 5, maxDelay: 5 },
  { jitter: 'decorrelated' },
  { backoff: 'linear', jitter: 'full' },
  { backoff: 'constant', jitter: 'none' },
  { byCategory: {} },
  { byCategory: { timeout: false, resource: {}, transient: undefined } },
  { byCategory: { timeout: { maxAttempts: 2, backoff: () => 5, jitter: 0.5 } } },
  { delay: 500, byCategory: { timeout: { delay: 50, maxDelay: 100 } } },
])('#18 accepts %o', (options) => {
  expect(problems(options)).toEqual([]);
});

it.each<[unknown, string, string]>([
  [{ maxAttempts: 0 }, 'maxAttempts', 'got 0, expected a whole number from 1'],
  [{ maxAttempts: -1 }, 'maxAttempts', 'got -1'],
  [{ delay: Number.NaN }, 'delay', 'got NaN'],
  [{ delay: 2 ** 31 }, 'delay', 'got 2147483648'],
  [{ backoff: 'quadratic' }, 'backoff', "'fibonacci', or a function"],
  [{ multiplier: 0 }, 'multiplier', 'got 0'],
  [{ jitter: 1.1 }, 'jitter', 'or a number from 0 to 1'],
  [{ jitter: true }, 'jitter', "'full' or 'equal' or 'decorrelated' or 'none'"],
  [{ jitter: -0.1 }, 'jitter', 'got -0.1'],
  [{ totalTimeout: 0 }, 'totalTimeout', 'got 0'],
  [{ maxRetryAfter: -1 }, 'maxRetryAfter', 'got -1'],
  [{ maxRetryAfter: Number.POSITIVE_INFINITY }, 'maxRetryAfter', 'got Infinity'],
  [{ respectRetryAfter: 'yes' }, 'respectRetryAfter', 'expected true or false'],
  [{ propagateDeadline: 1 }, 'propagateDeadline', 'expected true or false'],
  [{ retryNested: 'no' }, 'retryNested', 'expected true or false'],
  [{ retryAfterEmit: 0 }, 'retryAfterEmit', 'expected true or false'],
  [{ cloneArgs: null }, 'cloneArgs', 'expected true or false'],
  [{ retryOnResult: true }, 'retryOnResult', 'expected a function'],
  [{ beforeRetry: 'log' }, 'beforeRetry', 'expected a function'],
  [{ budget: true }, 'budget', 'expected { ratio, minimum } or false'],
  [{ budget: 0.2 }, 'budget', 'got 0.2'],
  [{ budget: { ratio: 20 } }, 'budget ratio', 'got 20, expected a number from 0 to 1'],
  [{ budget: { minimum: 0.5 } }, 'budget minimum', 'got 0.5'],
  [{ budget: { percent: 20 } }, 'budget percent', 'unknown option; known are ratio, minimum'],
  [{ budget: { ratio: 0, minimum: 0, x: 1 } }, 'budget x', 'unknown option'],
  [{ budget: { ratio: 0, minimum: 0 } }, 'budget', 'expected one of them above 0'],
  [{ byCategory: false }, 'byCategory', 'got false, expected plans by category'],
  [{ byCategory: { timeouts: {} } }, 'byCategory timeouts', 'unknown option; known are transient'],
  [{ byCategory: { timeout: true } }, 'byCategory timeout', 'expected a plan or false'],
  [{ byCategory: { timeout: null } }, 'byCategory timeout', 'got null'],
  [{ byCategory: { timeout: { delay: -1 } } }, 'byCategory timeout delay', 'got -1'],
  [{ byCategory: { timeout: { budget: {} } } }, 'byCategory timeout budget', 'unknown option'],
  [{ delay: 100, maxDelay: 50 }, 'maxDelay', 'got 50, expected at least delay, 100'],
  [{ delay: 100, totalTimeout: 100 }, 'totalTimeout', 'got 100, expected more than delay, 100'],
  [
    { jitter: 'decorrelated', backoff: 'linear' },
    'jitter',
    'expected no backoff beside it (got "linear")',
  ],
  [
    { maxDelay: 50, byCategory: { timeout: { delay: 100 } } },
    'byCategory timeout maxDelay',
    'got 50, expected at least delay, 100',
  ],
  [
    { backoff: () => 1, byCategory: { timeout: { jitter: 'decorrelated' } } },
    'byCategory timeout jitter',
    'expected no backoff beside it',
  ],
])('#18 %o is refused, naming %s', (options, option, part) => {
  const found = problems(options);

  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(`X @Retry ${option}: `);
  expect(found[0]).toContain(part);
});

it('#18 says every mistake at once', () => {
  const found = problems({
    delay: 100,
    maxDelay: 50,
    totalTimeout: 10,
    budget: { ratio: 2 },
    byCategory: { poison: 1 },
  });

  expect(found.map((line) => line.slice(0, line.indexOf(':')))).toEqual([
    'X @Retry maxDelay',
    'X @Retry totalTimeout',
    'X @Retry budget ratio',
    'X @Retry byCategory poison',
  ]);
});
