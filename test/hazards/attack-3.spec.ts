// What a third session broke, which did not build the engine: changes under running calls, keys that
// are forgotten under them, contexts of others.
import { AsyncLocalStorage } from 'node:async_hooks';
import { concat, NEVER, type Observable, of, Subject, throwError } from 'rxjs';
import { explainError, type PolicySet } from 'nestjs-bulwark';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { FakeClock } from '../../lib/testing/index.js';
import { argOf, FACES, onEveryFace, Stage } from '../support/stage.js';

const OBSERVABLE = FACES.find((face) => face.name === 'observable')!;
const PROMISE = FACES.find((face) => face.name === 'promise')!;
const NAME = 'Controller.handle';
const forever = (): Promise<never> => new Promise(() => {});
const down = (): Promise<never> => Promise.reject(new Error('down'));
const up = (): Promise<string> => Promise.resolve('ok');
const tenant = (...args: unknown[]): string => argOf(args[0]) as string;

onEveryFace((face) => {
  it('work that was given up on loses its slot though maxHold was changed while it ran', async () => {
    const stage = new Stage(face, { timeLimit: 100, bulkhead: { maxConcurrent: 1 } });
    await stage.run(forever);
    stage.runtime.reconfigure(NAME, { bulkhead: { maxHold: 1_000 } });

    await stage.clock.advance(500);

    expect(stage.bulkhead.running).toBe(0);
  });

  it('a retry shares the slots of its key though the key was forgotten during the delay', async () => {
    const stage = new Stage(face, {
      retry: { delay: 1_000, jitter: 'none' },
      bulkhead: { maxConcurrent: 1, key: tenant, maxKeys: 1 },
    });
    let [running, most, calls] = [0, 0, 0];
    const work = async (): Promise<void> => {
      calls += 1;
      if (calls === 1) throw new Error('x');
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => stage.clock.schedule(resolve, 500));
      running -= 1;
    };
    stage.call(work, 'alice');
    await stage.clock.advance(990);
    await stage.run(up, 'bob');
    stage.call(work, 'alice');
    await stage.clock.advance(10_000);

    expect([calls, most]).toEqual([3, 1]);
  });

  it('a retry shares the rate limit of its key though the key was forgotten during the delay', async () => {
    const stage = new Stage(face, {
      retry: { delay: 5_000, jitter: 'none' },
      rateLimit: { limit: 1, per: 1_000, maxWait: 5_000, key: tenant, maxKeys: 1 },
    });
    const starts: number[] = [];
    const work = async (): Promise<void> => {
      starts.push(stage.clock.now());
      if (starts.length === 1) throw new Error('x');
    };
    stage.call(work, 'alice');
    await stage.clock.advance(4_990);
    await stage.run(up, 'bob');
    stage.call(work, 'alice');
    await stage.clock.advance(10_000);

    expect(starts[2]! - starts[1]!).toBe(1_000);
  });

  it('who waits for a turn shares the slots of its key though the key was forgotten meanwhile', async () => {
    const stage = new Stage(face, {
      rateLimit: { limit: 1, per: 1_000, maxWait: 5_000 },
      bulkhead: { maxConcurrent: 1, maxQueue: 0, key: tenant, maxKeys: 1 },
    });
    await stage.run(up, 'bob');
    stage.call(forever, 'alice');
    stage.call(up, 'bob');
    const last = stage.call(forever, 'alice');
    await stage.clock.advance(10_000);

    expect(last.error).toMatchObject({ code: 'BULKHEAD_FULL' });
  });

  it('a breaker is found by a key that is too long to be kept as it is', async () => {
    const long = 'x'.repeat(300);
    const stage = new Stage(face, { circuitBreaker: { key: () => long, failureThreshold: 1 } });
    await stage.fail(1);
    const { breakers } = stage.runtime.registry;

    expect(breakers.keyedReader(NAME)?.reader(long)?.state).toBe('open');
    breakers.control(NAME, long)!.reset();

    expect(breakers.keyedReader(NAME)?.reader(long)?.state).toBe('closed');
  });

  it('work by hand that failed with a Retry-After keeps the breaker open for that', () => {
    const stage = new Stage(face, { circuitBreaker: { failureThreshold: 1, openJitter: 0 } });
    const control = stage.runtime.registry.breakers.control(NAME)!;
    const error = Object.assign(new Error('x'), { headers: { 'retry-after': '60' } });

    control.acquire()!.failure(error);
    expect(stage.breaker.retryAfter()).toBe(60_000);
    control.reset();
    control.recordFailure(error);

    expect(stage.breaker.retryAfter()).toBe(60_000);
  });

  it('slow calls count also where a clock begins at 0, as faked ones do', async () => {
    const stage = new Stage(face, {
      circuitBreaker: { slowCallDuration: 50, minimumCalls: 1 },
      bulkhead: {},
    });
    const { clock } = stage;
    Object.assign(clock, new FakeClock(0));
    stage.call(() => new Promise<void>((resolve) => clock.schedule(resolve, 100)));
    await clock.advance(100);

    expect(stage.breaker.current).toBe('open');
  });

  it('the refusal of another key makes no room for more probes of this one', async () => {
    const stage = new Stage(face, {
      circuitBreaker: { key: tenant, failureThreshold: 1, openFor: 100, openJitter: 0 },
    });
    for (const key of ['near', 'far']) await stage.run(down, key);
    await stage.clock.advance(100);
    stage.runtime.registry.breakers.control(NAME, 'far')!.open(100_000);
    const askFar = async (): Promise<never> => {
      const call = stage.call(up, 'far');
      while (call.isPending) await Promise.resolve();
      throw call.error;
    };
    for (let i = 0; i < 10; i += 1) await stage.run(askFar, 'near');
    expect(stage.executions).toBe(12);

    for (let i = 0; i < 10; i += 1) await stage.run(forever, 'near');

    expect(stage.executions).toBe(12 + 3);
  });

  it('the attempts of one caller do not explain an error object that another one gets as well', async () => {
    const shared = new Error('a constant');
    const stage: Stage = new Stage(face, {
      retry: { maxAttempts: 2, delay: 1, retryOn: (): boolean => stage.executions < 2 },
    });
    let alice = true;
    const work = (): Promise<never> => {
      const error = alice ? new Error('secret of alice') : shared;
      alice = false;
      return Promise.reject(error);
    };
    stage.call(work);
    await stage.clock.advance(10);
    expect(explainError(shared)?.attempts).toHaveLength(1);

    const bob = await stage.run(work);

    expect(bob.error).toBe(shared);
    expect(explainError(shared)).toBeUndefined();
  });

  describe('an async predicate, whose promise would always count as true', () => {
    const no = (): never => Promise.resolve(false) as never;
    const breaks = (): never => Promise.reject(new Error('nobody hears it')) as never;

    it.each<[string, PolicySet]>([
      ['isFailure', { circuitBreaker: { failureThreshold: 1, isFailure: no } }],
      ['ignore', { circuitBreaker: { ignore: breaks } }],
      ['retryOn', { retry: { retryOn: no } }],
      ['retryOnResult', { retry: { retryOnResult: breaks } }],
    ])('%s is reported, and decides nothing', async (option, policies) => {
      const stage = new Stage(face, policies);
      await stage.succeed(2);
      await stage.fail(1);

      expect(stage.executions).toBe(3);
      expect(stage.events).toContainEqual(
        expect.objectContaining({ type: 'predicate-failed', option }),
      );
    });

    it.each<[string, PolicySet]>([
      ['key', { circuitBreaker: { key: breaks } }],
      ['ms', { timeLimit: { ms: breaks } }],
      ['backoff', { retry: { backoff: breaks } }],
      ['openFor', { circuitBreaker: { failureThreshold: 1, openFor: breaks } }],
      ['cache.key', { fallback: { cache: { ttl: 1, key: breaks } } }],
    ])('%s that rejects does not end the process', async (option, policies) => {
      const stage = new Stage(face, policies);
      await stage.fail(1);

      expect(stage.events).toContainEqual(
        expect.objectContaining({ type: 'predicate-failed', option }),
      );
    });

    it('priority that rejects does not end the process', async () => {
      const stage = new Stage(face, { bulkhead: { maxConcurrent: 1, priority: breaks } });
      await stage.run(forever);
      await stage.run(up);

      expect(stage.eventTypes()).toEqual(['predicate-failed']);
    });
  });
});

it('text is no time to stay open', () => {
  const stage = new Stage(PROMISE, { circuitBreaker: {} });

  expect(() => stage.breaker.open('5' as never)).toThrow(RangeError);
  expect(stage.breaker.current).toBe('closed');
});

it('an isolation without words is still one after a restart', () => {
  const { breaker } = new Stage(PROMISE, { circuitBreaker: {} });
  breaker.isolate(null as never);
  const { breaker: later } = new Stage(PROMISE, { circuitBreaker: {} });

  later.restore(JSON.parse(JSON.stringify(breaker.save())));

  expect(later.current).toBe('isolated');
});

it('who joins a shared breaker by a patch does not take back what another patch changed', async () => {
  const declared = { name: 'bank', failureThreshold: 5 };
  const stage = new Stage(PROMISE, { circuitBreaker: declared });
  const { runtime } = stage;
  runtime.registerChecked('Late.call', {});
  runtime.reconfigure(NAME, { circuitBreaker: { failureThreshold: 2 } });

  runtime.reconfigure('Late.call', { circuitBreaker: declared });
  runtime.reconfigure('Late.call', { circuitBreaker: { openFor: 1_000 } });
  await stage.fail(2);

  expect(stage.breaker.current).toBe('open');
});

describe('a shared stream that ends in the context of another', () => {
  const users = ['alice', 'bob'];
  const storage = new AsyncLocalStorage<string>();

  /** In whose context the second of two sources is asked for, once the first, which is shared, has ended. */
  async function contexts(
    policies: (ask: () => Observable<unknown>, shared: Subject<unknown>) => PolicySet,
    first: 'method' | 'fallback',
    end: (shared: Subject<unknown>) => void,
  ): Promise<unknown[]> {
    const shared = new Subject();
    const asked: unknown[] = [];
    const ask = (): Observable<unknown> => of(asked.push(storage.getStore()));
    const stage = new Stage(OBSERVABLE, policies(ask, shared));
    for (const user of users) {
      let attempt = 0;
      const method = (): Observable<unknown> => {
        attempt += 1;
        if (first === 'fallback') return throwError(() => new Error('x'));
        return attempt === 1 ? shared : ask();
      };
      storage.run(user, () =>
        runObservable(stage.target, method as never, undefined, []).subscribe(),
      );
    }
    storage.run('alice', () => end(shared));
    await stage.clock.advance(10);
    return asked.sort();
  }

  it('the attempt after an empty stream runs in its own caller’s', async () => {
    const retry = { delay: 1, retryOnResult: (value: unknown) => value === undefined };

    expect(
      await contexts(
        () => ({ retry }),
        'method',
        (shared) => shared.complete(),
      ),
    ).toEqual(users);
  });

  it('the next fallback runs in its own caller’s', async () => {
    const asked = await contexts(
      (ask, shared) => ({ fallback: [() => shared, ask] }),
      'fallback',
      (shared) => shared.error(new Error('y')),
    );

    expect(asked).toEqual(users);
  });
});

it('a retried stream that delivers is no retry any more: whoever else fails may have one', async () => {
  const stage = new Stage(OBSERVABLE, {
    retry: { delay: 1, retryAfterEmit: true, budget: { ratio: 0, minimum: 1 } },
  });
  const heard: unknown[] = [];
  for (const user of ['alice', 'bob']) {
    let attempt = 0;
    const method = (): Observable<unknown> => {
      attempt += 1;
      return attempt === 1 ? throwError(() => new Error('x')) : concat(of(user), NEVER);
    };
    runObservable(stage.target, method as never, undefined, []).subscribe({
      next: (value) => heard.push(value),
      error: (error: Error) => heard.push(error.message),
    });
    await stage.clock.advance(1_000);
  }

  expect(heard).toEqual(['alice', 'bob']);
  expect(stage.pipeline.budget!.calls).toBe(2);
});
