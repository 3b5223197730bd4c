import type { FailedAttempt } from '../../../lib/errors/error-observer.js';
import { figuresOf } from '../../../lib/pipeline/statistics/report.js';
import { Latency } from '../../../lib/pipeline/statistics/latency.js';
import { CommitUnknownError } from '../../../lib/checkpoint/transaction/checkpoint-rejections.js';
import { World } from './world.js';

const down = (): Promise<unknown> => Promise.reject(new Error('down'));
const fine = (): Promise<unknown> => Promise.resolve('fine');

function failing(times: number): () => Promise<unknown> {
  let left = times;
  return () => ((left -= 1) >= 0 ? down() : fine());
}

describe('what calls have come to', () => {
  let world: World;
  let heard: FailedAttempt[];
  beforeEach(() => {
    world = new World({ sample: 1 });
    heard = [];
    world.runtime.env.errors = { failed: (attempt) => heard.push(attempt) };
  });
  const figures = (name: string) => figuresOf([world.runtime.pipeline(name)!.counters]);

  test('without a call nothing has failed', () => {
    world.target('A', {});
    expect(figures('A')).toMatchObject({
      calls: 0,
      successRate: 1,
      degradedShare: 0,
      recoverySuccessRate: 1,
      averageRecoveryTime: 0,
    });
  });

  test('answers, errors, and calls that were saved by another attempt', async () => {
    const target = world.target('A', { retry: { delay: 100, jitter: 'none' } });
    await world.call(target, fine);
    const saved = world.call(target, failing(1));
    await world.clock.advance(100);
    await saved;
    const lost = world.call(target, failing(9));
    await world.clock.advance(10_000);
    await lost;
    expect(figures('A')).toMatchObject({
      calls: 3,
      succeeded: 2,
      failed: 1,
      retries: 3,
      recoveries: 2,
      recoverySuccessRate: 0.5,
      averageRecoveryTime: 100,
      successRate: 2 / 3,
    });
    expect(heard.map(({ attempt }) => attempt)).toEqual([1, 1, 2, 3]);
    expect(heard[0]).toMatchObject({ target: 'A', classification: { category: 'transient' } });
  });

  test('a fallback saves a call, and is a degraded answer', async () => {
    const target = world.target('A', { fallback: { value: 0 } });
    await world.call(target, fine);
    await world.call(target, down);
    expect(figures('A')).toMatchObject({
      calls: 2,
      succeeded: 1,
      degraded: 1,
      degradedShare: 0.5,
      recoverySuccessRate: 1,
    });
  });

  test('a refusal is neither a failed attempt nor a failure of the method', async () => {
    const target = world.target('A', { circuitBreaker: { name: 'db', failureThreshold: 1 } });
    await world.call(target, down);
    await world.call(target, fine);
    expect(figures('A')).toMatchObject({ calls: 2, failed: 1, rejected: 1, recoveries: 1 });
    expect(heard).toMatchObject([{ target: 'A', port: 'db', attempt: 1 }]);
  });

  test('a time limit is a failed attempt; a wait that was too long is a refusal', async () => {
    const target = world.target('A', { timeLimit: 50, bulkhead: { maxConcurrent: 1 } });
    const never = new Promise<unknown>(() => {});
    const both = [world.call(target, () => never), world.call(target, () => never)];
    await world.clock.advance(50);
    await Promise.all(both);
    expect(figures('A')).toMatchObject({ calls: 2, failed: 1, rejected: 1 });
    expect(heard).toHaveLength(1);
  });

  test('a cancelled call is no failure', async () => {
    const target = world.target('A', {});
    await world.call(target, () =>
      Promise.reject(new DOMException('the caller left', 'AbortError')),
    );
    expect(figures('A')).toMatchObject({ calls: 1, failed: 0, cancelled: 1, successRate: 1 });
    expect(heard).toEqual([]);
  });

  test('a call of which nobody knows whether it was kept has failed', async () => {
    const target = world.target('A', {});
    await world.call(target, () => Promise.reject(new CommitUnknownError('A', new Error('EIO'))));
    expect(figures('A')).toMatchObject({ failed: 1, rejected: 0 });
    expect(heard).toMatchObject([{ target: 'A' }]);
  });

  test('counts go on when policies change', async () => {
    const target = world.target('A', { retry: {} });
    await world.call(target, fine);
    world.runtime.reconfigure('A', { retry: { maxAttempts: 5 } });
    await world.call(target, fine);
    expect(figures('A')).toMatchObject({ calls: 2, succeeded: 2 });
  });

  test('how long calls took, waits included', async () => {
    const target = world.target('A', { timeLimit: 10_000 });
    for (const took of [10, 20, 400]) {
      const call = world.call(
        target,
        () => new Promise((resolve) => world.clock.schedule(() => resolve(1), took)),
      );
      await world.clock.advance(took);
      await call;
    }
    const { timed, p50, max } = world.runtime.pipeline('A')!.counters.latency.report()!;
    expect({ timed, p50 }).toEqual({ timed: 3, p50: 20 });
    expect(max).toBeGreaterThanOrEqual(400);
    expect(max).toBeLessThan(405);
  });

  test('what is ours of a call that met nobody', async () => {
    const target = world.target('A', { circuitBreaker: {} });
    await world.call(target, fine);
    expect(world.runtime.pipeline('A')!.counters.latency.report()).toMatchObject({
      timed: 1,
      overhead: 0,
    });
  });
});

describe('which calls are timed', () => {
  test.each([1, 2, 16])('one of %i, whatever the pattern of the traffic', (sample) => {
    const latency = new Latency(sample);
    const due = Array.from({ length: 16_000 }, () => latency.due());
    const hits = due.filter(Boolean).length;
    expect(hits * sample).toBeGreaterThan(15_000);
    expect(hits * sample).toBeLessThan(17_000);
    const even = due.filter((hit, i) => hit && i % 2 === 0).length;
    expect(even / hits).toBeGreaterThan(0.4);
    expect(even / hits).toBeLessThan(0.6);
  });

  test('none', () => {
    const latency = new Latency(0);
    expect(Array.from({ length: 100 }, () => latency.due())).not.toContain(true);
    expect(latency.report()).toBeUndefined();
  });
});
