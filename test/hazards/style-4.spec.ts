// The nine faults that were found by running the models of the field (STYLE 4): laws for our code.
import { NEVER, Observable, of, throwError } from 'rxjs';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { FACES, Gate, onEveryFace, settle, Stage } from '../support/stage.js';

const OBSERVABLE = FACES.find((face) => face.name === 'observable')!;
const down = (): Promise<never> => Promise.reject(new Error('down'));

onEveryFace((face) => {
  it('hazard 1: an outcome counts only in the era its call entered', async () => {
    const stage = new Stage(face, {
      circuitBreaker: {
        failureThreshold: 1,
        openFor: 100,
        openJitter: 0,
        halfOpenCalls: 1,
        successThreshold: 1,
      },
    });
    const old = new Gate();
    stage.call(old.work);
    await stage.fail(1);
    await stage.clock.advance(100);
    const probe = new Gate();
    stage.call(probe.work);
    await settle();

    old.reject(new Error('from before the trip'));
    await settle();
    probe.resolve();
    await settle();

    expect(stage.breaker.current).toBe('closed');
  });

  it('hazard 2: the window forgets by time, on every read', async () => {
    const stage = new Stage(face, {
      circuitBreaker: { failureRate: 0.5, minimumCalls: 5, window: 5_000 },
    });
    await stage.fail(4);
    await stage.clock.advance(3_600_000);
    expect(stage.breaker.snapshot().failures).toBe(0);

    await stage.fail(1);

    expect(stage.breaker.current).toBe('closed');
  });

  it('hazard 3: a freed slot is handed to the head of the queue, never raced for again', async () => {
    const stage = new Stage(face, { bulkhead: { maxConcurrent: 1, maxQueue: 1 } });
    const first = new Gate();
    stage.call(first.work);
    const accepted = stage.call(() => Promise.resolve('accepted'));
    await settle();

    first.resolve();
    await Promise.resolve();
    stage.call(() => Promise.resolve());
    stage.call(() => Promise.resolve());
    await settle();

    expect(accepted.value).toBe('accepted');
  });

  it('hazard 4: a retry around a bulkhead leaves as many slots as there were', async () => {
    const stage = new Stage(face, {
      retry: { maxAttempts: 5, delay: 1 },
      bulkhead: { maxConcurrent: 1, maxQueue: 0 },
    });
    stage.call(down);
    await stage.clock.advance(1_000);
    expect(stage.executions).toBe(5);

    const gate = new Gate();
    const calls = Array.from({ length: 3 }, () => stage.call(gate.work));
    await settle();

    expect(calls.filter((c) => c.isPending)).toHaveLength(1);
  });

  it('hazard 7: every failure reaches the caller, also one thrown while the call is set up', async () => {
    const stage = new Stage(face, { retry: { maxAttempts: 1 }, circuitBreaker: {}, bulkhead: {} });

    const call = await stage.run(() => {
      throw new Error('in the set-up');
    });

    expect(call.error.message).toBe('in the set-up');
    expect(stage.bulkhead.running).toBe(0);
  });

  it('hazard 8: budgets are per call: n attempts each time, also for the same stream subscribed twice', async () => {
    const stage = new Stage(face, { retry: { maxAttempts: 3, delay: 1 } });

    stage.call(down);
    await stage.clock.advance(100);
    stage.call(down);
    await stage.clock.advance(100);

    expect(stage.executions).toBe(6);
  });

  it('hazard 9: probes are counted permits: twenty at once are three', async () => {
    const stage = new Stage(face, {
      circuitBreaker: { failureThreshold: 1, openFor: 100, openJitter: 0 },
    });
    await stage.fail(1);
    await stage.clock.advance(100);
    stage.executions = 0;
    const gate = new Gate();

    for (let i = 0; i < 20; i += 1) stage.call(gate.work);
    await settle();

    expect(stage.executions).toBe(3);
  });
});

it('hazard 5: nothing is taken before subscription', async () => {
  const stage = new Stage(OBSERVABLE, {
    bulkhead: { maxConcurrent: 1, maxQueue: 0 },
    circuitBreaker: {},
  });
  for (let i = 0; i < 10; i += 1) runObservable(stage.target, () => NEVER, undefined, []);

  expect(stage.bulkhead.running).toBe(0);
  expect((await stage.run(() => Promise.resolve('ok'))).value).toBe('ok');
});

it('hazard 6: unsubscribing reaches the method', () => {
  const stage = new Stage(OBSERVABLE, {
    retry: {},
    circuitBreaker: {},
    timeLimit: 100,
    bulkhead: {},
  });
  let torn = 0;
  const endless = (): Observable<unknown> => new Observable(() => () => (torn += 1));

  runObservable(stage.target, endless as never, undefined, [])
    .subscribe()
    .unsubscribe();

  expect(torn).toBe(1);
  expect(stage.clock.pending).toBe(0);
});

it('hazard 8: the same stream object subscribed twice has its attempts twice', async () => {
  const stage = new Stage(OBSERVABLE, { retry: { maxAttempts: 3, delay: 1 } });
  let invoked = 0;
  const stream = runObservable(
    stage.target,
    () => {
      invoked += 1;
      return invoked === 6 ? of('sixth') : throwError(() => new Error('x'));
    },
    undefined,
    [],
  );
  const ends: unknown[] = [];

  stream.subscribe({ error: () => ends.push('error') });
  await stage.clock.advance(100);
  stream.subscribe((value) => ends.push(value));
  await stage.clock.advance(100);

  expect([invoked, ends]).toEqual([6, ['error', 'sixth']]);
});
