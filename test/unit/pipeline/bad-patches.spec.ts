import { ResilienceConfigError } from '../../../lib/kernel/check.js';
import type { PolicyOverrides, PolicySet } from '../../../lib/pipeline/policy-set.js';
import { settle } from '../../../lib/testing/index.js';
import { breakerOf, World } from './world.js';

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
