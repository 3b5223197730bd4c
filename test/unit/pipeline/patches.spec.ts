import { settle } from '../../../lib/testing/index.js';
import { breakerOf, World } from './world.js';

describe('a patch', () => {
  it('changes what it names and keeps state, counts, window, listeners and all else', async () => {
    const world = new World();
    const target = world.target('A', {
      circuitBreaker: { failureThreshold: 5, openFor: 1_000, openJitter: 0 },
      bulkhead: { maxConcurrent: 7 },
      retry: { maxAttempts: 1 },
    });
    const { breaker, bulkhead } = target.pipeline;
    await world.fail(target, 3);

    expect(world.runtime.reconfigure('A', { circuitBreaker: { openFor: 9_000 } })).toBe(2);

    expect(target.pipeline.breaker!.policy).toBe(breaker!.policy);
    expect(target.pipeline.bulkhead!.policy).toBe(bulkhead!.policy);
    expect(breakerOf(world).snapshot()).toMatchObject({ consecutiveFailures: 3, version: 2 });
    expect(target.policies).toEqual({
      circuitBreaker: { failureThreshold: 5, openFor: 9_000, openJitter: 0 },
      bulkhead: { maxConcurrent: 7 },
      retry: { maxAttempts: 1 },
    });
    await world.fail(target, 2);
    expect(breakerOf(world).snapshot()).toMatchObject({ state: 'open', retryAfter: 9_000 });
    expect(world.events.map(({ type }) => type)).toContain('circuit-state-changed');
  });

  it('is told, once for each target, and the version grows by one', async () => {
    const world = new World();
    const target = world.target('A', { retry: {}, timeLimit: 5 });

    expect(target.version).toBe(1);
    expect(world.runtime.reconfigure('A', { retry: { delay: 1 }, timeLimit: 6 })).toBe(2);
    expect(world.runtime.reconfigure('A', { timeLimit: 7 })).toBe(3);
    await settle();

    expect(world.changed()).toMatchObject([
      { target: 'A', version: 2, policies: ['retry', 'timeLimit'], severity: 'info' },
      { target: 'A', version: 3, policies: ['timeLimit'] },
    ]);
  });

  it('of one policy is no change of another', () => {
    const world = new World();
    world.target('A', { circuitBreaker: {}, bulkhead: {}, timeLimit: 5 });
    world.runtime.reconfigure('A', { timeLimit: 6, bulkhead: { maxQueue: 1 } });

    expect(breakerOf(world).snapshot().version).toBe(1);
    expect(world.runtime.registry.bulkheads.reader('A')!.snapshot().version).toBe(2);
  });

  it('for a handler with several interceptors goes to those that have the policy', () => {
    const world = new World();
    const { runtime } = world;
    const [retry, limit, again] = [{ retry: {} }, { timeLimit: 5 }, { retry: { delay: 1 } }].map(
      (policies) => runtime.registerBeside('A.handle', policies),
    );

    runtime.reconfigure('A.handle', { retry: { maxAttempts: 9 }, timeLimit: 8 });

    expect([retry, limit, again].map((target) => [target!.policies, target!.version])).toEqual([
      [{ retry: { maxAttempts: 9 } }, 2],
      [{ timeLimit: { ms: 8 } }, 2],
      [{ retry: { delay: 1, maxAttempts: 9 } }, 2],
    ]);
    runtime.reconfigure('A.handle', { bulkhead: {} });
    expect([retry, limit, again].map((target) => target!.policies.bulkhead)).toEqual([
      {},
      undefined,
      undefined,
    ]);
  });

  it('that names nothing changes nothing', async () => {
    const world = new World();
    const target = world.target('A', { retry: {} });
    const { pipeline } = target;

    expect(world.runtime.reconfigure('A', {})).toBe(1);
    expect(world.runtime.reconfigure('A', { retry: undefined })).toBe(1);
    await settle();

    expect(target.pipeline).toBe(pipeline);
    expect(world.changed()).toEqual([]);
  });

  it('keeps what the open state of a breaker is, and its trip', async () => {
    const world = new World();
    const target = world.target('A', { circuitBreaker: { failureThreshold: 2, openJitter: 0 } });
    await world.fail(target, 2);
    const { lastTrip } = breakerOf(world).snapshot();

    world.runtime.reconfigure('A', { circuitBreaker: { failureThreshold: 100 } });

    expect(breakerOf(world).snapshot()).toMatchObject({ state: 'open', lastTrip });
  });

  it('tunes a rule without touching what stands beside it, and replaces it by another rule', () => {
    const world = new World();
    const target = world.target('A', {
      circuitBreaker: { failureThreshold: 5, window: 10_000, slowCallDuration: 100, openFor: 7 },
    });

    world.runtime.reconfigure('A', { circuitBreaker: { failureThreshold: 9 } });
    expect(target.policies.circuitBreaker).toEqual({
      failureThreshold: 9,
      window: 10_000,
      slowCallDuration: 100,
      openFor: 7,
    });

    world.runtime.reconfigure('A', { circuitBreaker: { failureRate: 0.5, minimumCalls: 2 } });
    expect(target.policies.circuitBreaker).toEqual({
      failureRate: 0.5,
      minimumCalls: 2,
      window: 10_000, // the rule for slow calls has it too
      slowCallDuration: 100,
      openFor: 7,
    });
  });

  it('of a time limit by number keeps what else was said of it', () => {
    const world = new World();
    const target = world.target('A', { timeLimit: { ms: 5, idle: 50 } });

    world.runtime.reconfigure('A', { timeLimit: 8 });

    expect(target.policies.timeLimit).toEqual({ ms: 8, idle: 50 });
    expect(target.pipeline.limitFor(1, [])).toBe(8);
    expect(target.pipeline.idle).toBe(50);
  });

  it('reaches every breaker of a keyed policy, and those that come later', async () => {
    const world = new World();
    const target = world.target('A', {
      circuitBreaker: { failureThreshold: 9, key: (k: string) => k, openJitter: 0 },
    });
    await world.fail(target, 2, 'x');

    world.runtime.reconfigure('A', { circuitBreaker: { failureThreshold: 3 } });
    await world.fail(target, 1, 'x');
    await world.fail(target, 3, 'y');

    const keys = world.runtime.registry.breakers.keyedReader('A')!;
    expect(keys.list().map(([key, { state }]) => [key, state])).toEqual([
      ['x', 'open'],
      ['y', 'open'],
    ]);
  });

  it('gives a keyed policy other limits for its keys', async () => {
    const world = new World();
    const target = world.target('A', { bulkhead: { key: (k: string) => k, maxKeys: 10 } });
    for (const key of 'abcdef') await world.call(target, () => Promise.resolve(), key);

    world.runtime.reconfigure('A', { bulkhead: { maxKeys: 2 } });
    await world.call(target, () => Promise.resolve(), 'g');

    expect(world.runtime.registry.bulkheads.keyedReader('A')!.size).toBe(2);
  });

  it('of the time limit widens the lease of probes, keyed ones too', async () => {
    for (const key of [undefined, (k: string) => k]) {
      const world = new World();
      const target = world.target('A', {
        circuitBreaker: { failureThreshold: 1, openFor: 1, openJitter: 0, ...(key && { key }) },
        timeLimit: 10,
      });
      await world.fail(target, 1, 'k');
      world.runtime.reconfigure('A', { timeLimit: 30_000 });
      await world.clock.advance(10);
      const { policy } = target.pipeline.laneOf(['k']).breaker!;
      for (let i = 0; i < 3; i += 1) policy.enter();

      expect(policy.retryAfter()).toBe(60_000);
    }
  });

  it('of the breaker alone keeps the lease that the time limit needs', async () => {
    const world = new World();
    const target = world.target('A', {
      circuitBreaker: { failureThreshold: 1, openFor: 1, openJitter: 0 },
      timeLimit: 30_000,
    });
    world.runtime.reconfigure('A', { circuitBreaker: { openFor: 2 } });
    await world.fail(target, 1);
    await world.clock.advance(10);
    const { policy } = target.pipeline.breaker!;
    for (let i = 0; i < 3; i += 1) policy.enter();

    expect(policy.retryAfter()).toBe(60_000);
  });

  it('of the retry budget holds for retries from now on', () => {
    const world = new World();
    const target = world.target('A', { retry: { budget: { minimum: 1, ratio: 0 } } });
    const { budget } = target.pipeline;
    budget!.callStarted();
    expect([budget!.tryRetry(), budget!.tryRetry()]).toEqual([true, false]);

    world.runtime.reconfigure('A', { retry: { budget: { minimum: 2, ratio: 0 } } });

    expect(target.pipeline.budget).toBe(budget);
    expect([budget!.tryRetry(), budget!.tryRetry()]).toEqual([true, false]);
  });

  it('of the retry budget, and the budget itself, take undefined for not given', () => {
    const world = new World();
    const target = world.target('A', { retry: { budget: { minimum: 1, ratio: undefined } } });
    const { budget } = target.pipeline;
    const leaves = (): number => {
      let n = 0;
      while (n < 10 && budget!.tryRetry()) n += 1;
      return n;
    };
    expect(leaves()).toBe(1);

    world.runtime.reconfigure('A', { retry: { budget: { minimum: undefined, ratio: 0 } } });

    expect(leaves()).toBe(2); // 3 by default, one of them runs
  });

  it('keeps the counters of the target, and the answers of a fallback’s cache', async () => {
    const world = new World();
    const target = world.target('A', {
      fallback: { cache: { ttl: 60_000, key: () => 'one' } },
      timeLimit: 100,
    });
    await world.call(target, () => Promise.resolve('good'));
    const { counters } = target.pipeline;

    world.runtime.reconfigure('A', { timeLimit: 200, retry: { maxAttempts: 1 } });
    world.runtime.setEnabled(false);
    world.runtime.setEnabled(true);

    expect(await world.call(target, () => Promise.reject(new Error('down')))).toBe('good');
    expect(target.pipeline.counters).toBe(counters);
    expect(counters.degraded).toBe(1);
  });

  it('of the fallback itself starts with an empty cache', async () => {
    const world = new World();
    const cache = { ttl: 60_000, key: () => 'one' };
    const target = world.target('A', { fallback: { cache } });
    await world.call(target, () => Promise.resolve('good'));

    world.runtime.reconfigure('A', { fallback: { cache: { ...cache, ttl: 1_000 } } });

    expect(await world.call(target, () => Promise.reject(new Error('down')))).toBeInstanceOf(Error);
  });
});
