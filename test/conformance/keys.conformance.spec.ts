import type { BulkheadOptions, CircuitBreakerOptions, RateLimitOptions } from 'nestjs-bulwark';
import { argOf, type Face, Gate, onEveryFace, settle, Stage } from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');
const down = (): Promise<never> => Promise.reject(new Error('down'));
const NAME = 'Controller.handle';

/** The first argument; in an interceptor, as a user gets it from Nest's context. */
const key = (first: unknown): string => argOf(first) as string;

const BREAKER: CircuitBreakerOptions = {
  failureThreshold: 2,
  openFor: 1_000,
  openJitter: 0,
  successThreshold: 1,
  halfOpenCalls: 1,
  key,
};

const withBreaker = (face: Face, options: CircuitBreakerOptions = {}): Stage =>
  new Stage(face, { circuitBreaker: { ...BREAKER, ...options } });

const breakers = (stage: Stage) => stage.runtime.registry.breakers.keyedReader(NAME)!;
const bulkheads = (stage: Stage) => stage.runtime.registry.bulkheads.keyedReader(NAME)!;
const keysOf = (reader: { list(): (readonly [string, unknown])[] }): string[] =>
  reader.list().map(([each]) => each);

async function failFor(stage: Stage, times: number, who: unknown): Promise<void> {
  for (let i = 0; i < times; i += 1) await stage.run(down, who);
}

onEveryFace((face) => {
  it('each key has a breaker of its own', async () => {
    const stage = withBreaker(face);
    await failFor(stage, 2, 'a');
    await failFor(stage, 1, 'b');

    expect((await stage.run(up, 'a')).error).toMatchObject({ code: 'CIRCUIT_OPEN', target: NAME });
    expect((await stage.run(up, 'b')).value).toBe('ok');
    expect(
      breakers(stage)
        .list()
        .map(([k, { state }]) => [k, state]),
    ).toEqual([
      ['a', 'open'],
      ['b', 'closed'],
    ]);
    expect(stage.events).toContainEqual(
      expect.objectContaining({
        type: 'circuit-state-changed',
        target: NAME,
        key: 'a',
        to: 'open',
      }),
    );
    await stage.clock.advance(1_000);
    expect((await stage.run(up, 'a')).value).toBe('ok');
    expect(breakers(stage).reader('a')!.state).toBe('closed');
  });

  it('each key has a bulkhead of its own, with its own queue', async () => {
    const stage = new Stage(face, { bulkhead: { maxConcurrent: 1, maxQueue: 1, key } });
    const gates = { a: new Gate(), b: new Gate() };
    const a = [1, 2, 3].map(() => stage.call(gates.a.work, 'a'));
    stage.call(gates.b.work, 'b');
    await settle();

    expect(a[2]!.error).toMatchObject({ code: 'BULKHEAD_FULL' });
    expect([gates.a.starts, gates.b.starts]).toEqual([1, 1]);
    gates.a.resolve('done');
    await settle();
    expect([a[0]!.value, a[1]!.value]).toEqual(['done', 'done']);
    expect(bulkheads(stage).reader('a')!.snapshot()).toMatchObject({ running: 0, queued: 0 });
    expect(bulkheads(stage).reader('b')!.snapshot()).toMatchObject({ running: 1 });
  });

  it('each key has a rate limit of its own', async () => {
    const stage = new Stage(face, { rateLimit: { limit: 1, maxWait: 1_000, key } });
    const a = [1, 2, 3].map(() => stage.call(up, 'a'));
    const b = await stage.run(up, 'b');
    await settle();

    expect(a[2]!.error).toMatchObject({ code: 'RATE_LIMITED' });
    expect(b.value).toBe('ok');
    await stage.clock.advance(1_000);
    expect(a[1]!.value).toBe('ok');
    const limits = stage.runtime.registry.rateLimiters.keyedReader(NAME)!;
    expect(limits.reader('a')!.snapshot()).toMatchObject({ admitted: 2, waited: 1, refused: 1 });
  });

  it('the policies of one method may have different keys', async () => {
    const stage = new Stage(face, {
      circuitBreaker: BREAKER,
      bulkhead: {
        maxConcurrent: 1,
        maxQueue: 0,
        key: (a: unknown, b: unknown) => argOf(a, 1, b) as string,
      },
    });
    const gate = new Gate();
    stage.call(gate.work, 'tenant-a', 'host');
    await settle();
    expect((await stage.run(up, 'tenant-b', 'host')).error).toMatchObject({
      code: 'BULKHEAD_FULL',
    });
    expect((await stage.run(up, 'tenant-a', 'other')).value).toBe('ok');

    expect(keysOf(breakers(stage))).toEqual(['tenant-b', 'tenant-a']);
    expect(keysOf(bulkheads(stage))).toEqual(['host', 'other']);
  });

  it('a lost probe is told with its key', async () => {
    const stage = withBreaker(face, { halfOpenLease: 100 });
    await failFor(stage, 2, 'a');
    await stage.clock.advance(1_000);
    stage.call(() => new Promise(() => {}), 'a');
    await stage.clock.advance(100);
    await stage.run(up, 'a');

    expect(stage.events).toContainEqual(
      expect.objectContaining({ type: 'probe-lost', target: NAME, key: 'a', lease: 100 }),
    );
  });

  it('all attempts of a call have the key it began with', async () => {
    let asked = 0;
    const stage = new Stage(face, {
      retry: { delay: 1, jitter: 'none' },
      circuitBreaker: {
        ...BREAKER,
        failureThreshold: 9,
        key: (first: unknown) => {
          asked += 1;
          return key(first);
        },
      },
    });
    stage.call(down, 'a');
    await stage.clock.advance(10);

    expect(asked).toBe(1);
    expect(breakers(stage).reader('a')!.snapshot().counters.failure).toBe(3);
  });

  it('a slow call of a key and its waiting calls find their own way back', async () => {
    const stage = new Stage(face, { bulkhead: { maxConcurrent: 1, key, maxKeys: 2 } });
    const gate = new Gate();
    const first = stage.call(gate.work, 'slow');
    const second = stage.call(gate.work, 'slow');
    for (const other of ['a', 'b', 'c', 'd', 'e']) await stage.run(up, other);

    const third = stage.call(gate.work, 'slow');
    await settle();
    expect(bulkheads(stage).reader('slow')!.snapshot()).toMatchObject({ running: 1, queued: 2 });
    gate.resolve('ok');
    await settle();
    expect([first.value, second.value, third.value]).toEqual(['ok', 'ok', 'ok']);
  });

  describe('#42 a key function', () => {
    const bad: [string, () => unknown, reports: number][] = [
      [
        'that throws',
        () => {
          throw new Error('bug');
        },
        1,
      ],
      ['that answers an object', () => ({ id: 1 }), 1],
      ['that answers a promise', () => Promise.resolve('x'), 1],
      ['that answers true', () => true, 1],
      ['that answers a symbol', () => Symbol('x'), 1],
      ['that answers undefined', () => undefined, 0],
      ['that answers null', () => null, 0],
    ];

    it.each(bad)(
      '%s: the call goes on, and shares its state with others like it',
      async (_w, fn, reports) => {
        const keyed = { key: fn as never };
        const stage = new Stage(face, {
          circuitBreaker: { ...BREAKER, ...keyed },
          bulkhead: keyed,
          rateLimit: { limit: 100, ...keyed } as RateLimitOptions,
        });

        expect((await stage.run(up)).value).toBe('ok');
        expect(stage.events.filter(({ type }) => type === 'predicate-failed')).toHaveLength(
          3 * reports,
        );
        for (const event of stage.events)
          expect(event).toMatchObject({ option: 'key', target: NAME, error: expect.any(Error) });
        await failFor(stage, 2, 'x');
        expect((await stage.run(up)).error).toMatchObject({ code: 'CIRCUIT_OPEN' });
        expect(keysOf(breakers(stage))).toEqual(['']);
      },
    );

    it('may answer a number or a bigint', async () => {
      const stage = withBreaker(face, { key: ((first: unknown) => argOf(first)) as never });
      await stage.run(up, 7);
      await stage.run(up, 8n);
      await stage.run(up, '7');

      expect(keysOf(breakers(stage))).toEqual(['8', '7']);
      expect(stage.events).toEqual([]);
    });

    it.each(['__proto__', 'constructor', 'toString', '\0', '../x', 'a\nb'])(
      'may answer %j',
      async (name) => {
        const stage = withBreaker(face);
        await failFor(stage, 2, name);

        expect((await stage.run(up, name)).error).toMatchObject({ code: 'CIRCUIT_OPEN' });
        expect((await stage.run(up, 'other')).value).toBe('ok');
        expect(breakers(stage).reader(name)!.state).toBe('open');
        expect(({} as Record<string, unknown>)['state']).toBeUndefined();
      },
    );

    it('that answers a long text: what is kept is short, and different for different ones', async () => {
      const stage = withBreaker(face);
      const long = 'x'.repeat(1_000_000);
      await failFor(stage, 2, `${long}1`);

      expect((await stage.run(up, `${long}1`)).error).toMatchObject({ code: 'CIRCUIT_OPEN' });
      expect((await stage.run(up, `${long}2`)).value).toBe('ok');
      await stage.run(up, 'x'.repeat(200));
      expect(keysOf(breakers(stage)).map(({ length }) => length)).toEqual([43, 43, 200]);
    });
  });

  it('a name shared by methods with other key functions is one state per key', async () => {
    const options: BulkheadOptions = { name: 'pool', maxConcurrent: 1, maxQueue: 0 };
    const stage = new Stage(face, { bulkhead: { ...options, key } });
    const second = (_first: unknown, id: string): string => id;
    const other = stage.runtime.register('other', { bulkhead: { ...options, key: second } });
    const gate = new Gate();
    stage.call(gate.work, 'x');
    await settle();

    const { policy } = other.pipeline.laneOf(['y', 'x']).bulkhead!;
    expect(policy.snapshot().running).toBe(1);
    expect(other.pipeline.laneOf(['x', 'y']).bulkhead!.policy.snapshot().running).toBe(0);
    expect(keysOf(stage.runtime.registry.bulkheads.keyedReader('pool')!)).toEqual(['x', 'y']);
    expect(() => stage.runtime.register('third', { bulkhead: options })).toThrow(
      /shared with other/,
    );
    gate.resolve();
    await settle();
    expect(policy.snapshot().running).toBe(0);
  });

  it('a control acts on one key, and none is made by asking', async () => {
    const stage = withBreaker(face);
    const { breakers: directory } = stage.runtime.registry;
    expect(directory.control(NAME)).toBeUndefined();
    expect(directory.control(NAME, 'a')).toBeUndefined();
    expect(directory.reader(NAME)).toBeUndefined();
    await stage.run(up, 'a');
    await stage.run(up, 'b');
    expect(breakers(stage).reader('c')).toBeUndefined();

    directory.control(NAME, 'a')!.isolate();

    expect((await stage.run(up, 'a')).error).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect((await stage.run(up, 'b')).value).toBe('ok');
    expect(directory.list()).toEqual([]);
    expect(directory.keyedList().map(({ name, size }) => [name, size])).toEqual([[NAME, 2]]);
  });
});
