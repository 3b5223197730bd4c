import type { PolicySet } from '../../../lib/pipeline/policy-set.js';
import type { Target } from '../../../lib/pipeline/target.js';
import { settle } from '../../../lib/testing/index.js';
import { breakerOf, World } from './world.js';

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
