import fc from 'fast-check';
import {
  checkKinds,
  checkPolicies,
  layOverrides,
  layPolicies,
  patchPolicies,
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

describe('a patch', () => {
  const patched = (below: object, above: object): unknown =>
    patchPolicies({ circuitBreaker: below }, { circuitBreaker: above }).circuitBreaker;

  it('leaves what it does not name', () => {
    expect(patched({ failureRate: 0.5, window: 9_000 }, { openFor: 5 })).toEqual({
      failureRate: 0.5,
      window: 9_000,
      openFor: 5,
    });
    expect(patched({ failureRate: 0.5, window: 9_000 }, { failureRate: 0.6 })).toEqual({
      failureRate: 0.6,
      window: 9_000,
    });
    expect(patched({ failureRate: 0.5, window: 9_000 }, { failureThreshold: undefined })).toEqual({
      failureRate: 0.5,
      window: 9_000,
    });
  });

  it('that brings a rule which was not there replaces the rule as a whole', () => {
    expect(patched({ failureRate: 0.5, window: 9_000 }, { failureThreshold: 3 })).toEqual({
      failureThreshold: 3,
    });
    const both = { failureRate: 0.6, failureThreshold: 3 };
    expect(patched({ failureRate: 0.5, window: 9_000 }, both)).toEqual(both);
  });
});

describe('a set of policies', () => {
  const known = 'known are fallback, retry, circuitBreaker, rateLimit, timeLimit, bulkhead';

  it('is an object whose fields are kinds of policies', () => {
    expect(checkPolicies('A', 5)).toEqual([
      { at: 'A', problem: 'got 5, expected a set of policies' },
    ]);
    expect(checkPolicies('A', { cache: {}, retry: undefined })).toEqual([
      { at: 'A cache', problem: `unknown policy; ${known}` },
    ]);
    expect(checkPolicies('A', { retry: new Map() })).toEqual([
      { at: 'A @Retry', problem: 'got a Map, expected an options object' },
    ]);
    expect(checkPolicies('A', { fallback: { method: 'x' } }, (name) => name === 'x')).toEqual([]);
    expect(checkPolicies('A', { fallback: { method: 'y' } }, (name) => name === 'x')).toEqual([
      { at: 'A @Fallback method', problem: 'got "y", expected a method of the class' },
    ]);
  });

  it('has `false` only where a policy may be switched off', () => {
    const off = { retry: false, bulkhead: {} };

    expect(checkKinds('A', off, true)).toEqual([]);
    expect(checkKinds('A', off, false)).toEqual([
      { at: 'A retry', problem: 'got false, expected options' },
    ]);
    expect(checkKinds('A', { cache: false }, true)).toEqual([
      { at: 'A cache', problem: `unknown policy; ${known}` },
    ]);
    expect(checkKinds('A', null, true)).toEqual([
      { at: 'A', problem: 'got null, expected a set of policies' },
    ]);
  });

  it('of a time limit takes a number, a function or options for the same', () => {
    const ms = (): number => 5;

    expect(layPolicies({ timeLimit: { idle: 9 } }, { timeLimit: ms as never })).toEqual({
      timeLimit: { idle: 9, ms },
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
