// The names of targets and policies, and what happens to the policies behind them.
import { ResilienceConfigError } from '../../../lib/kernel/check.js';
import { runPromise } from '../../../lib/pipeline/promise-face.js';
import { settle } from '../../../lib/testing/index.js';
import { breakerOf, World } from './world.js';

const key = (id: string): string => id;
const never = (): Promise<unknown> => new Promise(() => {});

function mistakesOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    if (error instanceof ResilienceConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

describe('a name', () => {
  it('that is taken, and one that nothing has, are named in the mistake', () => {
    const world = new World();
    world.target('A', { retry: {} });
    world.target('B', { retry: {} });

    expect(mistakesOf(() => world.target('A', { retry: {} }))).toEqual([
      { at: 'A', problem: 'this name is taken; give one of the two another name' },
    ]);
    expect(mistakesOf(() => world.runtime.reconfigure('C', { retry: {} }))).toEqual([
      { at: 'reconfigure "C"', problem: 'no such name; known are "A", "B"' },
    ]);
  });

  it('is numbered until it is free', () => {
    const { runtime } = new World();
    for (const name of ['A', 'A#2', 'A#3']) runtime.register(name, { retry: {} });

    expect(runtime.freeName('A')).toBe('A#4');
  });

  it('of a target beside others is numbered only for a second policy of a kind', () => {
    const { runtime } = new World();
    const names = [
      { circuitBreaker: {} },
      { bulkhead: {} },
      { retry: {} },
      { circuitBreaker: {} },
      { circuitBreaker: { name: 'shared' } },
      { circuitBreaker: { failureRate: 0.5 }, bulkhead: { maxConcurrent: 2 } },
    ].map((policies) => runtime.registerBeside('H', policies).name);

    expect(names).toEqual(['H', 'H', 'H', 'H#2', 'H', 'H#3']);
    expect(runtime.allTargets()).toHaveLength(6);
  });

  it('beside others is refused for mistakes in its policies, and nothing is left of it', () => {
    const { runtime } = new World();

    expect(mistakesOf(() => runtime.registerBeside('H', { circuitBreaker: 5 as never }))).toEqual([
      { at: 'H @CircuitBreaker', problem: 'got 5, expected an options object' },
    ]);
    expect(runtime.allTargets()).toEqual([]);
  });

  it('is in one list if its policy is one for all, in another if there is one per key', () => {
    const world = new World();
    world.target('A', { circuitBreaker: {}, bulkhead: { key }, rateLimit: { limit: 1 } });
    world.target('B', { circuitBreaker: { key }, bulkhead: {}, rateLimit: { limit: 1, key } });
    const { breakers, bulkheads, rateLimiters } = world.runtime.registry;

    const directories = [breakers, bulkheads, rateLimiters];
    expect(directories.map((directory) => directory.list().map(({ name }) => name))).toEqual([
      ['A'],
      ['B'],
      ['A'],
    ]);
    expect(directories.map((directory) => directory.keyedList().map(({ name }) => name))).toEqual([
      ['B'],
      ['A'],
      ['B'],
    ]);
    expect(breakers.control('A', 'k')).toBeUndefined();
    expect(breakers.control('B', 'k')).toBeUndefined();
    expect(breakers.control('B')).toBeUndefined();
  });

  it('cannot be shared by one policy for all and by one per key', () => {
    const { runtime } = new World();
    runtime.register('A', { rateLimit: { name: 'api', limit: 1 } });

    expect(
      mistakesOf(() => runtime.register('B', { rateLimit: { name: 'api', limit: 1, key } })),
    ).toEqual([{ at: 'rate limit "api"', problem: expect.stringMatching(/^shared with other/) }]);
    expect(
      mistakesOf(() => runtime.register('C', { rateLimit: { name: 'api', limit: 1 } })),
    ).toEqual([]);
  });
});

describe('the same options again', () => {
  it('change no policy: its version stays', () => {
    const world = new World();
    world.target('A', { circuitBreaker: { failureThreshold: 3 }, bulkhead: { maxConcurrent: 2 } });
    world.runtime.reconfigure('A', {
      circuitBreaker: { failureThreshold: 3 },
      bulkhead: { maxConcurrent: 2 },
    });
    expect(breakerOf(world).snapshot().version).toBe(1);
    world.runtime.reconfigure('A', { circuitBreaker: { failureThreshold: 4 } });

    expect(breakerOf(world).snapshot().version).toBe(2);
    expect(world.runtime.registry.bulkheads.reader('A')!.snapshot()).toMatchObject({ version: 1 });
  });

  it('a patch says nothing of what it leaves undefined', () => {
    const world = new World();
    const target = world.target('A', { circuitBreaker: {}, retry: { maxAttempts: 2 } });
    world.runtime.reconfigure('A', { retry: undefined, circuitBreaker: { openFor: 9_000 } });

    expect(target.policies.retry).toEqual({ maxAttempts: 2 });
    expect(target.policies.circuitBreaker).toEqual({ openFor: 9_000 });
  });

  it('a budget of retries has the limits of the last patch, and none by false', () => {
    const world = new World();
    const target = world.target('A', { retry: { budget: { ratio: 0, minimum: 1 } } });
    const { budget } = target.pipeline;
    expect([budget!.tryRetry(), budget!.tryRetry()]).toEqual([true, false]);
    world.runtime.reconfigure('A', { retry: { budget: { ratio: 0, minimum: 2 } } });
    expect(target.pipeline.budget).toBe(budget);
    expect([budget!.tryRetry(), budget!.tryRetry()]).toEqual([true, false]);
    world.runtime.reconfigure('A', { retry: { budget: false } });

    expect(target.pipeline.budget).toBeUndefined();
  });
});

describe('everything begins anew', () => {
  it('with every hand taken off', () => {
    const world = new World();
    world.target('A', { circuitBreaker: {} });
    const control = world.runtime.registry.breakers.control('A')!;
    control.isolate();
    control.isolate();
    control.disable();
    world.runtime.reset();

    expect(breakerOf(world).state).toBe('closed');
    expect(control.release()).toBe(false);
  });

  it('with breakers closed, by a reason that says so, of keys too', async () => {
    const world = new World();
    const options = { failureThreshold: 1 };
    await world.fail(world.target('A', { circuitBreaker: options }), 1);
    const keyed = world.target('B', { circuitBreaker: { ...options, key } });
    await world.fail(keyed, 1, 'k');
    world.runtime.reset();
    await settle();

    expect(world.events.slice(-2)).toMatchObject([
      { target: 'A', to: 'closed', reason: 'everything was reset' },
      { target: 'B', key: 'k', to: 'closed', reason: 'everything was reset' },
    ]);
  });
});

describe('of more keys than are kept', () => {
  it('the breaker that is open goes too, one that somebody holds does not', async () => {
    const world = new World();
    const target = world.target('A', { circuitBreaker: { failureThreshold: 1, key, maxKeys: 2 } });
    const { breakers } = world.runtime.registry;
    await world.fail(target, 1, 'open');
    await world.fail(target, 1, 'held');
    breakers.control('A', 'held')!.isolate();
    await world.call(target, () => Promise.resolve(), 'new');

    expect(breakers.control('A', 'open')).toBeUndefined();
    expect(breakers.control('A', 'held')).toBeDefined();
    expect(breakers.control('A', 'new')).toBeDefined();
  });

  it('a rate limit with nobody in its line goes, charged as it is; one with waiters does not', async () => {
    const world = new World();
    const rateLimit = { limit: 1, per: 60_000, maxWait: 600_000, key, maxKeys: 2 };
    const target = world.target('A', { rateLimit });
    const { rateLimiters } = world.runtime.registry;
    await world.call(target, () => Promise.resolve(), 'charged');
    await world.call(target, () => Promise.resolve(), 'waited for');
    void runPromise(target, never, undefined, ['waited for']).catch(() => {});
    await world.call(target, () => Promise.resolve(), 'new');

    const kept = rateLimiters
      .keyedReader('A')!
      .list()
      .map(([name]) => name);
    expect(kept).toEqual(['waited for', 'new']);
  });

  it('a bulkhead with a running call never goes', async () => {
    const world = new World();
    const target = world.target('A', { bulkhead: { key, maxKeys: 1 } });
    void runPromise(target, never, undefined, ['busy']).catch(() => {});
    await world.call(target, () => Promise.resolve(), 'new');
    await world.call(target, () => Promise.resolve(), 'newer');

    expect(world.runtime.registry.bulkheads.keyedReader('A')!.reader('busy')).toBeDefined();
  });
});
