// Bugs of peers: when a breaker opens, what it counts, what it remembers and for how long.
import { BulkheadFullError, CircuitOpenError, type PolicySet } from 'nestjs-bulwark';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Gate, Stage } from '../support/stage.js';
import { down, nextPeriod, ONE_PROBE, PROMISE, settle, statesOf, up } from './support.js';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

const stageOf = (circuitBreaker: PolicySet['circuitBreaker'] = {}, others: PolicySet = {}): Stage =>
  new Stage(PROMISE, { ...others, circuitBreaker });

describe('when it opens', () => {
  // https://github.com/nodeshift/opossum/issues/217
  it('opossum #217: one failure of one call is a rate of 100 %, and still no reason to open', async () => {
    const stage = stageOf({ failureRate: 0.5 });

    await stage.fail(1);

    expect(stage.breaker.current).toBe('closed');
  });

  // https://github.com/nodeshift/opossum/issues/288
  it('opossum #288: it opens at the third of three failures, a timeout included, and then calls nothing', async () => {
    const stage = stageOf({ failureThreshold: 3 }, { timeLimit: 500 });
    const states: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      stage.call(() => new Promise(() => {}));
      await stage.clock.advance(500);
      states.push(stage.breaker.current);
    }
    expect(states).toEqual(['closed', 'closed', 'open']);

    const fourth = await stage.run(up);

    expect(fourth.error).toBeInstanceOf(CircuitOpenError);
    expect(stage.executions).toBe(3);
  });

  // https://github.com/nodeshift/opossum/issues/232
  it('opossum #232: after a long silence the first error does not tip the balance', async () => {
    const stage = stageOf({ failureRate: 0.5, minimumCalls: 5, window: 10_000 });
    await stage.succeed(100);
    await stage.clock.advance(3_600_000);

    await stage.fail(4);
    expect(stage.breaker.current).toBe('closed');
    await stage.fail(1);

    expect(stage.breaker.current).toBe('open');
  });

  // https://github.com/alibaba/Sentinel/issues/1769
  it('Sentinel #1769: a ratio of 1 can be reached', async () => {
    const stage = stageOf({
      slowCallDuration: 100,
      slowCallRate: 1,
      failureRate: 1,
      minimumCalls: 5,
    });
    for (let i = 0; i < 5; i += 1) {
      const slow = new Gate();
      stage.call(slow.work);
      await stage.clock.advance(101);
      slow.resolve();
      await settle();
    }

    expect(stage.breaker.current).toBe('open');
  });

  // https://github.com/jaseci-labs/jac/issues/7909
  it('jac #7909: each failed attempt of a retry counts, not each call', async () => {
    const stage = stageOf({ failureThreshold: 5 }, { retry: { maxAttempts: 3, delay: 1 } });

    stage.call(down);
    stage.call(down);
    await stage.clock.advance(1_000);

    expect(stage.executions).toBe(5);
    expect(stage.breaker.current).toBe('open');
  });

  // https://github.com/connor4312/cockatiel/issues/91
  it('cockatiel #91: a breaker that opened by its rate half-opens when its time has passed', async () => {
    const stage = stageOf({
      failureRate: 0.01,
      window: 30_000,
      minimumCalls: 30,
      openFor: 10_000,
      openJitter: 0,
    });
    await stage.fail(30);
    await stage.clock.advance(9_999);
    expect((await stage.run(up)).error).toBeInstanceOf(CircuitOpenError);

    await stage.clock.advance(1);

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('half-open');
  });
});

describe('what does not count', () => {
  // https://github.com/resilience4j/resilience4j/issues/1656
  it('resilience4j #1656: a full bulkhead does not break the circuit', async () => {
    const stage = stageOf({ failureThreshold: 1 }, { bulkhead: { maxConcurrent: 1, maxQueue: 0 } });
    stage.call(() => new Promise(() => {}));

    for (let i = 0; i < 50; i += 1) {
      expect((await stage.run(up)).error).toBeInstanceOf(BulkheadFullError);
    }

    expect(stage.breaker.current).toBe('closed');
    expect(stage.breaker.counters).toMatchObject({ failure: 0, rejected: 50 });
  });

  // https://github.com/zeromicro/go-zero/pull/5551
  it('go-zero #5551: its own refusals do not keep it open', async () => {
    const stage = stageOf({ ...ONE_PROBE, failureThreshold: undefined, failureRate: 0.5 });
    await stage.fail(20);
    for (let i = 0; i < 500; i += 1) await stage.run(up);
    expect(stage.breaker.snapshot()).toMatchObject({ state: 'open', failures: 20, calls: 20 });
    await nextPeriod(stage);

    await stage.succeed(1);

    expect(stage.breaker.current).toBe('closed');
    expect(stage.breaker.counters).toMatchObject({ failure: 20, success: 1, notPermitted: 500 });
  });

  // https://github.com/nodeshift/opossum/issues/45
  it('opossum #45: a short circuit is told as a refusal, not as a failure', async () => {
    const stage = stageOf(ONE_PROBE, { retry: { maxAttempts: 1 } });
    await stage.fail(1);
    stage.events.length = 0;

    await stage.run(up);

    expect(stage.eventTypes()).toEqual(['call-rejected']);
    expect(stage.breaker.counters.failure).toBe(1);
  });
});

describe('what it remembers', () => {
  // https://github.com/resilience4j/resilience4j/issues/1116
  it('resilience4j #1116: other options at run time keep the listeners and the counts', async () => {
    const stage = stageOf({ failureThreshold: 5, openJitter: 0 });
    await stage.fail(3);

    stage.runtime.reconfigure(stage.target.name, { circuitBreaker: { failureThreshold: 4 } });
    await stage.fail(1);

    expect(await statesOf(stage)).toEqual(['open']);
    expect(stage.breaker.counters.failure).toBe(4);
  });

  // https://github.com/smallrye/smallrye-fault-tolerance/issues/249
  it('SmallRye #249: who only looks sees that its time has passed, without any call', async () => {
    const stage = stageOf(ONE_PROBE);
    await stage.fail(1);
    const reader = stage.runtime.registry.breakers.reader(stage.target.name)!;
    expect(reader.snapshot()).toMatchObject({ probeDue: false, retryAfter: 1_000 });

    await stage.clock.advance(10_000);

    expect(reader.snapshot()).toMatchObject({ state: 'open', probeDue: true, retryAfter: 0 });
  });

  // https://github.com/Netflix/Hystrix/issues/1597
  it('Hystrix #1597: half-open can be seen, and is heard of', async () => {
    const stage = stageOf(ONE_PROBE);
    await stage.fail(1);
    await nextPeriod(stage);

    stage.call(() => new Promise(() => {}));

    expect(stage.breaker.snapshot().state).toBe('half-open');
    expect(await statesOf(stage)).toEqual(['open', 'half-open']);
  });

  // https://github.com/nodeshift/opossum/pull/378
  it('opossum #378: breakers leave no timers behind, not even open ones', async () => {
    const stage = stageOf({ ...ONE_PROBE, key: (key: string) => key });

    for (let i = 0; i < 100; i += 1) await stage.run(down, `host ${i}`);

    expect(stage.runtime.registry.breakers.keyedReader(stage.target.name)!.size).toBe(100);
    expect(stage.clock.pending).toBe(0);
  });

  // https://github.com/nodeshift/opossum/issues/648
  it('opossum #648: a breaker takes no more memory for more calls', async () => {
    const stage = stageOf({ failureRate: 0.9, slowCallDuration: 1_000, window: 1_000 });
    const calls = async (times: number): Promise<number> => {
      for (let i = 0; i < times; i += 1) {
        await stage.run(i % 3 === 0 ? down : up);
        stage.clock.jump(10);
      }
      return weight(stage.breaker);
    };

    const before = await calls(300); // the window has gone round
    const after = await calls(3_000);

    expect(after).toBeLessThanOrEqual(before);
  });

  // https://github.com/nodeshift/opossum/issues/363
  it('opossum #363: nobody but its application keeps a breaker', async () => {
    const breakers = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const stage = stageOf(ONE_PROBE);
        await stage.fail(1);
        return new WeakRef(stage.breaker);
      }),
    );

    const kept = (): unknown[] => breakers.filter((ref) => ref.deref() !== undefined);
    for (let i = 0; i < 5 && kept().length > 0; i += 1) {
      await new Promise((resolve) => setImmediate(resolve)); // a WeakRef that was read lives that long
      collectGarbage();
    }

    expect(kept()).toEqual([]);
  });

  // https://github.com/diegosouzapw/OmniRoute/pull/4114
  it('OmniRoute #4114: the declared number of keys is held, and open breakers outlive idle ones', async () => {
    const stage = stageOf({ ...ONE_PROBE, key: (key: string) => key, maxKeys: 500 });
    for (let i = 0; i < 10; i += 1) await stage.run(down, `sick ${i}`);

    for (let i = 0; i < 3_000; i += 1) stage.call(up, `well ${i}`);
    await settle();

    const keyed = stage.runtime.registry.breakers.keyedReader(stage.target.name)!;
    expect(keyed.size).toBe(500);
    for (let i = 0; i < 10; i += 1) expect(keyed.reader(`sick ${i}`)?.state).toBe('open');
  });
});

/** How many objects and entries hang on it. */
function weight(root: object): number {
  const seen = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    const parts = value instanceof Map || value instanceof Set ? [...value.values()] : [];
    for (const part of [...parts, ...(Object.values(value) as unknown[])]) visit(part);
  };
  const { clock: _clock, listener: _listener, ...own } = root as Record<string, unknown>;
  visit(own);
  return [...seen].reduce<number>((sum, o) => sum + 1 + Object.keys(o as object).length, 0);
}
