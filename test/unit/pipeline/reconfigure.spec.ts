import { defaultClassifier } from '../../../lib/errors/default-classifier.js';
import type { ResilienceEvent } from '../../../lib/kernel/event.js';
import { ResilienceConfigError } from '../../../lib/kernel/check.js';
import type { PolicyOverrides, PolicySet } from '../../../lib/pipeline/policy-set.js';
import { runPromise } from '../../../lib/pipeline/promise-face.js';
import { ResilienceRuntime, type RuntimeInit } from '../../../lib/pipeline/runtime.js';
import type { Target } from '../../../lib/pipeline/target.js';
import { FakeClock, seededRandom, settle } from '../../../lib/testing/index.js';

class World {
  readonly clock = new FakeClock();
  readonly events: ResilienceEvent[] = [];
  readonly runtime: ResilienceRuntime;

  constructor(init: Partial<RuntimeInit> = {}) {
    this.runtime = new ResilienceRuntime({
      clock: this.clock,
      random: seededRandom(1),
      classifier: defaultClassifier,
      report: () => {},
      ...init,
    });
    this.runtime.bus.listen((event) => this.events.push(event));
  }

  target(name: string, policies: PolicySet): Target {
    return this.runtime.register(name, policies);
  }

  async call(target: Target, work: () => Promise<unknown>, ...args: unknown[]): Promise<unknown> {
    const answer = runPromise(target, work, undefined, args).catch((error: unknown) => error);
    await settle();
    return answer;
  }

  async fail(target: Target, times: number, ...args: unknown[]): Promise<void> {
    for (let i = 0; i < times; i += 1)
      await this.call(target, () => Promise.reject(new Error('down')), ...args);
  }

  changed(): ResilienceEvent[] {
    return this.events.filter(({ type }) => type === 'policies-changed');
  }
}

const breakerOf = (world: World, name = 'A') => world.runtime.registry.breakers.reader(name)!;

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

describe('false, and a policy that was not there', () => {
  const full: Required<PolicySet> = {
    fallback: { value: 'instead' },
    retry: { maxAttempts: 2, delay: 1 },
    circuitBreaker: { failureThreshold: 1 },
    rateLimit: { limit: 1 },
    timeLimit: 5,
    bulkhead: { maxConcurrent: 1 },
  };
  const seen = ({ pipeline }: Target): Record<string, boolean> => ({
    fallback: pipeline.fallback !== undefined,
    retry: pipeline.retry !== undefined,
    circuitBreaker: pipeline.breaker !== undefined,
    rateLimit: pipeline.lane.rateLimit !== undefined,
    timeLimit: pipeline.timeLimited,
    bulkhead: pipeline.bulkhead !== undefined,
  });
  const kinds = Object.keys(full) as (keyof PolicySet)[];

  it.each(kinds)('takes out, and puts in, %s alone', (kind) => {
    const world = new World();
    const target = world.target('A', full);

    world.runtime.reconfigure('A', { [kind]: false });
    expect(seen(target)).toEqual(Object.fromEntries(kinds.map((k) => [k, k !== kind])));
    expect(target.policies[kind]).toBeUndefined();

    world.runtime.reconfigure('A', { [kind]: full[kind] });
    expect(seen(target)).toEqual(Object.fromEntries(kinds.map((k) => [k, true])));
    expect(target.version).toBe(3);
  });

  it.each(['circuitBreaker', 'rateLimit', 'bulkhead'] as const)(
    'forgets the state of %s, unless another uses it',
    (kind) => {
      const world = new World();
      const named = { [kind]: { ...full[kind], name: 'shared' } };
      world.target('A', named);
      const b = world.target('B', named);
      const { registry } = world.runtime;
      const directory = {
        circuitBreaker: registry.breakers,
        rateLimit: registry.rateLimiters,
        bulkhead: registry.bulkheads,
      }[kind];

      world.runtime.reconfigure('A', { [kind]: false });
      expect(directory.reader('shared')).toBeDefined();
      expect(b).toMatchObject({ version: 1, policies: named });

      world.runtime.reconfigure('B', { [kind]: false });
      expect(directory.list()).toEqual([]);
    },
  );

  it('brings the module’s defaults along with a policy that was not there', () => {
    const world = new World({ defaults: { retry: { maxAttempts: 7 }, bulkhead: { maxQueue: 1 } } });
    const target = world.target('A', { timeLimit: 5 });

    world.runtime.reconfigure('A', { retry: { delay: 1 } });

    expect(target.policies).toEqual({ timeLimit: { ms: 5 }, retry: { maxAttempts: 7, delay: 1 } });
  });

  it('joins a shared policy with the same options, and is refused with others', () => {
    const world = new World();
    const pay = { name: 'pay', openFor: 100 };
    const a = world.target('A', { circuitBreaker: pay });
    const b = world.target('B', { retry: {} });
    const c = world.target('C', { retry: {} });

    world.runtime.reconfigure('B', { circuitBreaker: pay });
    expect(b.pipeline.breaker!.policy).toBe(a.pipeline.breaker!.policy);

    const other = { circuitBreaker: { name: 'pay', openFor: 7 }, retry: { delay: 9 } };
    expect(() => world.runtime.reconfigure('C', other)).toThrow(/"pay": shared with other options/);
    expect(c).toMatchObject({ version: 1, policies: { retry: {} } });
    expect(breakerOf(world, 'pay').snapshot().version).toBe(1);
  });
});

describe('a policy shared by name', () => {
  it('changes for all who share it, each of whom keeps what is its own', async () => {
    const world = new World();
    const ignore = (): boolean => false;
    const circuitBreaker = { name: 'pay', failureThreshold: 5 };
    const a = world.target('A', { circuitBreaker, timeLimit: 5 });
    const b = world.target('B', { circuitBreaker: { ...circuitBreaker, ignore } });
    world.target('C', { circuitBreaker: { failureThreshold: 5 } });

    world.runtime.reconfigure('A', { circuitBreaker: { failureThreshold: 2 }, timeLimit: 9 });
    await settle();

    expect(b.policies).toEqual({ circuitBreaker: { name: 'pay', failureThreshold: 2, ignore } });
    expect([a.version, b.version, world.runtime.target('C')!.version]).toEqual([2, 2, 1]);
    expect(world.changed()).toMatchObject([
      { target: 'A', policies: ['circuitBreaker', 'timeLimit'] },
      { target: 'B', policies: ['circuitBreaker'] },
    ]);
    expect(breakerOf(world, 'pay').snapshot().version).toBe(2);
    await world.fail(b, 2);
    expect(breakerOf(world, 'pay').state).toBe('open');
  });

  it('leaves the others alone where the patch names only what is each method’s own', () => {
    const world = new World();
    const bulkhead = { name: 'pool', maxConcurrent: 1 };
    const circuitBreaker = { name: 'pay' };
    world.target('A', { circuitBreaker, bulkhead });
    const isFailure = (): boolean => true;
    const b = world.target('B', { circuitBreaker: { ...circuitBreaker, isFailure }, bulkhead });

    world.runtime.reconfigure('A', {
      circuitBreaker: { failOn: 'X', ignore: 'Y' },
      bulkhead: { priority: () => 1 },
    });

    expect(b).toMatchObject({
      version: 1,
      policies: { circuitBreaker: { name: 'pay', isFailure } },
    });
    expect(b.policies.bulkhead).toEqual(bulkhead);
  });

  it('with keys leaves each method its own key function', () => {
    const world = new World();
    const keyA = (k: string): string => k;
    const keyB = (_: unknown, k: string): string => k;
    const a = world.target('A', { rateLimit: { name: 'r', limit: 5, key: keyA } });
    const b = world.target('B', { rateLimit: { name: 'r', limit: 5, key: keyB } });

    world.runtime.reconfigure('A', { rateLimit: { limit: 7, key: keyA } });

    expect(a.policies.rateLimit).toEqual({ name: 'r', limit: 7, key: keyA });
    expect(b.policies.rateLimit).toEqual({ name: 'r', limit: 7, key: keyB });
  });

  it('is joined later by who declares what the others declared, or what it is now', async () => {
    const world = new World();
    const declared = { name: 'pay', failureThreshold: 9, openFor: 100 };
    world.target('A', { circuitBreaker: declared });
    world.runtime.reconfigure('A', { circuitBreaker: { failureThreshold: 2 } });

    const ignore = (): boolean => false;
    const late = world.target('B', { circuitBreaker: { ...declared, ignore } });
    const now = world.target('C', { circuitBreaker: { ...declared, failureThreshold: 2 } });

    expect(late.policies.circuitBreaker).toEqual({ ...declared, failureThreshold: 2, ignore });
    expect(() => world.target('D', { circuitBreaker: { ...declared, openFor: 5 } })).toThrow(
      /shared with other options/,
    );
    await world.fail(now, 1);
    await world.fail(late, 1);
    expect(breakerOf(world, 'pay').state).toBe('open');
  });
});

describe('a bad patch changes nothing', () => {
  const policies: PolicySet = {
    fallback: { value: 1 },
    retry: { delay: 1 },
    circuitBreaker: { openFor: 5, name: 'c' },
    rateLimit: { limit: 5, key: () => 'k' },
    timeLimit: 5,
    bulkhead: { maxConcurrent: 5 },
  };
  const bad: [what: string, patch: unknown, message: RegExp][] = [
    ['fallback', { fallback: { value: 1, method: 'x' } }, /A @Fallback/],
    ['retry', { retry: { delay: -1 } }, /A @Retry delay: got -1/],
    ['circuitBreaker', { circuitBreaker: { openFor: 0 } }, /A @CircuitBreaker openFor: got 0/],
    ['options against each other', { circuitBreaker: { maxOpenFor: 1 } }, /maxOpenFor: got 1/],
    ['rateLimit', { rateLimit: { limit: 0.5 } }, /A @RateLimit limit: got 0.5/],
    ['timeLimit', { timeLimit: Number.NaN }, /A @TimeLimit ms: got NaN/],
    ['bulkhead', { bulkhead: { maxConcurrent: '5' } }, /A @Bulkhead maxConcurrent: got "5"/],
    ['an unknown option', { retry: { dealy: 1 } }, /A @Retry dealy: unknown option/],
    ['an unknown policy', { retries: {} }, /"A" retries: unknown policy/],
    ['an unknown policy to be taken out', { bulkheads: false }, /"A" bulkheads: unknown policy/],
    ['options that are none', { retry: null }, /A @Retry: got null/],
    ['true', { retry: true }, /A @Retry: got true/],
    ['a list', [], /reconfigure "A": got an array of 0/],
    ['null', null, /reconfigure "A": got null/],
    [
      'another name',
      { circuitBreaker: { name: 'd' } },
      /circuitBreaker name: got "d", expected "c"/,
    ],
    ['a name where there was none', { bulkhead: { name: 'd' } }, /bulkhead name: got "d"/],
    ['another key', { rateLimit: { key: () => 'l' } }, /rateLimit key: got function key/],
    ['a key where there was none', { bulkhead: { key: () => 'l' } }, /bulkhead key/],
  ];

  it.each(bad)('%s', async (_what, patch, message) => {
    const world = new World();
    const target = world.target('A', policies);
    const before = { ...target };
    // a good part beside the bad one does not count either
    const both = isPlain(patch) ? { timeLimit: 99, ...patch } : patch;

    for (const each of [patch, both])
      expect(() => world.runtime.reconfigure('A', each as PolicyOverrides)).toThrow(message);
    await settle();

    expect({ ...target }).toEqual(before);
    expect(target.pipeline).toBe(before.pipeline);
    expect(breakerOf(world, 'c').snapshot().version).toBe(1);
    expect(world.changed()).toEqual([]);
  });

  it('lists every mistake', () => {
    const world = new World();
    world.target('A', policies);
    const patch = { retry: { delay: -1 }, timeLimit: 0, bulkhead: { maxQueue: -1 } };

    expect(() => world.runtime.reconfigure('A', patch)).toThrow(ResilienceConfigError);
    expect(() => world.runtime.reconfigure('A', patch)).toThrow(
      /3 mistakes[^]*delay[^]*ms[^]*maxQueue/,
    );
  });

  it('an unknown name is refused, and the known ones are named', () => {
    const world = new World();
    world.target('A', policies);

    for (const name of ['B', '__proto__', 'toString', ''])
      expect(() => world.runtime.reconfigure(name, {})).toThrow(/no such name; known are "A"/);
  });

  it('for one of those who share is bad for all', () => {
    const world = new World();
    const a = world.target('A', { bulkhead: { name: 'pool', maxConcurrent: 5 } });
    world.target('B', { bulkhead: { name: 'pool', maxConcurrent: 5 } });

    expect(() => world.runtime.reconfigure('B', { bulkhead: { maxConcurrent: 0 } })).toThrow(
      /A @Bulkhead maxConcurrent[^]*B @Bulkhead|B @Bulkhead maxConcurrent[^]*A @Bulkhead/,
    );
    expect(a.policies.bulkhead).toEqual({ name: 'pool', maxConcurrent: 5 });
  });
});

function isPlain(patch: unknown): patch is object {
  return typeof patch === 'object' && patch !== null && !Array.isArray(patch);
}

describe('the kill switch', () => {
  it('passes everything but the fallback through, and back again with the same state', async () => {
    const world = new World();
    const target = world.target('A', {
      circuitBreaker: { failureThreshold: 2, openJitter: 0 },
      fallback: { value: 'instead' },
    });
    await world.fail(target, 2);
    expect(breakerOf(world).state).toBe('open');

    world.runtime.setEnabled(false);
    expect(world.runtime.enabled).toBe(false);
    expect(await world.call(target, () => Promise.resolve('ran'))).toBe('ran');
    expect(await world.call(target, () => Promise.reject(new Error('x')))).toBe('instead');
    world.runtime.setEnabled(true);

    expect(breakerOf(world).snapshot()).toMatchObject({ state: 'open', counters: { failure: 2 } });
    expect(await world.call(target, () => Promise.resolve('ran'))).toBe('instead');
  });

  it('holds for what is registered or changed meanwhile', async () => {
    const world = new World();
    world.target('A', { bulkhead: { maxConcurrent: 3 } });
    world.runtime.setEnabled(false);
    const late = world.target('B', { bulkhead: { maxConcurrent: 1 } });
    world.runtime.reconfigure('A', { bulkhead: { maxConcurrent: 4 } });

    expect(late.pipeline.bulkhead).toBeUndefined();
    expect(world.runtime.pipeline('A')!.bulkhead).toBeUndefined();
    expect(world.runtime.registry.bulkheads.reader('A')!.snapshot().maxConcurrent).toBe(4);
    world.runtime.setEnabled(true);

    expect(late.pipeline.bulkhead).toBeDefined();
    expect(world.runtime.pipeline('A')!.bulkhead!.policy.snapshot().maxConcurrent).toBe(4);
  });

  it('turned to where it is does nothing', () => {
    const world = new World();
    const target = world.target('A', { retry: {} });
    const { pipeline } = target;
    world.runtime.setEnabled(true);

    expect(target.pipeline).toBe(pipeline);
  });
});
