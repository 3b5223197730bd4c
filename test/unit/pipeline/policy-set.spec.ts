import fc from 'fast-check';
import {
  layOverrides,
  layPolicies,
  type PolicyOverrides,
  type PolicySet,
  withDefaults,
} from '../../../lib/pipeline/policy-set.js';

const breaker = (below: object, above: object): unknown =>
  layPolicies({ circuitBreaker: below }, { circuitBreaker: above }).circuitBreaker;

describe('policies laid over each other', () => {
  it('merge option by option, and undefined says nothing', () => {
    const below: PolicySet = { retry: { maxAttempts: 7, delay: 50 }, bulkhead: { maxQueue: 0 } };
    const above = { retry: { delay: 0, maxAttempts: undefined }, timeLimit: 5 } as PolicySet;

    expect(layPolicies(below, above)).toEqual({
      retry: { maxAttempts: 7, delay: 0 },
      bulkhead: { maxQueue: 0 },
      timeLimit: { ms: 5 },
    });
  });

  it('take a time limit by number or by options for the same', () => {
    expect(layPolicies({ timeLimit: 5 }, { timeLimit: { idle: 9 } })).toEqual({
      timeLimit: { ms: 5, idle: 9 },
    });
    expect(layPolicies({ timeLimit: { ms: 5, idle: 9 } }, { timeLimit: 7 })).toEqual({
      timeLimit: { ms: 7, idle: 9 },
    });
  });

  it('replace a fallback as a whole', () => {
    const above = { fallback: { method: 'b' } };

    expect(layPolicies({ fallback: { value: 1, on: Error } }, above)).toEqual(above);
  });

  it('change neither of the two', () => {
    const below = Object.freeze({ retry: Object.freeze({ delay: 1 }), timeLimit: 5 });
    const above = Object.freeze({
      retry: Object.freeze({ delay: 2 }),
      bulkhead: Object.freeze({}),
    });

    expect(() => layPolicies(below, above)).not.toThrow();
    expect(() => layOverrides(below, { ...above, timeLimit: false })).not.toThrow();
    expect(below).toEqual({ retry: { delay: 1 }, timeLimit: 5 });
  });

  it('keep a `false` that is no override, for the checks to name it', () => {
    const off = { retry: false } as never;

    expect(layPolicies({ retry: {} }, off)).toEqual({ retry: false });
    expect(withDefaults(off, { retry: { delay: 1 } })).toEqual({ retry: false });
  });

  it('with `false` as an override take the policy out, and only that', () => {
    const below: PolicySet = { retry: {}, bulkhead: {}, fallback: { value: 1 } };

    expect(layOverrides(below, { retry: false, fallback: false })).toEqual({ bulkhead: {} });
    expect(layOverrides(below, { circuitBreaker: false })).toEqual(below);
  });
});

describe('a rule for failures of one’s own', () => {
  const rate = { failureRate: 0.2, minimumCalls: 50, window: 1_000, openFor: 9 };

  it('replaces the rule below as a whole', () => {
    expect(breaker(rate, { failureThreshold: 3 })).toEqual({ failureThreshold: 3, openFor: 9 });
    expect(breaker(rate, { failureRate: 0.9 })).toEqual({ failureRate: 0.9, openFor: 9 });
    expect(breaker({ failureThreshold: 3, window: 9 }, { failureRate: 1 })).toEqual({
      failureRate: 1,
    });
  });

  it('leaves the rule for slow calls beside it, with its window', () => {
    const slow = { slowCallDuration: 100, slowCallRate: 0.5, window: 1_000, minimumCalls: 5 };

    expect(breaker({ ...slow, failureRate: 0.2 }, { failureThreshold: 3 })).toEqual({
      ...slow,
      failureThreshold: 3,
    });
    expect(breaker({ ...rate, slowCallDuration: 100 }, { slowCallRate: 0.5 })).toEqual({
      ...rate,
      slowCallDuration: 100,
      slowCallRate: 0.5,
    });
  });

  it('that is a rate keeps a window that belongs to no rule', () => {
    expect(breaker({ window: 60_000, minimumCalls: 9 }, { failureRate: 0.2 })).toEqual({
      window: 60_000,
      minimumCalls: 9,
      failureRate: 0.2,
    });
    expect(breaker({ window: 60_000, minimumCalls: 9 }, { failureThreshold: 2 })).toEqual({
      failureThreshold: 2,
    });
  });
});

it('default < preset < decorator < override, for any options', () => {
  const layer = fc.record(
    {
      maxAttempts: fc.integer({ min: 1, max: 9 }),
      delay: fc.integer({ min: 0, max: 9 }),
      idempotent: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const layers = fc.tuple(layer, layer, layer, layer);
  fc.assert(
    fc.property(layers, fc.boolean(), ([lowest, preset, own, over], off) => {
      const override: PolicyOverrides = { retry: off ? false : over };
      const merged = withDefaults(
        layOverrides(layPolicies({ retry: preset }, { retry: own }), override),
        { retry: lowest },
      );

      expect(merged).toEqual(off ? {} : { retry: { ...lowest, ...preset, ...own, ...over } });
    }),
    { numRuns: 1_000 },
  );
});
