import { defaultClassifier } from '../../../lib/errors/default-classifier.js';
import { ResilienceConfigError } from '../../../lib/kernel/check.js';
import { withDefaults } from '../../../lib/pipeline/policy-set.js';
import { ResilienceRuntime, type RuntimeInit } from '../../../lib/pipeline/runtime.js';
import { systemClock } from '../../../lib/pipeline/system-clock.js';
import { FakeClock, seededRandom } from '../../../lib/testing/index.js';

const make = (init: Partial<RuntimeInit> = {}): ResilienceRuntime =>
  new ResilienceRuntime({
    clock: new FakeClock(),
    random: seededRandom(1),
    classifier: defaultClassifier,
    report: () => {},
    ...init,
  });

describe('policies shared by name', () => {
  it('#6 are one state, whichever method meets it', () => {
    const runtime = make();
    const a = runtime.register('A', { circuitBreaker: { name: 'pay' }, bulkhead: { name: 'pay' } });
    const b = runtime.register('B', { circuitBreaker: { name: 'pay' }, bulkhead: { name: 'pay' } });

    expect(a.pipeline.breaker!.policy).toBe(b.pipeline.breaker!.policy);
    expect(a.pipeline.bulkhead!.policy).toBe(b.pipeline.bulkhead!.policy);
    expect(runtime.registry.breakers.list().map(({ name }) => name)).toEqual(['pay']);
  });

  it('refuse other options under the same name', () => {
    const runtime = make();
    runtime.register('A', { circuitBreaker: { name: 'pay', openFor: 1_000 } });

    expect(() =>
      runtime.register('B', { circuitBreaker: { name: 'pay', openFor: 2_000 } }),
    ).toThrow(/circuit breaker "pay": shared with other options/);
  });

  it('take the same options in another order, or not given in another way, for the same', () => {
    const runtime = make();
    const openFor = (): number => 5;
    runtime.register('A', { circuitBreaker: { name: 'pay', failureRate: 0.5, openFor } });

    const same = { openFor, failureRate: 0.5, minimumCalls: undefined, name: 'pay' };
    expect(() => runtime.register('B', { circuitBreaker: same as never })).not.toThrow();
    const other = { name: 'pay', failureRate: 0.5, openFor: () => 5 };
    expect(() => runtime.register('C', { circuitBreaker: other })).toThrow(/shared with other/);
  });

  it('leave nothing behind where one of two is refused', () => {
    const runtime = make();
    runtime.register('A', { bulkhead: { name: 'pool', maxConcurrent: 1 } });

    expect(() => runtime.register('B', { circuitBreaker: {}, bulkhead: { name: 'pool' } })).toThrow(
      /bulkhead "pool"/,
    );

    expect(runtime.registry.breakers.list()).toEqual([]);
    expect(runtime.pipeline('B')).toBeUndefined();
  });

  it('allow each method its own matchers and time limit', () => {
    const runtime = make();
    runtime.register('A', { circuitBreaker: { name: 'pay', ignore: 'A' }, timeLimit: 100 });

    expect(() =>
      runtime.register('B', { circuitBreaker: { name: 'pay', failOn: 'B' }, timeLimit: 60_000 }),
    ).not.toThrow();
  });
});

it('a taken name is refused, and a free one is found beside it', () => {
  const runtime = make();
  runtime.register('A', { retry: {} });
  runtime.register('B', { circuitBreaker: { name: 'C' } });

  expect(() => runtime.register('A', { retry: {} })).toThrow(ResilienceConfigError);
  expect([runtime.freeName('A'), runtime.freeName('C'), runtime.freeName('D')]).toEqual([
    'A#2',
    'C#2',
    'D',
  ]);
});

it('disabled, it keeps nothing but the fallback', () => {
  const runtime = make({ enabled: false });
  const { pipeline } = runtime.register('A', {
    fallback: { value: 1 },
    retry: {},
    circuitBreaker: {},
    timeLimit: 1,
    bulkhead: {},
  });

  expect(pipeline).toMatchObject({
    retry: undefined,
    breaker: undefined,
    bulkhead: undefined,
    timeLimit: undefined,
  });
  expect(pipeline.fallback).toBeDefined();
  expect(runtime.registry.breakers.list()).toHaveLength(1); // for when it is switched on again
});

describe('the registry', () => {
  it('reads and acts through different handles, and never makes what it looks up', () => {
    const { registry } = (() => {
      const runtime = make();
      runtime.register('A', {
        circuitBreaker: { failureThreshold: 1 },
        bulkhead: { maxConcurrent: 2 },
      });
      return runtime;
    })();
    const reader = registry.breakers.reader('A')!;

    expect(Object.keys(reader).sort()).toEqual([
      'critical',
      'explain',
      'mode',
      'name',
      'snapshot',
      'state',
    ]);
    const release = registry.breakers.control('A')!.isolate();
    expect(reader.state).toBe('isolated');
    release();
    expect(reader.state).toBe('closed');
    registry.breakers.control('A')!.isolate();
    registry.breakers.control('A')!.release();
    expect(reader.state).toBe('closed');
    expect(registry.bulkheads.reader('A')!.snapshot()).toMatchObject({
      running: 0,
      maxConcurrent: 2,
    });
    for (const name of ['B', '__proto__', 'constructor', 'toString']) {
      expect(registry.breakers.reader(name)).toBeUndefined();
      expect(registry.breakers.control(name)).toBeUndefined();
    }
    expect(registry.breakers.list()).toHaveLength(1);
  });
});

describe('defaults', () => {
  it('lie under what a method says, option by option, and undefined says nothing', () => {
    const merged = withDefaults(
      { retry: { maxAttempts: undefined, delay: 0 } as never, bulkhead: {} },
      {
        retry: { maxAttempts: 7, delay: 50 },
        bulkhead: { maxQueue: 0 },
        circuitBreaker: { openFor: 1 },
      },
    );

    expect(merged).toEqual({ retry: { maxAttempts: 7, delay: 0 }, bulkhead: { maxQueue: 0 } });
  });

  it('give a time limit to those who name none, and only to them', () => {
    const runtime = make({ defaults: { timeLimit: 50, circuitBreaker: { openFor: 1 } } });

    expect(runtime.register('A', { timeLimit: {} }).pipeline.limitFor(1, [])).toBe(50);
    expect(runtime.register('B', { timeLimit: 70 }).pipeline.limitFor(1, [])).toBe(70);
    expect(runtime.register('C', { retry: {} }).pipeline).toMatchObject({
      timeLimit: undefined,
      breaker: undefined,
    });
    expect(make().check('D', { timeLimit: {} })).toEqual([
      { at: 'D @TimeLimit ms', problem: expect.stringContaining('got nothing') },
    ]);
  });

  it.each([null, 5, 'x', []])('leave what is no options object to the checks: %p', (options) => {
    const runtime = make({
      defaults: { retry: { delay: 5 }, circuitBreaker: { openFor: 5 }, bulkhead: {} },
    });
    const policies = { retry: options, circuitBreaker: options, bulkhead: options } as never;

    expect(runtime.check('A', policies).map(({ at }) => at)).toEqual([
      'A @Retry',
      'A @CircuitBreaker',
      'A @Bulkhead',
    ]);
  });

  it('give way to a rule of the method’s own as a whole', () => {
    const merged = withDefaults(
      { circuitBreaker: { failureThreshold: 3 } },
      { circuitBreaker: { failureRate: 0.2, minimumCalls: 50, window: 1_000, openFor: 9 } },
    );

    expect(merged.circuitBreaker).toEqual({ failureThreshold: 3, openFor: 9 });
  });

  it('that do not fit a method’s own options are found', () => {
    const runtime = make({ defaults: { circuitBreaker: { openFor: 100_000 } } });

    expect(runtime.check('A', { circuitBreaker: { maxOpenFor: 50_000 } })).toEqual([
      {
        at: 'A @CircuitBreaker maxOpenFor',
        problem: 'got 50000, expected at least openFor, 100000',
      },
    ]);
  });
});

it('the lease of a probe is twice the time limit where that is more than five seconds', () => {
  const clock = new FakeClock();
  const runtime = make({ clock });
  const { pipeline } = runtime.register('A', {
    circuitBreaker: { failureThreshold: 1, openFor: 1, successThreshold: 1, halfOpenCalls: 1 },
    timeLimit: 10_000,
  });
  const { policy } = pipeline.breaker!;
  policy.settle(policy.enter(), 'failure');
  clock.jump(10);
  policy.enter();

  expect(policy.retryAfter()).toBe(20_000);
});

describe('the system clock', () => {
  it('is monotonic, tells the wall time, and its timers can be cancelled', () => {
    const before = systemClock.now();
    const cancel = systemClock.schedule(() => {
      throw new Error('cancelled timers do not run');
    }, 0);
    cancel();
    cancel();

    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    expect(Math.abs(systemClock.epoch() - Date.now())).toBeLessThan(1_000);
  });
});
