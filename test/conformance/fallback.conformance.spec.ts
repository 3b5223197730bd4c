import { ForbiddenException, NotFoundException, UnauthorizedException } from '@nestjs/common';
import { CallTimeoutError, CircuitOpenError, type FallbackPlan } from 'nestjs-bulwark';
import {
  type Face,
  Gate,
  itCanLeave,
  onEveryFace,
  type RunningCall,
  settle,
  Stage,
} from '../support/stage.js';

const stageOf = (face: Face, fallback: FallbackPlan): Stage => new Stage(face, { fallback });
const down = (): Promise<never> => Promise.reject(new Error('down'));

onEveryFace((face) => {
  it('a success is passed through untouched, and so is its identity', async () => {
    const stage = stageOf(face, { value: 'fallback' });
    const answer = { id: 1 };

    expect((await stage.run(() => Promise.resolve(answer))).value).toBe(answer);
    expect(stage.pipeline.counters.degraded).toBe(0);
  });

  it('a value answers for a failure and is counted as degraded', async () => {
    const stage = stageOf(face, { value: 'fallback' });

    expect((await stage.run(down)).value).toBe('fallback');
    expect(stage.pipeline.counters.degraded).toBe(1);
    expect(stage.eventTypes()).toEqual(['fallback-used']);
  });

  it('a function gets the error', async () => {
    const error = new Error('down');
    const seen: unknown[] = [];
    const stage = stageOf(face, (given) => {
      seen.push(given);
      return Promise.resolve('answer');
    });

    expect((await stage.run(() => Promise.reject(error))).value).toBe('answer');
    expect(seen).toEqual([error]);
  });

  it('answers when retries are used up, the breaker is open or the time is over', async () => {
    const stage = new Stage(face, {
      fallback: (error) => (error as Error).name,
      retry: { maxAttempts: 2, delay: 10 },
      circuitBreaker: { failureThreshold: 3 },
      timeLimit: 100,
    });
    const failed = stage.call(down);
    await stage.clock.advance(10);
    const slow = stage.call(() => new Promise(() => {}));
    await stage.clock.advance(100);

    expect([failed.value, slow.value]).toEqual(['Error', CallTimeoutError.name]);
    expect((await stage.run(down)).value).toBe(CircuitOpenError.name);
  });

  it.each([
    Object.assign(new Error('got 403'), { response: { statusCode: 403 } }),
    Object.assign(new Error('code and 403'), { code: 'ECONNRESET', status: 403 }),
    new ForbiddenException(),
    new UnauthorizedException(),
    new TypeError('bug'),
    new DOMException('x', 'AbortError'),
  ])('#85 does not hide %s', async (error) => {
    const stage = stageOf(face, { value: 'data' });

    expect((await stage.run(() => Promise.reject(error))).error).toBe(error);
  });

  it('#85 hides a refusal of access only where it is listed', async () => {
    const stage = stageOf(face, { value: 'public part', on: ForbiddenException });

    expect((await stage.run(() => Promise.reject(new ForbiddenException()))).value).toBe(
      'public part',
    );
    expect((await stage.run(down)).error.message).toBe('down');
  });

  it('does not hide a cancellation even where every error is listed', async () => {
    const error = new DOMException('the caller left', 'AbortError');
    const stage = stageOf(face, { value: 'data', on: () => true });

    expect((await stage.run(() => Promise.reject(error))).error).toBe(error);
  });

  it('a list is tried in turn, each with its own conditions', async () => {
    const stage = stageOf(face, [
      { value: 'not found', on: NotFoundException },
      {
        handler: () => {
          throw new Error('first broke');
        },
      },
      { value: 'not for this', except: 'EX' },
      { value: 'last' },
    ]);

    expect((await stage.run(() => Promise.reject(new NotFoundException()))).value).toBe(
      'not found',
    );
    expect((await stage.run(down)).value).toBe('not for this');
    expect(
      (await stage.run(() => Promise.reject(Object.assign(new Error('x'), { code: 'EX' })))).value,
    ).toBe('last');
  });

  it('#83 a fallback that fails too gives its own error, with the original as its cause', async () => {
    const original = new Error('down');
    const stage = stageOf(face, () => Promise.reject(new Error('fallback broke')));

    const { error } = await stage.run(() => Promise.reject(original));

    expect(error.message).toBe('fallback broke');
    expect(error.cause).toBe(original);
    expect(stage.eventTypes()).toEqual(['fallback-failed']);
  });

  it('alternatives are asked in turn, with what the method was asked', async () => {
    const seen: unknown[][] = [];
    const stage = stageOf(face, {
      alternative: [
        (...args: unknown[]) => {
          seen.push(args);
          return Promise.reject(new Error('b is down'));
        },
        async (...args: unknown[]) => seen.push(args),
        () => seen.push(['not needed']),
      ],
    });

    expect((await stage.run(down, 'x')).value).toBe(2);
    const given = face.name === 'interceptor' ? [expect.objectContaining(stage.context)] : ['x'];
    expect(seen).toEqual([given, given]);
    expect(stage.eventTypes()).toEqual(['fallback-failed', 'fallback-used']);
    expect(stage.events[1]).toMatchObject({ kind: 'alternative' });
    expect(stage.events[1]).not.toHaveProperty('age');
  });

  it('#83 the error of the last alternative has the original as its cause', async () => {
    const original = new Error('a is down');
    const stage = stageOf(face, {
      alternative: [() => Promise.reject(new Error('b')), () => Promise.reject(new Error('c'))],
    });

    const { error } = await stage.run(() => Promise.reject(original));

    expect([error.message, error.cause]).toEqual(['c', original]);
    expect(stage.pipeline.fallback!.snapshot()).toMatchObject({ calls: 1, answered: 0, failed: 1 });
  });

  it('#85 a refusal of access by an alternative is not hidden by what follows', async () => {
    const refusal = new ForbiddenException();
    const stage = stageOf(face, [
      { alternative: [() => Promise.reject(refusal), () => 'data'] },
      { value: 'data' },
    ]);

    expect((await stage.run(down)).error).toBe(refusal);
    expect(stage.pipeline.counters.degraded).toBe(0);
  });

  it.each(['retry-exhausted', 'fallback-used'])(
    '#84 a fallback cannot change what %s says of the error',
    async (type) => {
      const original = Object.assign(new RangeError('down'), { code: 'E1' });
      const stage = new Stage(face, {
        fallback: {
          handler: (error) => Object.assign(error as Error, { message: 'all is well', code: 'OK' }),
          on: RangeError,
        },
        retry: { maxAttempts: 1, retryOn: RangeError },
      });

      const call = await stage.run(() => Promise.reject(original));

      expect(call.value).toBe(original);
      expect(original.message).toBe('all is well');
      const event = stage.events.find((e) => e.type === type) as unknown as { error: Error };
      expect(event.error).toMatchObject({ name: 'RangeError', message: 'down', code: 'E1' });
      expect(event.error).toBeInstanceOf(RangeError);
    },
  );

  it('#84 a fallback cannot change the arguments that the next one gets', async () => {
    const stage = stageOf(face, [
      (_error, ...args: unknown[]) => {
        args.length = 0;
        throw new Error('first broke');
      },
      (_error, ...args: unknown[]) => args.length,
    ]);

    expect((await stage.run(down, 'x')).value).toBe(1);
  });

  itCanLeave(face, 'is not asked for a call whose caller left', async () => {
    let asked = 0;
    const stage = stageOf(face, () => (asked += 1));
    const call = await stage.run(() => new Promise(() => {}));

    call.cancel();
    await settle();

    expect(asked).toBe(0);
    expect(call.ending).toEqual({ cancelled: true });
  });

  itCanLeave(
    face,
    'a caller who leaves between two fallbacks is not answered by the second',
    async () => {
      let asked = 0;
      const gate = new Gate();
      const leaving = { call: undefined as RunningCall | undefined };
      const stage = stageOf(face, [
        gate.work,
        {
          handler: () => (asked += 1),
          on: () => {
            if (gate.starts > 0) leaving.call!.cancel();
            return true;
          },
        },
      ]);
      leaving.call = await stage.run(down);

      gate.reject(new Error('first broke'));
      await settle();

      expect(asked).toBe(0);
      expect(leaving.call.ending).toEqual({ cancelled: true });
    },
  );

  itCanLeave(face, 'a caller who leaves while the fallback works gets nothing more', async () => {
    const gate = new Gate();
    const stage = stageOf(face, gate.work);
    const call = await stage.run(down);

    call.cancel();
    gate.resolve('late');
    await settle();

    expect(call.ending).toEqual({ cancelled: true });
    expect(stage.pipeline.counters.degraded).toBe(0);
  });

  it.each<[string, unknown]>([
    ['an object', { e: 1 }],
    ['a string', 'e'],
    ['undefined', undefined],
    ['null', null],
    ['a frozen error', Object.freeze(new Error('e'))],
    [
      'an error whose message getter throws',
      Object.defineProperty(new Error('e'), 'message', {
        get() {
          throw new Error('getter');
        },
      }),
    ],
    [
      'a proxy that throws on every trap',
      new Proxy(
        {},
        {
          get() {
            throw new Error('trap');
          },
          getPrototypeOf() {
            throw new Error('trap');
          },
        },
      ),
    ],
  ])('#17 %s reaches the caller by identity through every policy', async (_name, error) => {
    const stage = new Stage(face, {
      fallback: { value: 1, except: () => true },
      retry: { maxAttempts: 2, delay: 0 },
      circuitBreaker: {},
      bulkhead: {},
    });

    const call = stage.call(() => Promise.reject(error));
    await stage.clock.advance(1);

    expect(Object.is((call.ending as { error: unknown }).error, error)).toBe(true);
  });
});
