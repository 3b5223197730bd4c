import { jest } from '@jest/globals';
import { defaultClassifier } from '../../../lib/errors/default-classifier.js';
import { hours, MAX_TIMER } from '../../../lib/kernel/duration.js';
import { runObservable } from '../../../lib/pipeline/observable-face.js';
import { runPromise } from '../../../lib/pipeline/promise-face.js';
import { ResilienceRuntime } from '../../../lib/pipeline/runtime.js';
import { systemClock } from '../../../lib/pipeline/system-clock.js';
import { seededRandom } from '../../../lib/testing/index.js';

const days = (n: number): number => hours(24 * n);
const runtimeOf = (): ResilienceRuntime =>
  new ResilienceRuntime({
    clock: systemClock,
    random: seededRandom(1),
    classifier: defaultClassifier,
    report: () => {},
  });

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

it('#47 a task 30 days away has not run at day 24.8, and runs at day 30', async () => {
  let ran = 0;
  const timers = jest.spyOn(globalThis, 'setTimeout');
  systemClock.schedule(() => (ran += 1), days(30));

  await jest.advanceTimersByTimeAsync(days(24.9));
  expect(ran).toBe(0);
  await jest.advanceTimersByTimeAsync(days(30) - days(24.9) - 1);
  expect(ran).toBe(0);
  await jest.advanceTimersByTimeAsync(1);

  expect(ran).toBe(1);
  expect(jest.getTimerCount()).toBe(0);
  // Node fires a longer one at once, with a TimeoutOverflowWarning
  for (const [, delay] of timers.mock.calls) expect(delay).toBeLessThanOrEqual(MAX_TIMER);
  timers.mockRestore();
});

it.each([20, days(30)])(
  'a task runs after %d ms where a test has put a setTimeout in place that passes no arguments on',
  async (delay) => {
    let ran = 0;
    const { setTimeout } = globalThis;
    const timers = jest
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation(((task: () => void, ms: number) =>
        setTimeout(() => task(), ms)) as typeof setTimeout);
    systemClock.schedule(() => (ran += 1), delay);

    await jest.advanceTimersByTimeAsync(delay);

    expect(ran).toBe(1);
    timers.mockRestore();
  },
);

it.each([1, 25, 29.999])('a task 30 days away is cancelled on day %d, for good', async (day) => {
  let ran = 0;
  const cancel = systemClock.schedule(() => (ran += 1), days(30));
  await jest.advanceTimersByTimeAsync(days(day));

  cancel();
  cancel();

  expect(jest.getTimerCount()).toBe(0);
  await jest.advanceTimersByTimeAsync(days(60));
  expect(ran).toBe(0);
});

it.each(['promise', 'observable'])(
  '#47 #96 a retry that waits for 30 days is made on day 30: %s face',
  async (face) => {
    const target = runtimeOf().register('A', {
      retry: { delay: days(30), maxDelay: days(30), jitter: 'none', maxAttempts: 2 },
    });
    let executions = 0;
    const method = (): Promise<string> => {
      executions += 1;
      return executions === 1 ? Promise.reject(new Error('down')) : Promise.resolve('up');
    };
    const ended: unknown[] = [];
    if (face === 'promise')
      void runPromise(target, method, undefined, []).then((v) => ended.push(v));
    else runObservable(target, method, undefined, []).subscribe((v) => ended.push(v));

    await jest.advanceTimersByTimeAsync(days(30) - 1);
    expect([executions, ended]).toEqual([1, []]);
    await jest.advanceTimersByTimeAsync(1);

    expect([executions, ended]).toEqual([2, ['up']]);
    expect(jest.getTimerCount()).toBe(0);
  },
);

it('#96 a time limit passes with the fake clock, and an answer in the very moment wins', async () => {
  const target = runtimeOf().register('A', { timeLimit: 100 });
  const hung = runPromise(target, () => new Promise(() => {}), undefined, []);
  const tied = runPromise(
    target,
    // oxlint-disable-next-line no-restricted-globals -- the fake one
    () => new Promise((resolve) => setTimeout(() => resolve('in time'), 100)),
    undefined,
    [],
  );
  const failed = expect(hung).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });

  await jest.advanceTimersByTimeAsync(110);

  await failed;
  await expect(tied).resolves.toBe('in time');
  expect(jest.getTimerCount()).toBe(0);
});

it('#32 the wall clock moves nothing that is scheduled', async () => {
  let ran = 0;
  systemClock.schedule(() => (ran += 1), 1_000);

  jest.setSystemTime(Date.now() + days(1));
  await jest.advanceTimersByTimeAsync(999);
  expect(ran).toBe(0);
  jest.setSystemTime(0);
  await jest.advanceTimersByTimeAsync(1);

  expect(ran).toBe(1);
});

it('a task that is due already runs soon, and not at once', async () => {
  const order: string[] = [];
  systemClock.schedule(() => order.push('task'), 0);
  order.push('after');

  await jest.advanceTimersByTimeAsync(1);

  expect(order).toEqual(['after', 'task']);
});
