import type { Classification } from '../../../../lib/kernel/classifier.js';
import { Retry, type RetryTable } from '../../../../lib/policies/retry/retry.js';
import type { RetryOptions } from '../../../../lib/policies/retry/retry.options.js';
import { seededRandom } from '../../../../lib/testing/index.js';
import { classified, failure, mustNotAsk, reports, retryOf, yes } from './failed-attempts.js';

beforeEach(() => reports.splice(0));

const table: RetryTable = {
  timeout: { maxAttempts: 2, delay: 1_000, backoff: 'linear' },
  resource: { maxAttempts: 6, delay: 1_000, maxDelay: 3_000 },
};
const delays = (retry: Retry, as: Classification): unknown[] => {
  const verdicts = [1, 2, 3, 4, 5, 6].map((attempts) => retry.decide(failure({ as, attempts })));
  return verdicts.flatMap((v) => (v.retry ? [v.delay] : []));
};
const timeout = classified('timeout');
const resource = classified('resource');
const transient = classified('transient');

it('the table says how each category is retried', () => {
  const retry = retryOf({}, table);

  expect(delays(retry, timeout)).toEqual([1_000]);
  expect(delays(retry, resource)).toEqual([1_000, 2_000, 3_000, 3_000, 3_000]);
  expect(delays(retry, transient)).toEqual([100, 200]);
});

it('explicit options win over the table, one by one', () => {
  const retry = retryOf({ maxAttempts: 4, delay: 10 }, table);

  expect(delays(retry, timeout)).toEqual([10, 20, 30]);
  expect(delays(retry, resource)).toEqual([10, 20, 40]);
});

it('a multiplier of one’s own asks for the back-off that has one, whatever the table says', () => {
  const own = { maxAttempts: 4, multiplier: 3, jitter: 'none', maxDelay: 100_000 } as const;

  expect(delays(retryOf(own, table), timeout)).toEqual([1_000, 3_000, 9_000]);
  expect(delays(retryOf({ ...own, backoff: 'linear' }, table), timeout)).toEqual([
    1_000, 2_000, 3_000,
  ]);
});

it('an explicit undefined is not given', () => {
  const retry = retryOf({ delay: undefined, backoff: undefined, maxAttempts: undefined }, table);

  expect(delays(retry, timeout)).toEqual([1_000]);
  const within = { byCategory: { timeout: { delay: undefined } }, delay: 7 };
  expect(delays(retryOf(within, table), timeout)).toEqual([7]);
});

it('byCategory wins over both; what it leaves out comes from the options, then the table', () => {
  const retry = retryOf(
    { maxAttempts: 4, byCategory: { timeout: { backoff: 'constant' }, resource: { delay: 5 } } },
    table,
  );

  expect(delays(retry, timeout)).toEqual([1_000, 1_000, 1_000]);
  expect(delays(retry, resource)).toEqual([5, 10, 20]);
  expect(delays(retry, transient)).toEqual([100, 200, 400]);
});

it('byCategory false is a veto, also against retryOn', () => {
  const retry = retryOf({ retryOn: () => true, byCategory: { timeout: false } }, table);

  expect(delays(retry, timeout)).toEqual([]);
  expect(delays(retry, transient)).toEqual([100, 200]);
});

it('a plan makes a category retried that is not, unless retryOn says what is', () => {
  const poison = classified('poison', false);
  const byCategory = { poison: { maxAttempts: 2 } };

  expect(delays(retryOf({ byCategory }), poison)).toEqual([100]);
  expect(delays(retryOf({ byCategory, retryOn: 'EBUSY' }), poison)).toEqual([]);
  expect(delays(retryOf({}), poison)).toEqual([]);
});

it('#69 a plan for a category does not revive cancelled or rejected calls', () => {
  const retry = retryOf({ byCategory: { transient: {}, validation: {} } });

  expect(delays(retry, classified('transient', false, 'cancelled'))).toEqual([]);
  expect(delays(retry, classified('transient', false, 'rejected'))).toEqual([]);
  expect(delays(retry, classified('validation', false, 'ignored'))).toEqual([100, 200]);
});

it('an explicit delay lifts a cap that was not given, an explicit cap holds', () => {
  expect(delays(retryOf({ delay: 5_000 }, table), resource).slice(0, 2)).toEqual([5_000, 5_000]);
  expect(delays(retryOf({ maxDelay: 500 }, table), resource)[0]).toBe(500);
  expect(delays(retryOf({ delay: 60_000 }), transient)).toEqual([60_000, 60_000]);
});

it('an explicit multiplier asks for the exponential back-off', () => {
  const retry = retryOf({ multiplier: 3, maxAttempts: 4 }, table);

  expect(delays(retry, timeout)).toEqual([1_000, 3_000, 9_000]);
  const constant = retryOf({ multiplier: 3, backoff: 'constant', maxAttempts: 3 }, table);
  expect(delays(constant, timeout)).toEqual([1_000, 1_000]);
});

it('jitter is full by default, but a function means what it says', () => {
  const once = (options: RetryOptions): unknown[] => {
    const retry = new Retry({ maxAttempts: 2, ...options }, () => 0, mustNotAsk);
    return delays(retry, transient);
  };

  expect(once({})).toEqual([0]);
  expect(once({ backoff: () => 50 })).toEqual([50]);
  expect(once({ backoff: () => 50, jitter: 'full' })).toEqual([0]);
});

it('a function hears of the error, and its mistakes are reported', () => {
  const error = new Error('x');
  let heard: unknown;
  const retry = retryOf({ backoff: (attempt, e) => ((heard = [attempt, e]), Number.NaN) });

  expect(retry.decide(failure({ error, attempts: 2 }))).toEqual(yes(100));
  expect(heard).toEqual([2, error]);
  expect(reports).toEqual(['backoff']);
});

it('decorrelated jitter grows from the delay before', () => {
  const retry = new Retry({ jitter: 'decorrelated' }, () => 0.999_999, mustNotAsk);

  expect(retry.decide(failure({ previousDelay: 0 }))).toEqual(yes(300));
  expect(retry.decide(failure({ previousDelay: 500 }))).toEqual(yes(1_500));
  expect(retry.afterResult(1, 500)).toEqual(yes(1_500));
});

it('two retries share no dice but the ones they were given', () => {
  const run = (seed: number): unknown[] => {
    const retry = new Retry({ maxAttempts: 6 }, seededRandom(seed), mustNotAsk);
    return delays(retry, transient);
  };

  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
});
