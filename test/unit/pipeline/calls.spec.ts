// What a call tells its method and those who look into it afterwards.
import { type CallContext, currentCall } from '../../../lib/pipeline/current-call.js';
import { runPromise } from '../../../lib/pipeline/promise-face.js';
import { explainError } from '../../../lib/pipeline/trace.js';
import { settle } from '../../../lib/testing/index.js';
import { breakerOf, World } from './world.js';

const never = (): Promise<unknown> => new Promise(() => {});
const caught = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);

describe('the signal of an attempt', () => {
  it('is one and the same however often it is read', () => {
    const world = new World();
    const target = world.target('A', { timeLimit: 100 });
    const seen: AbortSignal[] = [];
    void caught(
      runPromise(
        target,
        () => {
          const call = currentCall();
          seen.push(call.signal, call.signal);
          return never();
        },
        undefined,
        [],
      ),
    );

    expect(seen[0]).toBe(seen[1]);
    expect(seen[0]!.aborted).toBe(false);
  });

  it('that is read for the first time after the limit has aborted, for that reason', async () => {
    const world = new World();
    const target = world.target('A', { timeLimit: 100 });
    let context!: CallContext;
    const call = caught(
      runPromise(
        target,
        () => {
          context = currentCall();
          return never();
        },
        undefined,
        [],
      ),
    );
    await world.clock.advance(100);

    expect(context.signal.aborted).toBe(true);
    expect(context.signal.reason).toBe(await call);
  });
});

it('a call without a limit has no deadline, one with a limit the moment of its end', async () => {
  const world = new World();
  const contexts: CallContext[] = [];
  const look = (): Promise<unknown> => {
    contexts.push(currentCall());
    return Promise.resolve();
  };
  await world.call(world.target('A', { retry: { retryOnResult: () => false } }), look);
  await world.call(world.target('B', { timeLimit: 100 }), look);

  expect('deadline' in contexts[0]!).toBe(false);
  expect(contexts[0]!.remaining()).toBe(Number.POSITIVE_INFINITY);
  expect(contexts[1]!.deadline).toBe(world.clock.epoch() + 100);
});

it('a call that nothing can end has a context too: its name, and a signal that never aborts', async () => {
  const world = new World();
  const contexts: CallContext[] = [];
  const target = world.target('A', { circuitBreaker: {} });
  await world.call(target, () => {
    contexts.push(currentCall());
    return Promise.resolve();
  });

  const [context] = contexts;
  expect(context).toMatchObject({ target: 'A', attempt: 1 });
  expect(context!.signal).toBeInstanceOf(AbortSignal);
  expect(context!.signal).toBe(context!.signal);
  expect(context!.signal.aborted).toBe(false);
  expect(context!.remaining()).toBe(Number.POSITIVE_INFINITY);
  expect('deadline' in context!).toBe(false);
});

it('of the policies that a call meets some may be one for all, and others one per key', async () => {
  const world = new World();
  const target = world.target('A', {
    circuitBreaker: { failureThreshold: 1, key: (id: string) => id },
    bulkhead: { maxConcurrent: 1 },
  });
  await world.fail(target, 1, 'a');
  void caught(runPromise(target, never, undefined, ['b']));
  const answers = [
    await world.call(target, () => Promise.resolve(1), 'a'),
    target.pipeline.bulkhead!.policy.snapshot().running,
  ];

  expect(answers).toMatchObject([{ code: 'CIRCUIT_OPEN' }, 1]);
});

it('an answer that is judged a failure is not kept for calls that fail', async () => {
  const world = new World();
  const target = world.target('A', {
    circuitBreaker: { isFailure: (settled) => !settled.ok || settled.value === 'bad' },
    fallback: { cache: { ttl: 1_000, key: () => 'all' } },
  });
  const down = (): Promise<never> => Promise.reject(new Error('down'));
  expect(await world.call(target, () => Promise.resolve('bad'))).toBe('bad');
  expect(await world.call(target, down)).toEqual(new Error('down'));
  expect(await world.call(target, () => Promise.resolve('good'))).toBe('good');
  expect(await world.call(target, down)).toBe('good');
});

describe('an explanation', () => {
  it('of the first error has no attempts before it, and by default no decisions', async () => {
    const world = new World();
    const plain = world.target('A', { timeLimit: 100 });
    const failed = await world.call(plain, () => Promise.reject(new Error('x')));
    expect(explainError(failed)).toBeUndefined();
    const traced = new World({ trace: true });
    const error = await traced.call(traced.target('A', { timeLimit: 100 }), () =>
      Promise.reject(new Error('x')),
    );
    expect(explainError(error)).toMatchObject({ target: 'A', attempts: [] });

    const retried = world.target('B', { retry: { maxAttempts: 2, delay: 0, jitter: 'none' } });
    const call = caught(runPromise(retried, () => Promise.reject(new Error('x')), undefined, []));
    await world.clock.advance(1);
    expect(explainError(await call)).toMatchObject({ target: 'B', decisions: [] });
    expect(explainError(await call)!.attempts).toHaveLength(1);
  });

  it.each([undefined, null, 'text', 5])('of %p there is none', (error) => {
    expect(explainError(error)).toBeUndefined();
  });

  it('with a trace says how each attempt ended, and what a fallback did', async () => {
    const world = new World({ trace: true });
    const answers = [Promise.resolve(0), Promise.resolve(1), Promise.reject(new Error('down'))];
    const target = world.target('A', {
      circuitBreaker: { isFailure: (s) => !s.ok || s.value === 1 },
      retry: {
        maxAttempts: 3,
        delay: 0,
        jitter: 'none',
        retryOnResult: (value) => typeof value === 'number',
      },
      fallback: { handler: () => Promise.reject(new Error('instead')) },
    });
    const call = caught(runPromise(target, () => answers.shift()!, undefined, []));
    for (const answer of answers) answer.catch(() => {});
    await world.clock.advance(1);

    const { decisions } = explainError(await call)!;
    const by = (who: string): string[] =>
      decisions.filter((d) => d.by === who).map((d) => d.verdict);
    expect(by('method')).toEqual([
      'started',
      'answered',
      'started',
      'answered, counted as failure',
      'started',
      'failed, counted as failure',
    ]);
    expect(by('fallback')).toEqual(['asks handler', 'failed']);
  });
});

it('by default a refusal captures no stack, and with `stack` it does', async () => {
  const refusalOf = async (world: World): Promise<Error> => {
    const target = world.target('A', { circuitBreaker: { failureThreshold: 1 } });
    await world.fail(target, 1);
    return (await world.call(target, never)) as Error;
  };

  expect((await refusalOf(new World())).stack).not.toContain('\n    at ');
  expect((await refusalOf(new World({ stack: true }))).stack).toContain('\n    at ');
});

it('presets lie over each other, the first wins, and what is unknown is named', () => {
  const presets = { rpc: { timeLimit: 5, retry: { delay: 1 } }, slow: { timeLimit: 9 } };
  const { runtime } = new World({ presets });

  expect(runtime.resolve(['slow', 'rpc', 'none'], { retry: { maxAttempts: 2 } })).toEqual({
    timeLimit: { ms: 9 },
    retry: { delay: 1, maxAttempts: 2 },
  });
  expect(runtime.checkPresets('A', ['slow', 'none', {}])).toEqual([
    { at: 'A', problem: 'got "none", expected one of "rpc", "slow"' },
  ]);
  expect(new World().runtime.checkPresets('A', ['none'])).toEqual([
    { at: 'A', problem: 'got "none", expected the name of a preset; there are none' },
  ]);
});

it('a lease of the breaker’s own is not widened by a time limit, and only the longest limit counts', async () => {
  const options = {
    failureThreshold: 1,
    openFor: 10,
    openJitter: 0,
    successThreshold: 1,
    halfOpenCalls: 1,
  };
  const leaseOf = async (world: World, name: string): Promise<unknown> => {
    const target = world.runtime.target(name)!;
    await world.fail(target, 1);
    await world.clock.advance(10);
    void caught(runPromise(target, never, undefined, []));
    await settle();
    return target.pipeline.breaker!.policy.retryAfter();
  };
  const own = new World();
  own.target('A', { circuitBreaker: { ...options, halfOpenLease: 70 }, timeLimit: 10_000 });
  expect(await leaseOf(own, 'A')).toBe(70);

  const shared = new World();
  const circuitBreaker = { ...options, name: 'pay' };
  shared.target('A', { circuitBreaker, timeLimit: 10_000 });
  shared.target('B', { circuitBreaker, timeLimit: 9_000 });
  shared.target('C', { circuitBreaker });
  expect(await leaseOf(shared, 'C')).toBe(20_000);
  expect(breakerOf(shared, 'pay').state).toBe('half-open');
});
