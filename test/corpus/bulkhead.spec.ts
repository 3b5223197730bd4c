// Bugs of peers: places are taken once, given back once, and handed on in order.
import { AsyncLocalStorage } from 'node:async_hooks';
import { BulkheadReentrancyError, type BulkheadOptions, QueueTimeoutError } from 'nestjs-bulwark';
import { NEVER, Observable, of, Subject, take, tap } from 'rxjs';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { Gate, Stage } from '../support/stage.js';
import { OBSERVABLE, PROMISE, settle, SIGNAL, up } from './support.js';

const stageOf = (bulkhead: BulkheadOptions, face = PROMISE): Stage => new Stage(face, { bulkhead });

/** A stage of streams, and a way to make one that is not subscribed yet. */
function streams(bulkhead: BulkheadOptions): [Stage, (source: unknown) => Observable<unknown>] {
  const stage = stageOf(bulkhead, OBSERVABLE);
  return [stage, (source) => runObservable(stage.target, (() => source) as never, undefined, [])];
}

describe('the queue', () => {
  // https://github.com/sindresorhus/p-queue/issues/200
  it('p-queue #200: a hundred queued tasks each see their own caller’s store', async () => {
    const stage = stageOf({ maxConcurrent: 2, maxQueue: 100 });
    const store = new AsyncLocalStorage<number>();
    const strangers: number[] = [];

    for (let id = 0; id < 100; id += 1) {
      store.run(id, () =>
        stage.call(async () => {
          if (store.getStore() !== id) strangers.push(id);
          await Promise.resolve();
          if (store.getStore() !== id) strangers.push(id);
        }),
      );
    }
    for (let i = 0; i < 20; i += 1) await settle();

    expect(stage.executions).toBe(100);
    expect(strangers).toEqual([]);
  });

  // https://github.com/sindresorhus/p-limit/issues/91
  it('p-limit #91: tasks that queue more of their own kind are told so, and do not wait for ever', async () => {
    const stage = stageOf({ maxConcurrent: 2, maxQueue: 100 });
    const inner = (): Promise<unknown> => {
      const calls = [1, 2, 3].map(() => stage.call(up));
      return settle().then(() => {
        const failed = calls.find(({ ending }) => ending !== undefined && 'error' in ending);
        if (failed !== undefined) throw failed.error;
        return calls.map(({ value }) => value);
      });
    };

    const outer = [1, 2, 3].map(() => stage.call(inner));
    for (let i = 0; i < 20; i += 1) await settle();

    expect(outer.filter(({ isPending }) => isPending)).toEqual([]);
    expect(outer[1]!.error).toBeInstanceOf(BulkheadReentrancyError);
    expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
  });

  // https://github.com/connor4312/cockatiel/pull/114
  it('cockatiel #114: an aborted task holds no place, neither in the queue nor to run', async () => {
    const stage = stageOf({ maxConcurrent: 1, maxQueue: 1 }, SIGNAL);
    const running = new Gate();
    stage.call(running.work);
    const aborted = await stage.run(up);
    aborted.cancel();
    const queued = await stage.run(up);
    expect(queued.isPending).toBe(true);

    running.resolve();
    await settle();

    expect(queued.value).toBe('ok');
    expect(stage.executions).toBe(2);
    expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
  });

  // https://github.com/failsafe-lib/failsafe/issues/393
  it('failsafe #393: eight waiters that gave up do not take the bulkhead with them', async () => {
    const stage = stageOf({ maxConcurrent: 8, maxQueue: 8, queueTimeout: 50 });
    const holders = new Gate();
    for (let i = 0; i < 8; i += 1) stage.call(holders.work);
    const waiters = Array.from({ length: 8 }, () => stage.call(up));
    await stage.clock.advance(50);
    expect(waiters.every(({ error }) => error instanceof QueueTimeoutError)).toBe(true);

    holders.resolve();
    await settle();
    const next = await Promise.all(Array.from({ length: 8 }, () => stage.run(up)));

    expect(next.map(({ value }) => value)).toEqual(Array.from({ length: 8 }, () => 'ok'));
  });

  // https://github.com/failsafe-lib/failsafe/issues/365
  it('failsafe #365: with one place, the third of three is called too', async () => {
    const stage = stageOf({ maxConcurrent: 1, maxQueue: 10, queueTimeout: 15_000 });
    const work = (): Promise<unknown> =>
      new Promise((resolve) => stage.clock.schedule(() => resolve('done'), 1_000));

    const calls = [1, 2, 3].map(() => stage.call(work));
    const done: number[] = [];
    for (let second = 0; second < 3; second += 1) {
      await stage.clock.advance(1_000);
      done.push(calls.filter(({ isPending }) => !isPending).length);
    }

    expect(done).toEqual([1, 2, 3]);
    expect(calls.map(({ value }) => value)).toEqual(['done', 'done', 'done']);
  });

  // https://github.com/resilience4j/resilience4j/pull/2506
  it('resilience4j #2506: who leaves in the tick of the grant is not subscribed for, and the place is free', async () => {
    const [stage, open] = streams({ maxConcurrent: 1, maxQueue: 1 });
    let subscribed = 0;
    const holder = open(NEVER).subscribe();
    const leaver = open(new Observable(() => void (subscribed += 1))).subscribe();

    holder.unsubscribe(); // the place is the leaver's from here on
    leaver.unsubscribe();
    await settle();

    expect(subscribed).toBe(0);
    expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
  });
});

describe('streams', () => {
  // https://github.com/resilience4j/resilience4j/issues/332
  it('resilience4j #332: who leaves after the first value gives the place back', async () => {
    const [stage, open] = streams({ maxConcurrent: 1, maxQueue: 0 });
    const source = new Subject();
    const heard: unknown[] = [];
    const subscription = open(source).subscribe((value) => heard.push(value));
    source.next('event');
    expect(stage.bulkhead.running).toBe(1);

    subscription.unsubscribe();

    expect(heard).toEqual(['event']);
    expect(stage.bulkhead.running).toBe(0);
  });

  // https://github.com/resilience4j/resilience4j/issues/263
  it('resilience4j #263: who takes one value of many gives back one place, not two', async () => {
    const [stage, open] = streams({ maxConcurrent: 2, maxQueue: 0 });
    const holder = open(NEVER).subscribe();

    for (let i = 0; i < 10; i += 1)
      open(of(1, 2, 3))
        .pipe(take(1))
        .subscribe();

    expect(stage.bulkhead.running).toBe(1);
    holder.unsubscribe();
    expect(stage.bulkhead.running).toBe(0);
  });

  // https://github.com/resilience4j/resilience4j/issues/1569
  it('resilience4j #1569: an error while the completion is handled does not give the place back twice', async () => {
    const [stage, open] = streams({ maxConcurrent: 2, maxQueue: 0 });
    const holder = open(NEVER).subscribe();
    const errors: unknown[] = [];
    const complete = (): never => {
      throw new Error('in onComplete');
    };

    for (let i = 0; i < 5; i += 1) {
      open(of(1))
        .pipe(tap({ complete }))
        .subscribe({ error: (error: Error) => errors.push(error.message) });
    }

    expect(errors).toEqual(Array.from({ length: 5 }, () => 'in onComplete'));
    expect(stage.bulkhead.running).toBe(1);
    holder.unsubscribe();
  });
});
