import { RetryBudget } from '../../../../lib/policies/retry/retry-budget.js';
import { Retry } from '../../../../lib/policies/retry/retry.js';
import { FakeClock, seededRandom } from '../../../../lib/testing/index.js';
import { failure, mustNotAsk } from './failed-attempts.js';

const withCalls = (calls: number, ratio = 0.2, minimum = 3): RetryBudget => {
  const budget = new RetryBudget(ratio, minimum);
  for (let i = 0; i < calls; i += 1) budget.callStarted();
  return budget;
};
const granted = (budget: RetryBudget): number => {
  let n = 0;
  while (budget.tryRetry()) n += 1;
  return n;
};

it.each([
  [0, 0.2, 3, 3],
  [15, 0.2, 3, 3],
  [19, 0.2, 3, 3],
  [20, 0.2, 3, 4],
  [24, 0.2, 3, 4],
  [1_000, 0.2, 3, 200],
  [100, 0.29, 0, 29], // 28.999999999999996 in binary
  [100, 0.07, 0, 7], // 7.000000000000001
  [4, 0.2, 0, 0],
  [5, 0.2, 0, 1],
  [10, 1, 0, 10],
  [10, 0, 2, 2],
])('%d calls, ratio %d, minimum %d: %d retries at once', (calls, ratio, minimum, expected) => {
  expect(granted(withCalls(calls, ratio, minimum))).toBe(expected);
});

it('other limits hold from now on, and retries that run have their leave', () => {
  const budget = withCalls(100);
  expect(granted(budget)).toBe(20);
  budget.reconfigure(0.1, 5);
  expect([granted(budget), budget.retries]).toEqual([0, 20]);
  budget.reconfigure(0.1, 30);

  expect(granted(budget)).toBe(10);
});

it('a retry that ended makes room for one', () => {
  const budget = withCalls(1);
  granted(budget);

  budget.retryEnded();

  expect(granted(budget)).toBe(1);
});

it('calls that end take their share with them', () => {
  const budget = withCalls(100);
  expect(granted(budget)).toBe(20);

  for (let i = 0; i < 100; i += 1) budget.callEnded();
  for (let i = 0; i < 17; i += 1) budget.retryEnded();
  expect(granted(budget)).toBe(0); // three are still running
  budget.retryEnded();

  expect(granted(budget)).toBe(1);
});

it('an end too many does not make the budget larger or smaller', () => {
  const budget = new RetryBudget(1, 0);
  budget.callEnded();
  budget.retryEnded();
  expect([budget.calls, budget.retries]).toEqual([0, 0]);

  budget.callStarted();

  expect(granted(budget)).toBe(1);
});

/** Callers with a dependency that fails each of them after 10 ms. */
async function storm(
  arrivals: number[],
  budget: RetryBudget | undefined,
  seed: number,
): Promise<{ executions: number; mostRetries: number; mostRatio: number }> {
  const clock = new FakeClock();
  const retry = new Retry({}, seededRandom(seed), mustNotAsk);
  const seen = { executions: 0, mostRetries: 0, mostRatio: 0 };
  const attempt = (attempts: number, previousDelay: number): void => {
    seen.executions += 1;
    clock.schedule(() => {
      if (attempts > 1) budget?.retryEnded();
      const verdict = retry.decide(failure({ attempts, previousDelay }));
      if (!verdict.retry || budget?.tryRetry() === false) {
        budget?.callEnded();
        return;
      }
      if (budget !== undefined && budget.retries > 3) {
        seen.mostRetries = Math.max(seen.mostRetries, budget.retries);
        seen.mostRatio = Math.max(seen.mostRatio, budget.retries / budget.calls);
      }
      clock.schedule(() => attempt(attempts + 1, verdict.delay), verdict.delay);
    }, 10);
  };
  for (const at of arrivals) {
    clock.schedule(() => {
      budget?.callStarted();
      attempt(1, 0);
    }, at);
  }
  await clock.advance(60_000);
  expect(clock.pending).toBe(0);
  return seen;
}

const allAtOnce = Array.from({ length: 1_000 }, () => 0);
const inOneSecond = Array.from({ length: 1_000 }, (_, i) => i);

it.each([
  ['all at once', allAtOnce, 1_400],
  ['within one second', inOneSecond, 1_110],
])(
  '#51 the budget stops a storm: 1,000 callers that all fail, %s, execute at most %3$d times instead of 3,000',
  async (_name, arrivals, most) => {
    for (const seed of [1, 2, 3]) {
      const budget = new RetryBudget(0.2, 3);

      const { executions, mostRetries, mostRatio } = await storm(arrivals, budget, seed);

      expect(executions).toBeGreaterThan(1_000); // the budget lets some through
      expect(executions).toBeLessThanOrEqual(most);
      expect(mostRatio).toBeLessThanOrEqual(0.2);
      expect(mostRetries).toBeLessThanOrEqual(200);
      // and afterwards it is all there again
      expect([budget.calls, budget.retries, granted(budget)]).toEqual([0, 0, 3]);
    }
  },
);

it('#51 without a budget the same storm is three times as large', async () => {
  expect((await storm(allAtOnce, undefined, 1)).executions).toBe(3_000);
});
