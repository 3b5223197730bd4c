// What a session that did not build the library broke, by hand and by random interleavings.
import { AsyncLocalStorage } from 'node:async_hooks';
import { Observable, of, Subject, throwError } from 'rxjs';
import { CallTimeoutError, CircuitOpenError, currentCall, type PolicySet } from 'nestjs-bulwark';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import { FACES, Gate, onEveryFace, settle, Stage } from '../support/stage.js';

const OBSERVABLE = FACES.find((face) => face.name === 'observable')!;
const PROMISE = FACES.find((face) => face.name === 'promise')!;
const down = (): Promise<never> => Promise.reject(new Error('down'));

function streams(policies: PolicySet): {
  stage: Stage;
  open(source: () => Observable<unknown>): Observable<unknown>;
} {
  const stage = new Stage(OBSERVABLE, policies);
  return { stage, open: (source) => runObservable(stage.target, source as never, undefined, []) };
}

function listen(source: Observable<unknown>): unknown[] {
  const heard: unknown[] = [];
  source.subscribe({
    next: (v) => heard.push(v),
    error: (e: Error) => heard.push(e.name),
    complete: () => heard.push('|'),
  });
  return heard;
}

describe('a source that throws when it is subscribed', () => {
  const closed = (): Observable<unknown> => {
    const subject = new Subject();
    subject.unsubscribe();
    return subject;
  };

  it('is a failed attempt: retried, and its slot is free', async () => {
    const { stage, open } = streams({
      retry: { maxAttempts: 3, delay: 1 },
      bulkhead: { maxConcurrent: 1 },
    });
    const heard = listen(open(closed));
    await stage.clock.advance(100);

    expect(heard).toEqual(['ObjectUnsubscribedError']);
    expect(stage.pipeline.counters.retries).toBe(2);
    expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
  });

  it('as the answer of a fallback is a fallback that failed', () => {
    const { open } = streams({ fallback: [closed, { value: 'second' }] });

    expect(listen(open(() => throwError(() => new Error('x'))))).toEqual(['second', '|']);
  });
});

onEveryFace((face) => {
  const hostile: Record<string, () => unknown> = {
    'an error whose cause getter throws': () =>
      Object.defineProperty(new Error('x'), 'cause', {
        get() {
          throw new Error('getter');
        },
      }),
    'an error whose cause cannot be defined': () =>
      Object.defineProperty(new Error('x'), 'cause', { value: undefined, configurable: false }),
    'a proxy that throws': () =>
      new Proxy(new Error('x'), {
        getPrototypeOf() {
          throw new Error('trap');
        },
      }),
  };
  it.each(Object.entries(hostile))('%s from a fallback reaches the caller', async (_name, make) => {
    const error = make();
    const stage = new Stage(face, {
      fallback: () => {
        throw error;
      },
    });

    const call = await stage.run(down);

    expect(Object.is((call.ending as { error: unknown }).error, error)).toBe(true);
  });

  it('an error object that fallbacks share does not carry one caller’s error to another', async () => {
    const shared = new Error('fallback broke');
    const stage = new Stage(face, {
      fallback: () => {
        throw shared;
      },
    });
    await stage.run(() => Promise.reject(new Error('secret of alice')));

    const bob = await stage.run(() => Promise.reject(new Error('of bob')));

    expect(bob.error).toBe(shared);
    expect(bob.error.cause).toBeUndefined();
  });

  it('a method that calls its own breaker again does not keep it half-open for ever', async () => {
    const stage = new Stage(face, {
      circuitBreaker: { failureThreshold: 1, openFor: 100, openJitter: 0 },
    });
    await stage.fail(1);
    const pages = async (left: number): Promise<unknown> => {
      if (left === 0) return 'last';
      const next = stage.call(() => pages(left - 1));
      while (next.isPending) await Promise.resolve();
      if (next.ending !== undefined && 'error' in next.ending) throw next.ending.error;
      return next.value;
    };

    for (let i = 0; i < 10; i += 1) {
      await stage.clock.advance(10_000);
      const call = stage.call(() => pages(5));
      while (call.isPending) await Promise.resolve();
    }

    expect(stage.breaker.current).toBe('closed');
  });

  it('a healthy method that takes longer than the lease closes the breaker', async () => {
    const stage = new Stage(face, {
      circuitBreaker: { failureThreshold: 1, openFor: 100, openJitter: 0, halfOpenLease: 5_000 },
    });
    await stage.fail(1);
    for (let second = 0; second < 30; second += 1) {
      stage.call(
        () => new Promise((resolve) => stage.clock.schedule(() => resolve('slow'), 6_000)),
      );
      await stage.clock.advance(1_000);
    }

    expect(stage.breaker.current).toBe('closed');
  });

  it('no attempt starts after the total timeout though the event loop was blocked past it', async () => {
    const stage = new Stage(face, { retry: { delay: 50, jitter: 'none', totalTimeout: 100 } });
    const call = stage.call(down);
    await settle();

    stage.clock.jump(300);
    await stage.clock.advance(0);

    expect(stage.executions).toBe(1);
    expect(call.error.message).toBe('down');
  });

  it('a queued call whose time is over does not start though its timer is late', async () => {
    const stage = new Stage(face, { timeLimit: 100, bulkhead: { maxConcurrent: 1 } });
    const slots = stage.pipeline.bulkhead!.policy;
    slots.enter();
    const call = await stage.run(() => Promise.resolve('ran'));

    stage.clock.jump(300);
    slots.release();
    await settle();

    expect(stage.executions).toBe(0);
    expect(call.error).toMatchObject({ code: 'CALL_TIMEOUT', started: false });
    expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
  });

  it('whoever wraps one of our errors says the same in other words', async () => {
    const stage = new Stage(face, { retry: { delay: 1 }, circuitBreaker: { failureThreshold: 1 } });
    const wrapping =
      (cause: Error): (() => Promise<never>) =>
      () =>
        Promise.reject(new Error('could not', { cause }));

    await stage.run(wrapping(new CircuitOpenError('Inner.call', 'open')));
    expect(stage.breaker.counters.rejected).toBe(1);
    await stage.run(wrapping(new CallTimeoutError('time-limit', 'Inner.call', 1, true)));
    await stage.clock.advance(100);

    expect(stage.executions).toBe(2);
    expect(stage.breaker.current).toBe('open');
  });

  it('a fallback called in another call’s first line does not see that call', async () => {
    let seen: string | undefined;
    const inner = new Stage(PROMISE, {
      circuitBreaker: { failureThreshold: 1 },
      fallback: () => (seen = currentCall().target),
    });
    inner.breaker.isolate();
    const outer = new Stage(face, { timeLimit: 100 });

    await outer.run(() => {
      inner.call(() => Promise.resolve());
      return Promise.resolve();
    });

    expect(seen).toBe('');
  });

  it('a tiny failure rate needs a failure', async () => {
    const stage = new Stage(face, { circuitBreaker: { failureRate: 1e-10, minimumCalls: 1 } });

    await stage.succeed(5);

    expect(stage.breaker.current).toBe('closed');
  });
});

it('a retry runs in its own caller’s context though a shared source fails in another’s', async () => {
  const storage = new AsyncLocalStorage<string>();
  const { stage, open } = streams({ retry: { maxAttempts: 2, delay: 1 } });
  const shared = new Subject();
  const ran: (string | undefined)[] = [];
  const subscribeAs = (user: string): void => {
    let first = true;
    storage.run(user, () =>
      listen(
        open(() => {
          if (!first) ran.push(storage.getStore());
          const source = first ? shared : of(1);
          first = false;
          return source;
        }),
      ),
    );
  };
  subscribeAs('alice');
  subscribeAs('bob');

  storage.run('alice', () => shared.error(new Error('x')));
  await stage.clock.advance(10);

  expect(ran.sort()).toEqual(['alice', 'bob']);
});

it('a caller who leaves in the middle of the method is not subscribed for', () => {
  const { stage, open } = streams({ bulkhead: { maxConcurrent: 1 } });
  let subscribed = 0;
  const leave = new Subject<void>();
  const source = open(() => {
    leave.next();
    return new Observable(() => {
      subscribed += 1;
    });
  });

  const subscription = source.subscribe();
  subscription.unsubscribe();
  expect(subscribed).toBe(1);
  subscribed = 0;
  const late = source.subscribe();
  leave.subscribe(() => late.unsubscribe());
  late.unsubscribe();

  expect(stage.bulkhead.running).toBe(0);
});

it('a predicate that makes the caller leave ends the call there', async () => {
  const controller = new AbortController();
  const stage = new Stage(PROMISE, {
    retry: {
      delay: 1,
      retryOn: () => {
        controller.abort(new Error('left'));
        return true;
      },
    },
  });
  let executions = 0;
  const work = (): Promise<never> => {
    executions += 1;
    return down();
  };

  await expect(runPromise(stage.target, work, undefined, [], controller.signal)).rejects.toThrow(
    'left',
  );
  await stage.clock.advance(1_000);

  expect(executions).toBe(1);
  expect(stage.clock.pending).toBe(0);
});

it('a list of fallbacks does not go on after a stream of one has emitted', () => {
  const partial = (): Observable<unknown> =>
    new Observable((s) => {
      s.next('partial');
      s.error(new Error('broke'));
    });
  const { open } = streams({ fallback: [partial, { value: 'SECOND' }] });

  expect(listen(open(() => throwError(() => new Error('x'))))).toEqual(['partial', 'Error']);
});

it('a promise method whose fallback answers with a stream gets its last value', async () => {
  const stage = new Stage(PROMISE, { fallback: () => of(41, 42) });

  expect((await stage.run(down)).value).toBe(42);
});

it('a promise with a `then` of its own that throws is a failed attempt', async () => {
  const stage = new Stage(PROMISE, { bulkhead: { maxConcurrent: 1 } });
  const gate = new Gate();
  const broken = Object.assign(gate.promise, {
    // oxlint-disable-next-line unicorn/no-thenable -- that is the case
    then() {
      throw new Error('then');
    },
  });

  const call = await stage.run(() => broken as never);

  expect(call.error.message).toBe('then');
  expect(stage.bulkhead.running).toBe(0);
});
