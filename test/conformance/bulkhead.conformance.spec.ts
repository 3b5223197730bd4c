import { AsyncLocalStorage } from 'node:async_hooks';
import { BulkheadFullError, type BulkheadOptions, QueueTimeoutError } from 'nestjs-bulwark';
import type { PolicySet } from 'nestjs-bulwark';
import {
  type Face,
  Gate,
  itCanLeave,
  onEveryFace,
  settle,
  Stage,
  type Work,
} from '../support/stage.js';

const stageOf = (face: Face, bulkhead: BulkheadOptions, others: PolicySet = {}): Stage =>
  new Stage(face, { bulkhead, ...others });

onEveryFace((face) => {
  it('runs up to maxConcurrent, queues up to maxQueue and refuses the next', async () => {
    const stage = stageOf(face, { maxConcurrent: 2, maxQueue: 3 });
    const gate = new Gate();

    const calls = Array.from({ length: 6 }, () => stage.call(gate.work));
    await settle();

    expect(stage.executions).toBe(2);
    expect(stage.bulkhead).toMatchObject({ running: 2, queued: 3, utilisation: 1, refused: 1 });
    expect(calls[5]!.error).toBeInstanceOf(BulkheadFullError);
    expect(calls[5]!.error).toMatchObject({
      code: 'BULKHEAD_FULL',
      status: 503,
      target: 'Controller.handle',
    });
    gate.resolve('ok');
    await settle();
    expect(calls.slice(0, 5).map((c) => c.value)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
  });

  it('first come, first served, whatever newcomers do at each release', async () => {
    const stage = stageOf(face, { maxConcurrent: 1, maxQueue: 100 });
    const order: number[] = [];
    const ends: (() => void)[] = [];
    const work =
      (n: number): Work =>
      () => {
        order.push(n);
        return new Promise<void>((resolve) => ends.push(resolve));
      };
    for (let n = 0; n < 20; n += 1) stage.call(work(n));
    await settle();

    for (let n = 0; n < 40; n += 1) {
      ends[n]!();
      if (n < 20) stage.call(work(20 + n));
      await settle();
    }

    expect(order).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });

  it('#70 queued work runs in its own caller’s async context', async () => {
    const stage = stageOf(face, { maxConcurrent: 1, maxQueue: 10 });
    const storage = new AsyncLocalStorage<string>();
    const seen: Record<string, (string | undefined)[]> = {};
    const work = async (user: unknown): Promise<void> => {
      const stores = [storage.getStore()];
      try {
        await Promise.resolve();
        stores.push(storage.getStore());
      } finally {
        await Promise.resolve();
        stores.push(storage.getStore());
        seen[user as string] = stores;
      }
    };

    for (const user of ['alice', 'bob', 'carol'])
      storage.run(user, () => stage.call(() => work(user)));
    await settle();

    expect(seen).toEqual({
      alice: ['alice', 'alice', 'alice'],
      bob: ['bob', 'bob', 'bob'],
      carol: ['carol', 'carol', 'carol'],
    });
  });

  it('#73 waiters that time out in the queue take no slot with them', async () => {
    const stage = stageOf(face, { maxConcurrent: 8, maxQueue: 8, queueTimeout: 50 });
    const gate = new Gate();
    for (let i = 0; i < 8; i += 1) stage.call(gate.work);
    const waiters = Array.from({ length: 8 }, () => stage.call(gate.work));
    await stage.clock.advance(50);
    expect(waiters.every((c) => c.error instanceof QueueTimeoutError)).toBe(true);
    expect(stage.bulkhead).toMatchObject({ running: 8, queued: 0 });

    gate.resolve();
    await settle();
    const again = new Gate();
    for (let i = 0; i < 8; i += 1) stage.call(again.work);
    await settle();

    expect(again.starts).toBe(8);
    expect(stage.clock.pending).toBe(0);
  });

  it.each(Array.from({ length: 21 }, (_, i) => i))(
    '#74 accepted means run: newcomers %d microticks after the release cannot displace the queued call',
    async (offset) => {
      const stage = stageOf(face, { maxConcurrent: 1, maxQueue: 1 });
      const first = new Gate();
      const second = new Gate();
      stage.call(first.work);
      const queued = stage.call(second.work);
      await settle();

      first.resolve();
      for (let tick = 0; tick < offset; tick += 1) await Promise.resolve();
      const newcomers = [stage.call(() => Promise.resolve()), stage.call(() => Promise.resolve())];
      second.resolve('ran');
      await settle();

      expect(queued.value).toBe('ran');
      expect(newcomers.every((c) => !c.isPending)).toBe(true);
      expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
    },
  );

  itCanLeave(
    face,
    '#76 a queued call whose caller leaves is gone at once, and its place is free',
    async () => {
      const stage = stageOf(face, { maxConcurrent: 1, maxQueue: 1 });
      const gate = new Gate();
      stage.call(gate.work);
      const queued = await stage.run(gate.work);
      expect(stage.bulkhead.queued).toBe(1);

      queued.cancel();

      expect(stage.bulkhead.queued).toBe(0);
      await settle();
      expect(queued.ending).toEqual({ cancelled: true });
      const next = await stage.run(gate.work);
      expect(next.isPending).toBe(true);
      gate.resolve('ok');
      await settle();
      expect(next.value).toBe('ok');
      expect(gate.starts).toBe(2);
    },
  );

  it('the slot is given back during a retry’s delay, and the retry joins the back of the queue', async () => {
    const stage = stageOf(
      face,
      { maxConcurrent: 1, maxQueue: 1 },
      { retry: { delay: 100, jitter: 'none' } },
    );
    let n = 0;
    const flaky = stage.call(() =>
      (n += 1) === 1 ? Promise.reject(new Error('once')) : Promise.resolve('second'),
    );
    await settle();
    expect(stage.bulkhead.running).toBe(0);
    const gate = new Gate();
    stage.call(gate.work);
    await stage.clock.advance(100);
    expect(stage.bulkhead).toMatchObject({ running: 1, queued: 1 });

    gate.resolve();
    await settle();

    expect(flaky.value).toBe('second');
  });

  describe('#71 no exit leaks or doubles a slot', () => {
    const never = (): Promise<never> => new Promise(() => {});
    const exits: Record<
      string,
      {
        policies?: PolicySet;
        work: () => Promise<unknown>;
        leave?: 'running' | 'queued' | 'granted';
      }
    > = {
      resolve: { work: () => Promise.resolve() },
      reject: { work: () => Promise.reject(new Error('x')) },
      'throw at once': {
        work: () => {
          throw new Error('x');
        },
      },
      'reject with undefined': { work: () => Promise.reject(undefined) },
      'a thenable that throws in then': {
        work: () =>
          Promise.resolve({
            // oxlint-disable-next-line unicorn/no-thenable -- that is the case
            then() {
              throw new Error('x');
            },
          }),
      },
      'a failing predicate': {
        policies: {
          retry: {
            maxAttempts: 1,
            retryOn: () => {
              throw new Error('predicate');
            },
          },
        },
        work: () => Promise.reject(new Error('x')),
      },
      retried: {
        policies: { retry: { delay: 1, maxAttempts: 2 } },
        work: () => Promise.reject(new Error('x')),
      },
      'a fallback': {
        policies: { fallback: { value: 1 } },
        work: () => Promise.reject(new Error('x')),
      },
      'time limit, settling later': {
        policies: { timeLimit: 5 },
        work: () => new Promise((resolve) => current.clock.schedule(() => resolve(1), 20)),
      },
      'time limit, failing later': {
        policies: { timeLimit: 5 },
        work: () =>
          new Promise((_resolve, reject) =>
            current.clock.schedule(() => reject(new Error('late')), 20),
          ),
      },
      'time limit in the queue': {
        policies: { timeLimit: 5 },
        work: () => Promise.resolve(),
        leave: 'queued',
      },
      'queue timeout': { work: () => Promise.resolve(), leave: 'queued' },
      'caller leaves while running': {
        work: () => new Promise((resolve) => current.clock.schedule(() => resolve(1), 20)),
        leave: 'running',
      },
      'caller leaves in the queue': { work: never, leave: 'queued' },
      'caller leaves in the tick of the grant': { work: never, leave: 'granted' },
      'breaker refuses': {
        policies: { circuitBreaker: { failureThreshold: 1 } },
        work: () => Promise.reject(new Error('x')),
      },
    };
    let current: Stage;

    const possible = Object.entries(exits).filter(
      ([name]) => face.canLeave || !name.startsWith('caller'),
    );

    it.each(possible)('%s', async (name, { policies = {}, work, leave }) => {
      const queueTimeout = name === 'queue timeout' ? { queueTimeout: 5 } : {};
      const stage = stageOf(face, { maxConcurrent: 2, maxQueue: 5, ...queueTimeout }, policies);
      current = stage;
      const slots = stage.pipeline.bulkhead!.policy;

      for (let i = 0; i < 300; i += 1) {
        const fill = leave === 'queued' || leave === 'granted';
        if (fill) for (let n = 0; n < 2; n += 1) slots.enter();
        const call = stage.call(work);
        await Promise.resolve();
        if (leave === 'granted') slots.release();
        if (leave !== undefined && name.startsWith('caller')) call.cancel();
        await stage.clock.advance(30);
        if (fill) for (let n = leave === 'granted' ? 1 : 0; n < 2; n += 1) slots.release();
      }
      await stage.clock.advance(1_000);

      expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
      // whoever left before the start is not executed afterwards
      if (leave === 'queued' || leave === 'granted') expect(stage.executions).toBe(0);
    });
  });
});
