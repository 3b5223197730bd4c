// What is retried, when, and with what, on every face.
import { CallTimeoutError, type RetryOptions } from 'nestjs-bulwark';
import { type Face, FACES, onEveryFace, settle, Stage } from '../support/stage.js';

const down = (): Promise<never> => Promise.reject(new Error('down'));
const withCode = (code: string): Error => Object.assign(new Error(code), { code });
const asking = (value: unknown): Error =>
  Object.assign(new Error('later'), { status: 503, headers: { 'retry-after': value } });

const stageOf = (face: Face, retry: RetryOptions = {}): Stage =>
  new Stage(face, { retry: { jitter: 'none', ...retry } });

/** The times at which the work started, since the stage was made. */
function starts(stage: Stage, work: () => Promise<unknown>) {
  const began = stage.clock.now();
  const at: number[] = [];
  const call = stage.call(() => {
    at.push(stage.clock.now() - began);
    return work();
  });
  return { at, call };
}

onEveryFace((face) => {
  describe('byCategory', () => {
    it('wins over the options, which win over the table', async () => {
      const stage = stageOf(face, {
        maxAttempts: 2,
        delay: 70,
        byCategory: { resource: { maxAttempts: 4, delay: 5 }, transient: false },
      });

      const resource = starts(stage, () => Promise.reject(withCode('EMFILE')));
      await stage.clock.advance(10_000);
      const transient = starts(stage, down);
      await stage.clock.advance(10_000);
      const connection = starts(stage, () => Promise.reject(withCode('ECONNRESET')));
      await stage.clock.advance(10_000);

      expect(resource.at).toEqual([0, 5, 15, 35]);
      expect(transient.at).toHaveLength(1);
      expect(connection.at.map((t) => t - connection.at[0]!)).toEqual([0, 70]);
    });

    it('the category is that of each error, so a call may change plans on its way', async () => {
      const stage = stageOf(face, {
        maxAttempts: 5,
        delay: 10,
        backoff: 'constant',
        byCategory: { timeout: false },
      });

      const call = stage.call(() =>
        Promise.reject(stage.executions < 3 ? new Error('x') : withCode('ETIMEDOUT')),
      );
      await stage.clock.advance(10_000);

      expect(stage.executions).toBe(3);
      expect(call.error['code']).toBe('ETIMEDOUT');
    });
  });

  describe('Retry-After', () => {
    it.each([
      ['3 seconds', '3', 3_000],
      ['a date 90 s away, with room for it', 'Tue, 01 Jan 2030 00:01:30 GMT', 90_000],
      ['a quarter of a second', '0.25', 250],
      ['less than our own delay', '0.01', 100],
    ])('%s are waited for: never early', async (_name, value, wait) => {
      const stage = stageOf(face, { maxRetryAfter: 120_000 });
      const { at } = starts(stage, () => Promise.reject(asking(value)));

      await stage.clock.advance(wait - 1);
      expect(at).toEqual([0]);
      await stage.clock.advance(1);

      expect(at).toEqual([0, wait]);
    });

    it.each(['-1', '1e400', 'NaN', '<script>', '', 'Thu, 01 Jan 1970 00:00:00 GMT', -5, {}, []])(
      '#48 hostile %j is our own delay',
      async (value) => {
        const stage = stageOf(face);
        const { at } = starts(stage, () => Promise.reject(asking(value)));

        await stage.clock.advance(10_000);

        expect(at).toEqual([0, 100, 300]);
      },
    );

    it.each(['99999999999', 'Fri, 31 Dec 9999 23:59:59 GMT', '61', '9'.repeat(400)])(
      '#48 %s is longer than anybody waits: no retry, and no timer of a million years',
      async (value) => {
        const stage = stageOf(face);
        const error = asking(value);

        const call = await stage.run(() => Promise.reject(error));

        expect(call.error).toBe(error);
        expect(stage.executions).toBe(1);
        expect(stage.clock.pending).toBe(0);
        expect(stage.events).toEqual([
          expect.objectContaining({ type: 'retry-declined', why: 'retry-after-too-long' }),
        ]);
      },
    );

    it('is not waited for where the total timeout ends before', async () => {
      const stage = stageOf(face, { totalTimeout: 3_000 });

      const call = await stage.run(() => Promise.reject(asking('3')));

      expect(call.error.message).toBe('later');
      expect(stage.events.at(-1)).toMatchObject({ type: 'retry-declined', why: 'no-time-left' });
      expect(stage.clock.pending).toBe(0);
    });

    it('respectRetryAfter: false waits for our own delay', async () => {
      const stage = stageOf(face, { respectRetryAfter: false });
      const { at } = starts(stage, () => Promise.reject(asking('3')));

      await stage.clock.advance(1_000);

      expect(at).toEqual([0, 100, 300]);
    });
  });

  it('#44 a breaker counts attempts, for it is inside the retry', async () => {
    const stage = new Stage(face, { retry: { delay: 1 }, circuitBreaker: {} });

    stage.call(down);
    await stage.clock.advance(100);

    expect(stage.executions).toBe(3);
    expect(stage.breaker.counters.failure).toBe(3);
  });

  it('#46 a thousand attempts never come sooner than the cap says, nor later', async () => {
    const stage = stageOf(face, {
      maxAttempts: 1_000,
      delay: 1_000,
      multiplier: 10,
      maxDelay: 30_000,
    });
    const { at } = starts(stage, down);

    await stage.clock.advance(30_000 * 1_000);

    const gaps = new Set(at.slice(1).map((t, i) => t - at[i]!));
    expect(at).toHaveLength(1_000);
    expect([...gaps]).toEqual([1_000, 10_000, 30_000]);
  });

  it('#50 jittered delays stay between 0 and the cap, and the same seed repeats them', async () => {
    const run = async (seed: number): Promise<number[]> => {
      const stage = new Stage(face, { retry: { maxAttempts: 200, maxDelay: 1_000 } }, seed);
      const { at } = starts(stage, down);
      await stage.clock.advance(1_000_000);
      return at.slice(1).map((t, i) => t - at[i]!);
    };
    const first = await run(7);

    expect(first).toHaveLength(199);
    expect(first.every((d) => d >= 0 && d <= 1_000 && Number.isInteger(d))).toBe(true);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
  });

  it('#50 decorrelated jitter grows from each delay to the next', async () => {
    const stage = stageOf(face, { maxAttempts: 50, delay: 10, jitter: 'decorrelated' });
    const { at } = starts(stage, down);

    await stage.clock.advance(1_000_000);

    const gaps = at.slice(1).map((t, i) => t - at[i]!);
    expect(gaps.every((gap, i) => gap >= 10 && gap <= 3 * (gaps[i - 1] ?? 10))).toBe(true);
    expect(Math.max(...gaps)).toBeGreaterThan(1_000);
  });

  it('counts as retries the attempts that were made, not those that were planned', async () => {
    const stage = stageOf(face, { delay: 1_000 });
    stage.call(down);
    await stage.clock.advance(999);
    expect(stage.pipeline.counters.retries).toBe(0);

    await stage.clock.advance(1);

    expect(stage.pipeline.counters.retries).toBe(1);
  });

  it('retryOn that asks for our own timeouts gets them where the work has ended with it', async () => {
    const stage = new Stage(face, {
      retry: { retryOn: CallTimeoutError, jitter: 'none', maxAttempts: 2 },
      timeLimit: 100,
      bulkhead: { maxConcurrent: 1 },
    });
    const slots = stage.pipeline.bulkhead!.policy;
    slots.enter();
    const call = stage.call(() => Promise.resolve('ok'));
    await stage.clock.advance(150);
    expect(stage.executions).toBe(0);

    slots.release();
    await stage.clock.advance(1_000);

    expect(call.value).toBe('ok');
  });
});

describe.each<[string, { cloneArgs?: boolean }, number[][], boolean]>([
  [
    '#59 without cloneArgs every attempt gets the very arguments',
    {},
    [[1], [1, 1], [1, 1, 1]],
    true,
  ],
  ['#59 cloneArgs gives each attempt its own copy', { cloneArgs: true }, [[1], [1], [1]], false],
])('%s', (_name, options, expected, same) => {
  // behind an interceptor the arguments are Nest's
  const faces = FACES.filter(({ name }) => name !== 'interceptor');
  describe.each(faces.map((face) => [face.name, face] as const))('%s face', (_face, face) => {
    it('whatever an attempt writes into them', async () => {
      const stage = stageOf(face, options);
      const list: number[] = [];
      const seen: number[][] = [];
      const given: unknown[] = [];

      stage.call((argument) => {
        given.push(argument);
        (argument as number[]).push(1);
        seen.push([...(argument as number[])]);
        return down();
      }, list);
      await stage.clock.advance(10_000);

      expect(seen).toEqual(expected);
      expect(given.every((argument) => argument === list)).toBe(same);
      expect(list).toHaveLength(same ? 3 : 0);
    });

    it('what cannot be cloned is passed as it is, and reported', async () => {
      const stage = stageOf(face, options);
      const socket = { write: (): void => {} };
      const given: unknown[] = [];

      stage.call((argument) => {
        given.push(argument);
        return Promise.resolve();
      }, socket);
      await settle();

      expect(given).toEqual([socket]);
      expect(given[0]).toBe(socket);
      expect(stage.eventTypes()).toEqual(same ? [] : ['predicate-failed']);
    });
  });
});
