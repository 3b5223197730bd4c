import { AsyncLocalStorage } from 'node:async_hooks';
import { RateLimitedError, type RateLimitOptions } from 'nestjs-bulwark';
import type { PolicySet } from 'nestjs-bulwark';
import type { RateLimitSnapshot } from '../../lib/policies/rate-limit/rate-limit.js';
import { type Face, Gate, itCanLeave, onEveryFace, settle, Stage } from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');
const never = (): Promise<never> => new Promise(() => {});

/** One call each 100 ms, none at once beyond the first. */
const EVEN: RateLimitOptions = { limit: 10, per: 1_000, burst: 1 };

const stageOf = (
  face: Face,
  options: Partial<RateLimitOptions> = {},
  others: PolicySet = {},
): Stage => new Stage(face, { rateLimit: { ...EVEN, ...options }, ...others });

const snapshotOf = (stage: Stage, name = 'Controller.handle'): RateLimitSnapshot =>
  stage.runtime.registry.rateLimiters.reader(name)!.snapshot();

onEveryFace((face) => {
  it('refuses what is too much, says when to come back, and charges nothing for it', async () => {
    const stage = stageOf(face, { burst: 2 });
    for (let i = 0; i < 2; i += 1) expect((await stage.run(up)).value).toBe('ok');

    for (let i = 0; i < 3; i += 1) {
      const { error } = await stage.run(up);
      expect(error).toBeInstanceOf(RateLimitedError);
      expect(error).toMatchObject({
        code: 'RATE_LIMITED',
        policy: 'rate-limit',
        status: 429,
        target: 'Controller.handle',
        retryAfter: 100,
      });
    }

    expect(stage.executions).toBe(2);
    expect(stage.events).toMatchObject(
      Array.from({ length: 3 }, () => ({
        type: 'call-rejected',
        policy: 'rate-limit',
        code: 'RATE_LIMITED',
        retryAfter: 100,
      })),
    );
    await stage.clock.advance(99);
    expect((await stage.run(up)).error).toMatchObject({ retryAfter: 1 });
    await stage.clock.advance(1);
    expect((await stage.run(up)).value).toBe('ok');
    expect(snapshotOf(stage)).toMatchObject({ admitted: 3, refused: 4, waited: 0 });
  });

  it('lets calls wait in order, each to its own time, and refuses who would wait too long', async () => {
    const stage = stageOf(face, { maxWait: 300 });
    const started: [unknown, number][] = [];
    const begin = stage.clock.now();
    const work = (n: unknown) => () => {
      started.push([n, stage.clock.now() - begin]);
      return Promise.resolve(n);
    };
    const calls = [0, 1, 2, 3, 4].map((n) => stage.call(work(n)));
    await settle();
    expect(calls[4]!.error).toMatchObject({ code: 'RATE_LIMITED', retryAfter: 400 });
    expect(snapshotOf(stage)).toMatchObject({ waiting: 3, available: 0 });

    await stage.clock.advance(150);
    const late = stage.call(work('late'));
    await stage.clock.advance(1_000);

    expect(started).toEqual([
      [0, 0],
      [1, 100],
      [2, 200],
      [3, 300],
      ['late', 400],
    ]);
    expect(late.value).toBe('late');
    expect(snapshotOf(stage)).toMatchObject({ admitted: 5, waited: 4, refused: 1, waiting: 0 });
    expect(stage.clock.pending).toBe(0);
  });

  it('a newcomer does not overtake who waits, even where the timer is late', async () => {
    const stage = stageOf(face, { maxWait: 500 });
    const order: string[] = [];
    const work = (name: string) => () => {
      order.push(name);
      return up();
    };
    await stage.run(work('first'));
    stage.call(work('waiting'));
    await settle();
    stage.clock.jump(150); // no timer has run
    stage.call(work('new'));
    await stage.clock.advance(0);
    await stage.clock.advance(500);

    expect(order).toEqual(['first', 'waiting', 'new']);
  });

  itCanLeave(
    face,
    'who leaves while waiting is gone at once, uncharged, and those behind move up',
    async () => {
      const stage = stageOf(face, { maxWait: 1_000 });
      await stage.run(up);
      const leaver = stage.call(up);
      const behind = stage.call(up);
      await settle();

      leaver.cancel();
      await settle();

      expect(leaver.ending).toEqual({ cancelled: true });
      expect(snapshotOf(stage).waiting).toBe(1);
      await stage.clock.advance(100);
      expect(behind.value).toBe('ok');
      expect(stage.executions).toBe(2);
      expect(snapshotOf(stage)).toMatchObject({ admitted: 2, waiting: 0 });
      expect(stage.clock.pending).toBe(0);
    },
  );

  itCanLeave(face, 'who leaves in the very step of its turn does not start', async () => {
    const stage = stageOf(face, { maxWait: 1_000 });
    await stage.run(up);
    const leaver = stage.call(up);
    await settle();
    stage.clock.schedule(() => queueMicrotask(() => leaver.cancel()), 99);
    stage.clock.schedule(() => leaver.cancel(), 100);
    await stage.clock.advance(200);

    expect(stage.executions).toBe(1);
    expect(leaver.ending).toEqual({ cancelled: true });
  });

  it('the total timeout ends the wait, and the caller hears that the method never started', async () => {
    const stage = stageOf(face, { maxWait: 1_000 }, { retry: { totalTimeout: 50 } });
    await stage.run(up);
    const call = stage.call(up);
    const behind = stage.call(up);
    await stage.clock.advance(50);

    expect(call.error).toMatchObject({ code: 'CALL_TIMEOUT', started: false, limit: 50 });
    expect(behind.error).toMatchObject({ code: 'CALL_TIMEOUT', started: false });
    await stage.clock.advance(1_000);
    expect(stage.executions).toBe(1);
    expect(snapshotOf(stage)).toMatchObject({ admitted: 1, waiting: 0 });
    expect(stage.clock.pending).toBe(0);
  });

  it('the wait does not count against the time limit, which holds from the turn on', async () => {
    const stage = stageOf(face, { maxWait: 1_000 }, { timeLimit: 50 });
    await stage.run(up);
    const call = stage.call(never);
    await stage.clock.advance(100);
    expect(stage.executions).toBe(2);
    await stage.clock.advance(49);
    expect(call.isPending).toBe(true);
    await stage.clock.advance(1);

    expect(call.error).toMatchObject({ code: 'CALL_TIMEOUT', started: true, limit: 50 });
  });

  it('a breaker around it hears rejected, never failure', async () => {
    const stage = stageOf(face, {}, { circuitBreaker: { failureThreshold: 1 } });
    await stage.run(up);
    for (let i = 0; i < 5; i += 1)
      expect((await stage.run(up)).error).toMatchObject({ code: 'RATE_LIMITED' });

    expect(stage.breaker.snapshot()).toMatchObject({
      state: 'closed',
      counters: { success: 1, rejected: 5, failure: 0 },
    });
  });

  it('a refused probe gives its place back', async () => {
    const stage = stageOf(
      face,
      { per: 10_000, limit: 1 },
      {
        circuitBreaker: {
          failureThreshold: 1,
          openFor: 100,
          openJitter: 0,
          halfOpenCalls: 1,
          successThreshold: 1,
        },
      },
    );
    await stage.fail(1);
    await stage.clock.advance(100);
    for (let i = 0; i < 3; i += 1)
      expect((await stage.run(up)).error).toMatchObject({ code: 'RATE_LIMITED' });
    expect(stage.breaker.current).toBe('half-open');
    await stage.clock.advance(10_000);

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
  });

  describe('a probe that waits for its turn', () => {
    const probing = async (): Promise<Stage> => {
      const stage = stageOf(
        face,
        { limit: 1, per: 10_000, maxWait: 20_000 },
        {
          circuitBreaker: {
            failureThreshold: 1,
            openFor: 100,
            openJitter: 0,
            halfOpenCalls: 1,
            successThreshold: 1,
            halfOpenLease: 2_000,
          },
        },
      );
      await stage.fail(1);
      await stage.clock.advance(100);
      return stage;
    };

    it('has its whole lease from the start of its method', async () => {
      const stage = await probing();
      const gate = new Gate();
      stage.call(gate.work); // waits for 9.9 s, longer than its lease
      await stage.clock.advance(9_900);
      expect(gate.starts).toBe(1);
      await stage.clock.advance(1_999);
      expect((await stage.run(up)).error).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfter: 1 });

      gate.resolve('ok');
      await settle();

      expect(stage.breaker.current).toBe('closed');
      expect(stage.eventTypes()).not.toContain('probe-lost');
    });

    it('loses its place to another after its lease, and its good answer counts all the same', async () => {
      const stage = await probing();
      const first = new Gate();
      const second = new Gate();
      stage.call(first.work);
      await stage.clock.advance(2_000);
      stage.call(second.work); // takes the place, and waits behind the first
      await settle();
      expect(stage.eventTypes()).toContain('probe-lost');
      await stage.clock.advance(7_900);
      expect([first.starts, second.starts]).toEqual([1, 0]);

      first.resolve('ok');
      await settle();

      expect(stage.breaker.current).toBe('closed');
    });

    itCanLeave(face, 'gives its place back when its caller leaves', async () => {
      const stage = await probing();
      const call = stage.call(up);
      await settle();
      expect((await stage.run(up)).error).toMatchObject({ code: 'CIRCUIT_OPEN' });

      call.cancel();
      const next = stage.call(up);
      await stage.clock.advance(10_000);

      expect(next.value).toBe('ok');
      expect(stage.breaker.counters.cancelled).toBe(1);
    });
  });

  it('#70 who waited goes on in its own caller’s async context', async () => {
    const stage = stageOf(face, { maxWait: 1_000 }, { bulkhead: { maxConcurrent: 1 } });
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    for (const user of ['alice', 'bob', 'carol'])
      storage.run(user, () =>
        stage.call(async () => {
          const before = storage.getStore();
          await Promise.resolve();
          seen.push([user, before, storage.getStore()]);
        }),
      );
    await stage.clock.advance(1_000);

    expect(seen).toEqual([
      ['alice', 'alice', 'alice'],
      ['bob', 'bob', 'bob'],
      ['carol', 'carol', 'carol'],
    ]);
  });

  it('comes before the bulkhead: a call whose slot is not free has been charged', async () => {
    const stage = stageOf(face, { burst: 2 }, { bulkhead: { maxConcurrent: 1, maxQueue: 0 } });
    stage.call(never);
    await settle();
    expect((await stage.run(up)).error).toMatchObject({ code: 'BULKHEAD_FULL' });
    expect((await stage.run(up)).error).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('each attempt is a call: a retry waits for its turn like anybody', async () => {
    const stage = stageOf(
      face,
      { maxWait: 1_000 },
      { retry: { maxAttempts: 3, delay: 1, jitter: 'none' } },
    );
    const call = stage.call(() => Promise.reject(new Error('down')));
    await stage.clock.advance(199);
    expect(stage.executions).toBe(2);
    await stage.clock.advance(1);

    expect(stage.executions).toBe(3);
    expect(call.error.message).toBe('down');
    expect(snapshotOf(stage)).toMatchObject({ admitted: 3, waited: 2 });
  });

  it('is not retried unless asked for, then no earlier than it said', async () => {
    const unasked = stageOf(face, {}, { retry: { delay: 1 } });
    await unasked.run(up);
    expect((await unasked.run(up)).error).toMatchObject({ code: 'RATE_LIMITED' });

    const asked = stageOf(face, {}, { retry: { delay: 1, retryOn: 'RATE_LIMITED' } });
    await asked.run(up);
    const call = asked.call(up);
    await asked.clock.advance(99);
    expect(call.isPending).toBe(true);
    await asked.clock.advance(1);
    expect(call.value).toBe('ok');
  });

  it('a fallback answers for what is refused', async () => {
    const stage = stageOf(face, {}, { fallback: { value: 'later' } });
    await stage.run(up);

    expect((await stage.run(up)).value).toBe('later');
  });
});
