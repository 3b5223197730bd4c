// Time limits of attempts and of whole calls: by function, in a tie, and with the event loop blocked.
import { CallTimeoutError, type PolicySet } from 'nestjs-bulwark';
import { seededRandom } from '../../lib/testing/index.js';
import { onEveryFace, settle, Stage } from '../support/stage.js';

const down = (): Promise<never> => Promise.reject(new Error('down'));
const hang = (): Promise<never> => new Promise(() => {});

onEveryFace((face) => {
  describe('time limits by function', () => {
    it('are asked for each attempt with the arguments of the call', async () => {
      const asked: unknown[][] = [];
      const stage = new Stage(face, {
        timeLimit: {
          ms: (attempt, ...args) => {
            asked.push([attempt, args.length]);
            return 100 * attempt;
          },
        },
        retry: { idempotent: true, maxAttempts: 3, delay: 10, backoff: 'constant', jitter: 'none' },
      });
      const began = stage.clock.now();
      const at: number[] = [];
      const call = stage.call(() => {
        at.push(stage.clock.now() - began);
        return hang();
      }, 'only');

      await stage.clock.advance(10_000);

      expect(at).toEqual([0, 110, 320]);
      expect(asked).toEqual([
        [1, 1],
        [2, 1],
        [3, 1],
      ]);
      expect(call.error['limit']).toBe(300);
    });

    it('that answer nonsense are reported, and the limit is five minutes', async () => {
      const stage = new Stage(face, { timeLimit: { ms: () => Number.NaN } });
      const call = stage.call(hang);
      await stage.clock.advance(299_999);
      expect(call.isPending).toBe(true);

      await stage.clock.advance(1);

      expect(call.error['limit']).toBe(300_000);
      expect(stage.eventTypes()).toEqual(['predicate-failed', 'call-timed-out']);
    });
  });

  describe('#68 a tie', () => {
    const ending: [string, PolicySet][] = [
      ['time limit', { timeLimit: 100 }],
      ['total timeout', { retry: { totalTimeout: 100, maxAttempts: 1 } }],
      ['both', { timeLimit: 100, retry: { totalTimeout: 100, maxAttempts: 1 } }],
    ];

    it.each(ending)('of a result and the %s goes to the result: 1,000 seeds', async (...row) => {
      const [, policies] = row;
      const circuitBreaker = { failureThreshold: 1_000 };
      const stage = new Stage(face, { ...policies, circuitBreaker });
      const calls = [];
      for (let seed = 0; seed < 1_000; seed += 1) {
        const random = seededRandom(seed);
        const good = random() < 0.5;
        const hops = Math.floor(random() * 4);
        const early = random() < 0.5;
        let end!: () => void;
        const promise = new Promise<unknown>((resolve, reject) => {
          end = () => (good ? resolve(seed) : reject(new Error(String(seed))));
        });
        if (early) stage.clock.schedule(end, 100);
        const call = stage.call(async () => {
          if (!early) stage.clock.schedule(end, 100);
          const result = promise.finally(() => {});
          let hopping: Promise<unknown> = result;
          for (let i = 0; i < hops; i += 1) hopping = hopping.then((v) => v);
          return hopping;
        });
        calls.push({ seed, good, call });
      }

      await stage.clock.advance(100);

      for (const { seed, good, call } of calls) {
        if (good) expect(call.value).toBe(seed);
        else expect(call.error.message).toBe(String(seed));
      }
      const success = calls.filter(({ good }) => good).length;
      expect(stage.breaker.counters).toMatchObject({
        success,
        failure: 1_000 - success,
        cancelled: 0,
        rejected: 0,
        stale: 0,
      });
      expect(stage.eventTypes()).not.toContain('call-timed-out');
      expect(stage.clock.pending).toBe(0);
    });

    it.each(ending)('does not put off the %s itself', async (_name, policies) => {
      const stage = new Stage(face, policies);
      const call = stage.call(() => new Promise((r) => stage.clock.schedule(() => r(1), 101)));

      await stage.clock.advance(100);

      expect(call.error).toBeInstanceOf(CallTimeoutError);
    });
  });

  describe('an event loop that was blocked', () => {
    it('past the time limit: the timeout is marked and the dependency not blamed', async () => {
      const stage = new Stage(face, { timeLimit: 100, circuitBreaker: { failureThreshold: 1 } });
      const call = await stage.run(hang);

      stage.clock.jump(150);
      await stage.clock.advance(0);

      expect(call.error).toMatchObject({ blocked: true, started: true });
      expect(call.error.message).toContain('as the event loop was blocked');
      expect(stage.breaker.counters).toMatchObject({ failure: 0, cancelled: 1 });
      expect(stage.events).toContainEqual(
        expect.objectContaining({ type: 'call-timed-out', blocked: true }),
      );
    });

    it('past the total timeout: the same', async () => {
      const stage = new Stage(face, {
        retry: { totalTimeout: 100, delay: 1 },
        circuitBreaker: { failureThreshold: 1 },
      });
      const call = await stage.run(hang);

      stage.clock.jump(150);
      await stage.clock.advance(0);

      expect(call.error).toMatchObject({ blocked: true, started: true, policy: 'retry' });
      expect(stage.breaker.counters).toMatchObject({ failure: 0, cancelled: 1 });
    });

    it('to the very moment of the limit: a queued call does not start', async () => {
      const stage = new Stage(face, { timeLimit: 100, bulkhead: { maxConcurrent: 1 } });
      const slots = stage.pipeline.bulkhead!.policy;
      slots.enter();
      const call = await stage.run(() => Promise.resolve('late'));

      stage.clock.jump(100);
      slots.release();
      await settle();

      expect(call.error).toMatchObject({ code: 'CALL_TIMEOUT', started: false });
      expect(stage.executions).toBe(0);
      expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
    });

    it('for less than half of the limit: the dependency had its time, and is blamed', async () => {
      const stage = new Stage(face, { timeLimit: 100, circuitBreaker: { failureThreshold: 1 } });
      const call = await stage.run(hang);

      stage.clock.jump(149);
      await stage.clock.advance(0);

      expect(call.error['blocked']).toBe(false);
      expect(stage.breaker.current).toBe('open');
    });

    it('#67 by the method itself: what it returned is the answer, and the overrun is told', async () => {
      const stage = new Stage(face, { timeLimit: 100, circuitBreaker: {} });
      const call = stage.call(() => {
        stage.clock.jump(300);
        return Promise.resolve('computed');
      });
      await stage.clock.advance(0);

      expect(call.value).toBe('computed');
      expect(stage.breaker.counters.success).toBe(1);
      expect(stage.clock.pending).toBe(0);
      expect(stage.events).toMatchObject([{ type: 'limit-overrun', limit: 100, took: 300 }]);
    });

    it('an answer of the very moment of the limit is no overrun', async () => {
      const stage = new Stage(face, { timeLimit: 100 });
      const call = stage.call(() => {
        stage.clock.jump(100);
        return Promise.resolve('in time');
      });
      await settle();

      expect(call.value).toBe('in time');
      expect(stage.events).toEqual([]);
    });

    it.each<[string, PolicySet, (stage: Stage) => void]>([
      [
        'a slot',
        { bulkhead: { maxConcurrent: 1 } },
        (stage) => stage.pipeline.bulkhead!.policy.enter(),
      ],
      [
        'its turn',
        { rateLimit: { limit: 1, per: 50, burst: 1, maxWait: 1_000 } },
        (stage) => stage.pipeline.lane.rateLimit!.policy.enter(),
      ],
    ])(
      'while a call waited for %s: its method does not start after the deadline',
      async (...row) => {
        const [, policies, fill] = row;
        const stage = new Stage(face, {
          ...policies,
          retry: { totalTimeout: 100, delay: 1 },
          circuitBreaker: { failureThreshold: 1 },
        });
        fill(stage);
        const call = await stage.run(() => Promise.resolve('late'));

        stage.clock.jump(300);
        stage.pipeline.bulkhead?.policy.release();
        await stage.clock.advance(0);

        expect(stage.executions).toBe(0);
        expect(call.error).toMatchObject({ code: 'CALL_TIMEOUT', started: false, policy: 'retry' });
        expect(stage.breaker.counters).toMatchObject({ rejected: 1, failure: 0 });
        expect(stage.clock.pending).toBe(0);
        if (stage.pipeline.bulkhead)
          expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
      },
    );
  });

  describe('#56 the total timeout', () => {
    it('is over at its very moment: no attempt starts then, though a timer is late', async () => {
      const stage = new Stage(face, {
        retry: { totalTimeout: 100, delay: 50, jitter: 'none' },
        bulkhead: { maxConcurrent: 1 },
      });
      const waiting = await stage.run(down);
      const slots = stage.pipeline.bulkhead!.policy;
      slots.enter();
      const queued = await stage.run(down);
      expect(stage.executions).toBe(1);

      stage.clock.jump(100);
      slots.release();
      await settle();
      await stage.clock.advance(0);

      expect(stage.executions).toBe(1);
      expect(waiting.error.message).toBe('down');
      expect(queued.error).toMatchObject({ code: 'CALL_TIMEOUT', started: false });
      expect(stage.clock.pending).toBe(0);
    });

    it('in a second attempt gives up on that one, and says so', async () => {
      const stage = new Stage(face, {
        retry: { totalTimeout: 1_000, delay: 100, jitter: 'none' },
        circuitBreaker: {},
      });
      const call = stage.call(() => (stage.executions === 1 ? down() : hang()));

      await stage.clock.advance(1_000);

      expect(call.error).toMatchObject({ code: 'CALL_TIMEOUT', policy: 'retry', limit: 1_000 });
      expect(stage.breaker.counters).toMatchObject({ failure: 2 });
      expect(stage.clock.pending).toBe(0);
    });

    it('does not limit a fallback', async () => {
      const stage = new Stage(face, {
        retry: { totalTimeout: 100, delay: 1 },
        fallback: () => new Promise((r) => stage.clock.schedule(() => r('late'), 500)),
      });

      const call = stage.call(() => Promise.reject(new TypeError('x')));
      const other = stage.call(hang);
      await stage.clock.advance(400);
      expect([call.isPending, other.isPending]).toEqual([false, true]);
      await stage.clock.advance(200);

      expect(other.value).toBe('late');
      expect(stage.clock.pending).toBe(0);
    });

    it.each([
      [101, 2],
      [100, 1],
      [99, 1],
    ])('of %d ms has room for %d attempts 100 ms apart', async (totalTimeout, attempts) => {
      const stage = new Stage(face, {
        retry: { totalTimeout, delay: 98, jitter: 'none', backoff: 'constant' },
      });

      const call = stage.call(async () => {
        await new Promise<void>((r) => stage.clock.schedule(r, 2));
        return down();
      });
      await stage.clock.advance(10_000);

      expect(stage.executions).toBe(attempts);
      expect(call.isPending).toBe(false);
      expect(stage.clock.pending).toBe(0);
    });

    it('of attempts of 400 ms and delays of 100 ms: none starts after it, and the caller waits no longer', async () => {
      const stage = new Stage(face, {
        retry: {
          totalTimeout: 1_000,
          maxAttempts: 10,
          delay: 100,
          backoff: 'constant',
          jitter: 'none',
          idempotent: true,
        },
        timeLimit: 400,
      });
      const began = stage.clock.now();
      const at: number[] = [];
      const call = stage.call(() => {
        at.push(stage.clock.now() - began);
        return hang();
      });

      await stage.clock.advance(1_000);

      expect(at).toEqual([0, 500]);
      expect(call.isPending).toBe(false);
      expect(stage.clock.pending).toBe(0);
    });
  });
});
