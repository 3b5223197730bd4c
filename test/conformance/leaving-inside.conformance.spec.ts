// A caller who leaves while one of our functions runs: in an option, in a hook, in a fallback.
import type { PolicySet } from 'nestjs-bulwark';
import { NEVER, type Observable, Subject, takeUntil, throwError } from 'rxjs';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import { FACES, Gate, onEveryFace, type RunningCall, settle, Stage } from '../support/stage.js';

const fail = (): never => {
  throw new Error('too');
};

onEveryFace((face) => {
  if (!face.canLeave) return;

  it.each<[string, (leave: () => void) => PolicySet]>([
    ['retryOn', (leave) => ({ retry: { retryOn: () => (leave(), true) } })],
    ['abortOn', (leave) => ({ retry: { abortOn: () => (leave(), false) } })],
    ['backoff', (leave) => ({ retry: { backoff: () => (leave(), 10) } })],
    ['isFailure', (leave) => ({ circuitBreaker: { isFailure: () => (leave(), true) } })],
    ['ignore', (leave) => ({ circuitBreaker: { ignore: () => (leave(), false) } })],
    [
      'fallback on',
      (leave) => ({
        retry: { maxAttempts: 1 },
        fallback: { value: 1, on: () => (leave(), true) },
      }),
    ],
    ['beforeRetry', (leave) => ({ retry: { beforeRetry: () => leave() } })],
    ['ms', (leave) => ({ timeLimit: { ms: () => (leave(), 1_000) } })],
  ])('one that leaves in the middle of %s is gone from there on', async (_name, make) => {
    let call: RunningCall | undefined;
    const policies = make(() => call?.cancel());
    const stage = new Stage(face, { retry: { jitter: 'none' }, bulkhead: {}, ...policies });
    const gate = new Gate();
    call = stage.call(gate.work);
    await settle();

    gate.reject(new Error('down'));
    await stage.clock.advance(100_000);

    expect(call.ending).toEqual({ cancelled: true });
    expect(stage.executions).toBe(1);
    expect(stage.clock.pending).toBe(0);
    expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
    expect([stage.pipeline.budget!.calls, stage.pipeline.budget!.retries]).toEqual([0, 0]);
  });

  it('one that leaves in the middle of priority takes no place in the queue', async () => {
    let call: RunningCall | undefined;
    const stage = new Stage(face, {
      retry: { jitter: 'none' },
      bulkhead: { maxConcurrent: 1, priority: () => (call?.cancel(), 1) },
    });
    const gate = new Gate();
    call = await stage.run(gate.work);
    gate.reject(new Error('down'));
    await settle();
    stage.pipeline.bulkhead!.policy.enter();

    await stage.clock.advance(100);

    expect(call.ending).toEqual({ cancelled: true });
    expect(stage.bulkhead).toMatchObject({ running: 1, queued: 0 });
    expect(stage.clock.pending).toBe(0);
  });

  it('one that leaves while fallbacks are asked whether they apply is given none', async () => {
    let call: RunningCall | undefined;
    let asked = 0;
    const stage = new Stage(face, {
      fallback: { handler: () => (asked += 1), on: () => (call!.cancel(), true) },
    });
    const gate = new Gate();
    call = await stage.run(gate.work);

    gate.reject(new Error('down'));
    await settle();

    expect(call.ending).toEqual({ cancelled: true });
    expect(asked).toBe(0);
  });

  it.each<[string, () => unknown]>([
    ['fails', () => Promise.reject(new Error('too'))],
    ['throws', () => fail()],
    ['answers', () => Promise.resolve(1)],
    ['is a stream', () => throwError(() => new Error('never subscribed'))],
  ])('#97 one that leaves in the middle of a fallback that %s is gone', async (_name, answer) => {
    let call: RunningCall | undefined;
    const stage = new Stage(face, {
      fallback: () => {
        call!.cancel();
        return answer();
      },
    });
    const gate = new Gate();
    call = await stage.run(gate.work);

    gate.reject(new Error('down'));
    await settle();

    expect(call.ending).toEqual({ cancelled: true });
    expect(stage.eventTypes()).toEqual([]);
    expect(stage.pipeline.counters.degraded).toBe(0);
  });

  it('one that leaves in the middle of retryOnResult is gone from there on', async () => {
    let call: RunningCall | undefined;
    const stage = new Stage(face, {
      retry: { retryOnResult: () => (call!.cancel(), true) },
      bulkhead: {},
      timeLimit: { ms: 1_000, idle: 1_000 },
    });
    const gate = new Gate();
    call = stage.call(gate.work);
    await settle();

    gate.resolve('bad');
    await settle();

    expect(call.ending).toEqual({ cancelled: true });
    expect(call.values).toEqual([]);
    expect(stage.clock.pending).toBe(0);
    expect(stage.bulkhead.running).toBe(0);
  });
});

describe('one that leaves in the middle of the key of a cache starts nothing', () => {
  const left = new Error('left');
  const stageOf = (leave: () => void): Stage =>
    new Stage(FACES[0]!, {
      fallback: { cache: { ttl: 1_000, key: () => (leave(), 'k') } },
      retry: { totalTimeout: 1_000 },
    });

  it('by signal', async () => {
    const leaving = new AbortController();
    const stage = stageOf(() => leaving.abort(left));
    let ran = false;
    const work = async (): Promise<void> => {
      ran = true;
    };

    const call = runPromise(stage.target, work, undefined, [], leaving.signal);

    await expect(call).rejects.toBe(left);
    expect(ran).toBe(false);
    expect(stage.clock.pending).toBe(0);
  });

  it('by unsubscribing', () => {
    const leave = new Subject<void>();
    const stage = stageOf(() => leave.next());
    let ran = false;
    const work = (): Observable<never> => {
      ran = true;
      return NEVER;
    };

    runObservable(stage.target, work, undefined, []).pipe(takeUntil(leave)).subscribe();

    expect(ran).toBe(false);
    expect(stage.clock.pending).toBe(0);
    expect(stage.pipeline.budget!.calls).toBe(0);
  });
});

it('#97 a method that makes its caller leave and then rejects harms nobody', async () => {
  const stage = new Stage(FACES[2]!, { bulkhead: {} });
  const leave = new Subject<void>();
  const method = (): Promise<never> => {
    leave.next();
    return Promise.reject(new Error('after'));
  };

  runObservable(stage.target, method, undefined, []).pipe(takeUntil(leave)).subscribe();
  await settle();

  expect(stage.bulkhead.running).toBe(0);
});
