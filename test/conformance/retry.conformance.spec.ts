import { getEventListeners } from 'node:events';
import { BadRequestException, HttpException, ServiceUnavailableException } from '@nestjs/common';
import { CallTimeoutError, CircuitOpenError, type RetryOptions } from 'nestjs-bulwark';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import {
  type Face,
  FACES,
  Gate,
  itCanLeave,
  onEveryFace,
  settle,
  Stage,
} from '../support/stage.js';

const down = (): Promise<never> => Promise.reject(new Error('down'));

const stageOf = (face: Face, retry: RetryOptions = {}): Stage =>
  new Stage(face, { retry: { jitter: 'none', ...retry } });

const withCode = (code: string): Error => Object.assign(new Error(code), { code });
const fetchFailed = (code: string): Error =>
  new TypeError('fetch failed', { cause: withCode(code) });

onEveryFace((face) => {
  it('#49 three attempts are three executions, the first included', async () => {
    const stage = stageOf(face, { maxAttempts: 3 });

    const call = stage.call(down);
    await stage.clock.advance(10_000);

    expect(stage.executions).toBe(3);
    expect(call.error.message).toBe('down');
    expect(stage.eventTypes()).toEqual(['retry-scheduled', 'retry-scheduled', 'retry-exhausted']);
  });

  it('#49 a synchronous throw is an attempt like any other', async () => {
    const stage = stageOf(face, { maxAttempts: 3 });

    const call = stage.call(() => {
      throw new Error('sync');
    });
    await stage.clock.advance(10_000);

    expect(stage.executions).toBe(3);
    expect(call.error.message).toBe('sync');
  });

  it('maxAttempts 1 never retries', async () => {
    const stage = stageOf(face, { maxAttempts: 1 });

    await stage.run(down);

    expect(stage.executions).toBe(1);
    expect(stage.clock.pending).toBe(0);
  });

  it('answers with the first success and stops', async () => {
    const stage = stageOf(face);
    let n = 0;

    const call = stage.call(() => ((n += 1) < 3 ? down() : Promise.resolve('third')));
    await stage.clock.advance(10_000);

    expect(call.value).toBe('third');
    expect(stage.executions).toBe(3);
  });

  it('waits 100, 200, 400 … between attempts: never early', async () => {
    const stage = stageOf(face, { maxAttempts: 5 });
    const call = stage.call(down);
    await settle();

    for (const delay of [100, 200, 400, 800]) {
      const before = stage.executions;
      await stage.clock.advance(delay - 1);
      expect(stage.executions).toBe(before);
      await stage.clock.advance(1);
      expect(stage.executions).toBe(before + 1);
    }
    expect(call.isPending).toBe(false);
  });

  itCanLeave(
    face,
    '#54 a caller who leaves during a delay ends the call at once, with no further attempt and no timer',
    async () => {
      const stage = stageOf(face, { delay: 10_000 });
      const call = stage.call(down);
      await stage.clock.advance(10);

      call.cancel();
      await settle();

      expect(call.ending).toEqual({ cancelled: true });
      expect(stage.clock.pending).toBe(0);
      await stage.clock.advance(100_000);
      expect(stage.executions).toBe(1);
    },
  );

  itCanLeave(face, '#55 leaving after a success changes nothing: it is a success', async () => {
    const stage = stageOf(face);
    const done = await stage.run(() => Promise.resolve('ok'));
    done.cancel();
    await settle();
    expect(done.value).toBe('ok');
    expect(stage.executions).toBe(1);
  });

  it('#56 the total timeout ends the call on time, aborts the running attempt and starts no other', async () => {
    const stage = stageOf(face, {
      maxAttempts: 10,
      delay: 100,
      backoff: 'constant',
      totalTimeout: 1_000,
    });
    const starts: number[] = [];
    const began = stage.clock.now();

    const call = stage.call(() => {
      starts.push(stage.clock.now() - began);
      return new Promise((_resolve, reject) =>
        stage.clock.schedule(() => reject(new Error('slow')), 400),
      );
    });
    await stage.clock.advance(999);
    const pendingAt999 = call.isPending;
    await stage.clock.advance(1);

    expect(starts).toEqual([0, 500]);
    expect([pendingAt999, call.isPending]).toEqual([false, false]);
    expect(call.error.message).toBe('slow');
  });

  it('#56 an attempt on its way at the deadline is given up at the deadline', async () => {
    const stage = stageOf(face, { totalTimeout: 1_000 });
    const hung = new Gate();

    const call = stage.call(hung.work);
    await stage.clock.advance(999);
    expect(call.isPending).toBe(true);
    await stage.clock.advance(1);

    expect(call.error).toBeInstanceOf(CallTimeoutError);
    expect(call.error).toMatchObject({ policy: 'retry', limit: 1_000, started: true });
    expect(stage.clock.pending).toBe(0);
  });

  it('#45 an open breaker is not retried by default, and says when to come back', async () => {
    const stage = new Stage(face, {
      retry: {},
      circuitBreaker: { failureThreshold: 1, openFor: 5_000, openJitter: 0 },
    });
    const first = await stage.run(() => Promise.reject(new BadRequestException()));
    expect(first.error).toBeInstanceOf(BadRequestException);
    stage.breaker.reset();
    const opener = stage.call(down);
    await stage.clock.advance(200);
    expect(opener.error).toBeInstanceOf(CircuitOpenError);
    const executed = stage.executions;

    const call = await stage.run(down);

    expect(call.error).toBeInstanceOf(CircuitOpenError);
    expect(call.error['retryAfter']).toBeLessThanOrEqual(5_000);
    expect(stage.executions).toBe(executed);
    expect(stage.clock.pending).toBe(0);
  });

  it('#45 an open breaker is retried where retryOn asks for it', async () => {
    const stage = new Stage(face, {
      retry: { retryOn: [CircuitOpenError], maxAttempts: 2, delay: 2_000, jitter: 'none' },
      circuitBreaker: { failureThreshold: 1, openFor: 1_000, openJitter: 0 },
    });
    await stage.run(down);

    const call = stage.call(() => Promise.resolve('ok'));
    await stage.clock.advance(2_000);

    expect(call.value).toBe('ok');
  });

  it('#45 an open breaker that is retried is left alone until its probe is due', async () => {
    const stage = new Stage(face, {
      retry: { retryOn: () => true, maxAttempts: 3, delay: 0 },
      circuitBreaker: { failureThreshold: 1, openFor: 5_000, openJitter: 0 },
    });

    const call = stage.call(down);
    await stage.clock.advance(4_999);
    expect([stage.executions, call.isPending]).toEqual([1, true]);
    await stage.clock.advance(1);

    expect(stage.executions).toBe(2);
    expect(call.error.message).toBe('down');
  });

  it('after our own timeout of running work there is no retry unless the method is idempotent', async () => {
    const once = new Stage(face, { retry: {}, timeLimit: 100 });
    const twice = new Stage(face, {
      retry: { idempotent: true, jitter: 'none', maxAttempts: 2 },
      timeLimit: 100,
    });
    const hung = (): Promise<never> => new Promise(() => {});

    const first = once.call(hung);
    const second = twice.call(hung);
    await once.clock.advance(10_000);
    await twice.clock.advance(10_000);

    expect([once.executions, twice.executions]).toEqual([1, 2]);
    expect([first.error, second.error]).toEqual([
      expect.any(CallTimeoutError),
      expect.any(CallTimeoutError),
    ]);
  });

  it('abortOn wins over retryOn; retryOn alone names what is retried', async () => {
    class Busy extends Error {}
    class Gone extends Busy {}
    const stage = stageOf(face, { retryOn: Busy, abortOn: Gone, delay: 0 });

    stage.call(() => Promise.reject(new Gone()));
    stage.call(() => Promise.reject(new Error('other')));
    await stage.clock.advance(0);
    expect(stage.executions).toBe(2);

    stage.call(() => Promise.reject(new Busy()));
    await stage.clock.advance(0);
    expect(stage.executions).toBe(5);
  });

  it.each<[string, unknown, number]>([
    ['a plain Error', new Error('x'), 3],
    ['a string', 'x', 3],
    ['undefined', undefined, 3],
    ['null', null, 3],
    ['TypeError', new TypeError('x'), 1],
    ['ReferenceError', new ReferenceError('x'), 1],
    ['SyntaxError', new SyntaxError('x'), 1],
    ['RangeError', new RangeError('x'), 1],
    ['AbortError', new DOMException('x', 'AbortError'), 1],
    ['TimeoutError', new DOMException('x', 'TimeoutError'), 3],
    ['HttpException 400', new BadRequestException(), 1],
    ['HttpException 401', new HttpException('x', 401), 1],
    ['HttpException 403', new HttpException('x', 403), 1],
    ['HttpException 404', new HttpException('x', 404), 1],
    ['HttpException 409', new HttpException('x', 409), 1],
    ['HttpException 422', new HttpException('x', 422), 1],
    ['HttpException 408', new HttpException('x', 408), 3],
    ['HttpException 425', new HttpException('x', 425), 3],
    ['HttpException 429', new HttpException('x', 429), 6],
    ['HttpException 500', new HttpException('x', 500), 3],
    ['HttpException 501', new HttpException('x', 501), 1],
    ['HttpException 502', new HttpException('x', 502), 3],
    ['HttpException 503', new ServiceUnavailableException(), 3],
    ['HttpException 504', new HttpException('x', 504), 3],
    ['axios 404', Object.assign(new Error('x'), { response: { status: 404 } }), 1],
    ['axios 503', Object.assign(new Error('x'), { response: { status: 503 } }), 3],
    ['statusCode 400', Object.assign(new Error('x'), { statusCode: 400 }), 1],
    ['ECONNRESET', withCode('ECONNRESET'), 3],
    ['ECONNREFUSED', withCode('ECONNREFUSED'), 3],
    ['ETIMEDOUT', withCode('ETIMEDOUT'), 3],
    ['EAI_AGAIN', withCode('EAI_AGAIN'), 3],
    ['UND_ERR_CONNECT_TIMEOUT', withCode('UND_ERR_CONNECT_TIMEOUT'), 3],
    ['fetch failed by ECONNREFUSED', fetchFailed('ECONNREFUSED'), 3],
    [
      'fetch failed for a reason without a code',
      new TypeError('fetch failed', { cause: new Error('bad port') }),
      3,
    ],
    ['fetch failed by ENOTFOUND', fetchFailed('ENOTFOUND'), 3],
  ])('#57 %s is attempted as its kind deserves', async (_name, error, attempts) => {
    const stage = stageOf(face);

    stage.call(() => Promise.reject(error));
    await stage.clock.advance(100_000);

    expect(stage.executions).toBe(attempts);
  });

  it('#48 what the dependency says of when to come back is waited for, to the millisecond', async () => {
    const stage = new Stage(face, { retry: { maxAttempts: 2 } });
    const headers = { 'retry-after': '30' };

    const call = stage.call(() => Promise.reject(Object.assign(new Error('busy'), { headers })));
    await stage.clock.advance(29_999);
    expect(stage.executions).toBe(1);
    await stage.clock.advance(1);

    expect(stage.executions).toBe(2);
    expect(call.error.message).toBe('busy');
  });

  it('#48 a dependency that wants to be left alone for too long is left alone', async () => {
    const stage = stageOf(face);
    const headers = { 'retry-after': '99999999999' };

    const call = await stage.run(() => Promise.reject(Object.assign(new Error(), { headers })));

    expect(call.error['headers']).toBe(headers);
    expect([stage.executions, stage.clock.pending]).toEqual([1, 0]);
  });

  it('decorrelated jitter hears of the delay before', async () => {
    const stage = new Stage(face, { retry: { maxAttempts: 12, jitter: 'decorrelated' } });

    stage.call(down);
    await stage.clock.advance(100_000);

    const delays = stage.events.flatMap((e) => (e.type === 'retry-scheduled' ? [e.delay] : []));
    expect(delays).toHaveLength(11);
    delays.forEach((delay, i) => {
      expect(delay).toBeGreaterThanOrEqual(100);
      expect(delay).toBeLessThanOrEqual(3 * (delays[i - 1] ?? 100));
    });
    expect(Math.max(...delays)).toBeGreaterThan(300); // so it has grown beyond the first range
  });
});

it('#55 a call whose signal is aborted before the start executes nothing', async () => {
  const stage = new Stage(FACES[0]!, { retry: {}, circuitBreaker: {}, bulkhead: {} });
  const reason = new Error('left');
  const work = (): Promise<void> => {
    stage.executions += 1;
    return Promise.resolve();
  };

  await expect(
    runPromise(stage.target, work, undefined, [], AbortSignal.abort(reason)),
  ).rejects.toBe(reason);

  expect(stage.executions).toBe(0);
  expect(stage.breaker.counters.cancelled).toBe(0);
});

it('#64 a signal that outlives its calls keeps no listener of them', async () => {
  const stage = new Stage(FACES[0]!, { retry: { delay: 1 }, timeLimit: 100, bulkhead: {} });
  const { signal } = new AbortController();
  const works = [
    () => Promise.resolve(),
    () => Promise.reject(new Error('x')),
    () => new Promise<never>(() => {}),
  ];

  for (let i = 0; i < 300; i += 1) {
    const call = runPromise(stage.target, works[i % 3]!, undefined, [], signal).catch(() => {});
    await stage.clock.advance(1_000);
    await call;
  }

  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
