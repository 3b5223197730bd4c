// What listeners are told of calls and of policies, and how loud it is.
import { CircuitOpenError } from '../../../lib/policies/circuit-breaker/circuit-open.error.js';
import { runPromise } from '../../../lib/pipeline/promise-face.js';
import { emit, type Environment } from '../../../lib/pipeline/environment.js';
import { settle } from '../../../lib/testing/index.js';
import { breakerOf, World } from './world.js';

const never = (): Promise<unknown> => new Promise(() => {});
const down = (): Promise<never> => Promise.reject(new Error('down'));
const types = (world: World): string[] => world.events.map(({ type }) => type);

describe('an event', () => {
  it.each([
    ['circuit-state-changed', 'warning'],
    ['call-rejected', 'debug'],
    ['retry-scheduled', 'debug'],
    ['retry-exhausted', 'info'],
    ['call-timed-out', 'info'],
    ['late-result', 'debug'],
    ['fallback-used', 'info'],
    ['fallback-failed', 'warning'],
    ['probe-lost', 'warning'],
    ['predicate-failed', 'warning'],
    ['unbound-call', 'warning'],
    ['retry-declined', 'info'],
    ['bulkhead-reclaimed', 'warning'],
    ['policies-changed', 'info'],
    ['limit-overrun', 'warning'],
    ['checkpoint-saved', 'debug'],
    ['checkpoint-failed', 'error'],
    ['checkpoint-recovered', 'info'],
    ['checkpoint-restored', 'warning'],
    ['store-fenced', 'error'],
    ['slow-checkpoint-call', 'warning'],
    ['poison-message', 'error'],
  ])('of type %s is a matter of %s', async (type, severity) => {
    const world = new World();
    const { bus } = world.runtime;
    const env = { bus, clock: world.clock } as Partial<Environment> as Environment;

    emit(env, { type, target: 'A', to: 'open' } as never);
    emit(env, { type, target: 'A', to: 'closed' } as never);
    await settle();

    const at = world.clock.epoch();
    expect(world.events).toEqual([
      { type, target: 'A', to: 'open', severity, at },
      {
        type,
        target: 'A',
        to: 'closed',
        severity: type === 'circuit-state-changed' ? 'info' : severity,
        at,
      },
    ]);
  });

  it.each([
    [{ type: 'recovery-action', status: 'failed' }, 'error'],
    [{ type: 'recovery-action', status: 'done' }, 'info'],
    [{ type: 'error-pattern', ended: false }, 'warning'],
    [{ type: 'error-pattern', ended: true }, 'info'],
    [{ type: 'checkpoint-failed', status: 'failed', ended: true, to: 'closed' }, 'error'],
  ])('%j is a matter of %s', async (body, severity) => {
    const world = new World();

    emit(world.runtime.env, { ...body, target: 'A' } as never);
    await settle();

    expect(world.events).toMatchObject([{ ...body, severity }]);
  });

  it('that nobody listens to is not made: it asks no clock', () => {
    const world = new World();
    const clock = {
      epoch: () => {
        throw new Error('asked');
      },
    };
    const bus = { wants: () => false, emit: () => {} };

    expect(() =>
      emit({ bus, clock } as never, { type: 'probe-lost', target: 'A', lease: 1 }),
    ).not.toThrow();
    expect(world.events).toEqual([]);
  });
});

describe('of a retry', () => {
  it('nothing is told where an error is none for it: that is the usual case', async () => {
    const world = new World();
    const listed = world.target('A', { retry: { retryOn: 'X' } });
    const aborted = world.target('B', { retry: { abortOn: Error } });
    await world.fail(listed, 1);
    await world.fail(aborted, 1);

    expect(world.events).toEqual([]);
  });

  it('that gives up on a result no error is told: the caller has its answer', async () => {
    const world = new World();
    const target = world.target('A', {
      retry: { maxAttempts: 2, delay: 0, jitter: 'none', retryOnResult: (v) => v === null },
    });
    const call = runPromise(target, () => Promise.resolve(null), undefined, []);
    await world.clock.advance(1);

    await expect(call).resolves.toBeNull();
    expect(types(world)).toEqual(['retry-scheduled']);
  });
});

describe('of a time that has passed', () => {
  it('the limit, whether the method had started, and whose limit it was', async () => {
    const world = new World();
    const limited = world.target('A', { timeLimit: 100 });
    const total = world.target('B', { retry: { totalTimeout: 200 } });
    const calls = [limited, total].map((target) =>
      runPromise(target, never, undefined, []).catch((error: unknown) => error),
    );
    await world.clock.advance(200);

    expect(await Promise.all(calls)).toMatchObject([
      { policy: 'time-limit', limit: 100, started: true, idle: false, inherited: false },
      { policy: 'retry', limit: 200, started: true, idle: false, inherited: false },
    ]);
    expect(world.events).toMatchObject([
      { type: 'call-timed-out', target: 'A', limit: 100, started: true, blocked: false },
      { type: 'call-timed-out', target: 'B', limit: 200, started: true, blocked: false },
    ]);
  });

  it('an event loop that was blocked is told, of a total timeout too', async () => {
    const world = new World();
    const target = world.target('A', { retry: { totalTimeout: 200 } });
    const call = runPromise(target, never, undefined, []).catch((error: unknown) => error);
    world.clock.jump(5_000);
    await world.clock.advance(0);

    expect(await call).toMatchObject({ blocked: true });
    expect(world.events).toMatchObject([{ type: 'call-timed-out', blocked: true }]);
  });

  it('results that come later are counted by what they are', async () => {
    const world = new World();
    const target = world.target('A', { timeLimit: 100 });
    const ends: (() => void)[] = [];
    const late = (): Promise<unknown> =>
      new Promise((resolve, reject) =>
        ends.push(ends.length < 2 ? () => resolve('late') : () => reject(new Error('late'))),
      );
    const calls = [1, 2, 3].map(() =>
      runPromise(target, late, undefined, []).catch((error: unknown) => error),
    );
    await world.clock.advance(100);
    for (const end of ends) end();
    await Promise.all(calls);
    await settle();

    expect(target.pipeline.counters).toMatchObject({ lateSuccesses: 2, lateFailures: 1 });
    expect(world.events.slice(3)).toMatchObject(
      ['success', 'success', 'failure'].map((outcome) => ({ type: 'late-result', outcome })),
    );
  });
});

describe('of a breaker', () => {
  it('a function for its open time that throws, by the name of the option', async () => {
    const world = new World();
    const fault = new Error('boom');
    const openFor = (): never => {
      throw fault;
    };
    await world.fail(world.target('A', { circuitBreaker: { failureThreshold: 1, openFor } }), 1);

    expect(world.events[0]).toMatchObject({
      type: 'predicate-failed',
      target: 'A',
      option: 'openFor',
      error: fault,
    });
  });

  it('when it may be tried again, where that is known, and by which key where it has one', async () => {
    const world = new World();
    const options = { failureThreshold: 1, openFor: 1_000, openJitter: 0 };
    const one = world.target('A', { circuitBreaker: options });
    const keyed = world.target('B', { circuitBreaker: { ...options, key: (id: string) => id } });
    await world.fail(one, 1);
    await world.fail(keyed, 1, 'k');
    world.runtime.registry.breakers.control('A')!.reset();
    await settle();

    expect(world.events.map((event) => Object.keys(event).toSorted())).toEqual(
      [['retryAfter'], ['key', 'retryAfter'], []].map((own) =>
        [...own, 'type', 'target', 'from', 'to', 'reason', 'severity', 'at'].toSorted(),
      ),
    );
    expect(world.events).toMatchObject([
      { target: 'A', to: 'open', retryAfter: 1_000 },
      { target: 'B', to: 'open', key: 'k' },
      { target: 'A', to: 'closed' },
    ]);
  });

  it('a probe that hung so long that it lost its place, with the time it had', async () => {
    const world = new World();
    const target = world.target('A', {
      circuitBreaker: {
        failureThreshold: 1,
        openFor: 10,
        openJitter: 0,
        successThreshold: 1,
        halfOpenCalls: 1,
        halfOpenLease: 70,
      },
    });
    await world.fail(target, 1);
    await world.clock.advance(10);
    void runPromise(target, never, undefined, []);
    await world.clock.advance(70);
    void runPromise(target, never, undefined, []);
    await settle();

    expect(world.events.at(-1)).toMatchObject({ type: 'probe-lost', target: 'A', lease: 70 });
  });
});

describe('what an error means for the breaker around the method', () => {
  const counters = (world: World): unknown => breakerOf(world).snapshot().counters;

  it('a refusal of ours further in is none of its failures, whatever it lists', async () => {
    const world = new World();
    const target = world.target('A', { circuitBreaker: { failOn: Error, failureThreshold: 1 } });
    await world.call(target, () => Promise.reject(new CircuitOpenError('B', 'open')));

    expect(breakerOf(world).state).toBe('closed');
    expect(counters(world)).toMatchObject({ failure: 0 });
  });

  it('what is not listed, or not judged a failure, is an answer', async () => {
    const world = new World();
    const listed = world.target('A', { circuitBreaker: { failOn: 'X' } });
    await world.fail(listed, 2);
    const other = new World();
    await other.fail(other.target('A', { circuitBreaker: { isFailure: () => false } }), 3);

    expect(counters(world)).toMatchObject({ ignored: 2, failure: 0 });
    expect(counters(other)).toMatchObject({ ignored: 3, failure: 0 });
  });

  it.each([
    ['failOn', 'failure'],
    ['ignore', 'failure'],
    ['isFailure', 'failure'],
  ])('#42 a %s that throws is reported by that name, and the error is a %s', async (option, as) => {
    const world = new World();
    const boom = (): never => {
      throw new Error('boom');
    };
    await world.fail(world.target('A', { circuitBreaker: { [option]: boom } }), 1);

    expect(counters(world)).toMatchObject({ [as]: 1, ignored: 0 });
    expect(world.events).toMatchObject([{ type: 'predicate-failed', target: 'A', option }]);
  });
});

it('arguments that cannot be cloned are reported, and go as they are', async () => {
  const world = new World();
  const target = world.target('A', { retry: { cloneArgs: true } });
  const argument = (): void => {};
  const seen: unknown[] = [];
  await runPromise(
    target,
    ((...args: unknown[]) => {
      seen.push(...args);
      return Promise.resolve();
    }) as never,
    undefined,
    [argument],
  );

  expect(seen).toEqual([argument]);
  expect(world.events).toMatchObject([{ type: 'predicate-failed', option: 'cloneArgs' }]);
});

it('a priority function is asked only where a call would have to wait', async () => {
  const world = new World();
  let asked = 0;
  const target = world.target('A', {
    timeLimit: 1_000,
    bulkhead: { maxConcurrent: 1, priority: () => (asked += 1) },
  });
  void runPromise(target, never, undefined, []).catch(() => {});
  expect(asked).toBe(0);
  void runPromise(target, never, undefined, []).catch(() => {});
  await settle();

  expect(asked).toBe(1);
});

it('errors that are no objects go on as they are, with nothing to explain', async () => {
  const world = new World({ trace: true });
  const target = world.target('A', {
    retry: { maxAttempts: 1, totalTimeout: 50 },
    fallback: { handler: () => Promise.reject('second') },
  });

  expect(await world.call(target, () => Promise.reject('first'))).toBe('second');
  expect(await world.call(target, down)).toBe('second');
  expect(world.events.filter(({ type }) => type === 'fallback-failed')).toHaveLength(2);
});
