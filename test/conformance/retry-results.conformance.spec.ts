// Results that are not good enough, and what is done before the next attempt, on every face.
import type { RetryOptions } from 'nestjs-bulwark';
import { type Face, Gate, onEveryFace, settle, Stage } from '../support/stage.js';

const down = (): Promise<never> => Promise.reject(new Error('down'));

const stageOf = (face: Face, retry: RetryOptions = {}): Stage =>
  new Stage(face, { retry: { jitter: 'none', ...retry } });

onEveryFace((face) => {
  describe('retryOnResult', () => {
    const pending = (value: unknown): boolean => value === 'pending';

    it('#49 asks again until the result is good, and delivers nothing before', async () => {
      const stage = stageOf(face, { retryOnResult: pending });
      const call = stage.call(() => Promise.resolve(stage.executions < 3 ? 'pending' : 'done'));
      await stage.clock.advance(99);
      expect([stage.executions, call.values]).toEqual([1, []]);

      await stage.clock.advance(201);

      expect(stage.executions).toBe(3);
      expect(call.values).toEqual(['done']);
      expect(call.value).toBe('done');
      expect(stage.eventTypes()).toEqual(['retry-scheduled', 'retry-scheduled']);
    });

    it('#49 after the last attempt the caller gets the bad result as it is', async () => {
      const stage = stageOf(face, { retryOnResult: () => true });
      const results = [{ n: 1 }, { n: 2 }, { n: 3 }];

      const call = stage.call(() => Promise.resolve(results[stage.executions - 1]));
      await stage.clock.advance(10_000);

      expect(stage.executions).toBe(3);
      expect(call.value).toBe(results[2]);
      expect(call.values).toEqual([results[2]]);
      expect(stage.clock.pending).toBe(0);
    });

    it('a bad result is a success for the breaker, and its slot is free in the delay', async () => {
      const stage = new Stage(face, {
        retry: { retryOnResult: pending, jitter: 'none' },
        circuitBreaker: {},
        bulkhead: { maxConcurrent: 1, maxQueue: 0 },
      });
      const call = await stage.run(() => Promise.resolve('pending'));

      expect(stage.bulkhead.running).toBe(0);
      expect(stage.breaker.counters).toMatchObject({ success: 1, failure: 0 });
      await stage.clock.advance(10_000);

      expect(call.value).toBe('pending');
      expect(stage.breaker.counters).toMatchObject({ success: 3, failure: 0 });
    });

    it('errors and bad results share the attempts', async () => {
      const stage = stageOf(face, { retryOnResult: pending });

      const call = stage.call(() => (stage.executions === 2 ? down() : Promise.resolve('pending')));
      await stage.clock.advance(10_000);

      expect(stage.executions).toBe(3);
      expect(call.value).toBe('pending');
    });

    it('#42 a predicate that throws is reported, and the result is good', async () => {
      const stage = stageOf(face, {
        retryOnResult: () => {
          throw new Error('predicate');
        },
      });

      const call = await stage.run(() => Promise.resolve('x'));

      expect(call.value).toBe('x');
      expect(stage.events).toEqual([
        expect.objectContaining({ type: 'predicate-failed', option: 'retryOnResult' }),
      ]);
    });

    it('the last bad result is the answer where the event loop was blocked past the total timeout', async () => {
      const stage = stageOf(face, { retryOnResult: pending, delay: 50, totalTimeout: 100 });
      const call = await stage.run(() => Promise.resolve('pending'));

      stage.clock.jump(300);
      await stage.clock.advance(0);

      expect(stage.executions).toBe(1);
      expect(call.values).toEqual(['pending']);
      expect(call.value).toBe('pending');
      expect(stage.clock.pending).toBe(0);
    });

    it('a bad result that is not retried for want of time is the answer, and an event says why', async () => {
      const stage = stageOf(face, { retryOnResult: pending, delay: 50, totalTimeout: 100 });

      const call = stage.call(() => Promise.resolve('pending'));
      await stage.clock.advance(50);

      expect(call.value).toBe('pending');
      expect(stage.events.at(-1)).toMatchObject({
        type: 'retry-declined',
        attempt: 2,
        why: 'no-time-left',
      });
    });

    it('is not kept as a last good answer, and the one before is not given for it', async () => {
      const stage = new Stage(face, {
        retry: { retryOnResult: pending, maxAttempts: 2, delay: 0 },
        fallback: { cache: { ttl: 1_000, key: () => 'k' } },
      });
      stage.call(() => Promise.resolve('pending'));
      await stage.clock.advance(10);

      const failing = stage.call(down);
      await stage.clock.advance(10);

      expect(failing.error.message).toBe('down');
    });
  });

  describe('beforeRetry', () => {
    it('is called after each delay with the attempt, the error, the delay and the arguments', async () => {
      const heard: unknown[] = [];
      const error = new Error('x');
      const stage = stageOf(face, {
        beforeRetry: (info) => {
          heard.push({ ...info, executions: stage.executions, at: stage.clock.now() - began });
        },
      });
      const began = stage.clock.now();
      stage.call(() => Promise.reject(error), 'a', 1);

      await stage.clock.advance(10_000);

      // behind an interceptor the arguments are Nest's context
      const args = face.name === 'interceptor' ? [expect.anything()] : ['a', 1];
      expect(heard).toEqual([
        { attempt: 2, error, delay: 100, args, executions: 1, at: 100 },
        { attempt: 3, error, delay: 200, args, executions: 2, at: 300 },
      ]);
    });

    it('hears no error after a result that was not good enough', async () => {
      const errors: unknown[] = [];
      const stage = stageOf(face, {
        retryOnResult: () => true,
        beforeRetry: ({ error }) => {
          errors.push(error);
        },
      });
      stage.call(() => Promise.resolve('x'));

      await stage.clock.advance(10_000);

      expect(errors).toEqual([undefined, undefined]);
    });

    it('is waited for', async () => {
      const gate = new Gate();
      const stage = stageOf(face, {
        maxAttempts: 2,
        beforeRetry: gate.work as () => Promise<void>,
      });
      const call = stage.call(down);
      await stage.clock.advance(60_000);
      expect([gate.starts, stage.executions, call.isPending]).toEqual([1, 1, true]);

      gate.resolve();
      await settle();

      expect(stage.executions).toBe(2);
      expect(call.isPending).toBe(false);
    });

    it.each<[string, () => Promise<void>]>([
      [
        'throws',
        () => {
          throw new Error('before');
        },
      ],
      ['rejects', () => Promise.reject(new Error('before'))],
      [
        'answers with a thenable that throws',
        () =>
          ({
            // oxlint-disable-next-line unicorn/no-thenable -- that is the case
            then() {
              throw new Error('before');
            },
          }) as never,
      ],
    ])('one that %s is reported, and the attempt is made', async (_name, beforeRetry) => {
      const stage = stageOf(face, { maxAttempts: 2, beforeRetry });

      const call = stage.call(() => (stage.executions === 1 ? down() : Promise.resolve('ok')));
      await stage.clock.advance(10_000);

      expect(call.value).toBe('ok');
      expect(stage.events).toContainEqual(
        expect.objectContaining({
          type: 'predicate-failed',
          option: 'beforeRetry',
          error: expect.objectContaining({ message: 'before' }),
        }),
      );
    });

    it('one that hangs is ended by the total timeout, and nothing starts when it comes back', async () => {
      const gate = new Gate();
      const stage = stageOf(face, {
        totalTimeout: 1_000,
        beforeRetry: gate.work as () => Promise<void>,
      });
      const call = stage.call(down);
      await stage.clock.advance(999);
      expect(call.isPending).toBe(true);
      await stage.clock.advance(1);

      expect(call.error.message).toBe('down');
      expect(stage.events.at(-1)).toMatchObject({ type: 'retry-declined', why: 'no-time-left' });
      gate.resolve();
      await stage.clock.advance(10_000);
      expect(stage.executions).toBe(1);
      expect(stage.clock.pending).toBe(0);
    });
  });
});
