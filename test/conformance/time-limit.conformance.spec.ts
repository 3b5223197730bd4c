import { CallTimeoutError, currentCall } from 'nestjs-bulwark';
import { FACES, Gate, itCanLeave, onEveryFace, settle, Stage } from '../support/stage.js';

onEveryFace((face) => {
  it('gives up exactly at the limit, and the slot is held until the work ends', async () => {
    const stage = new Stage(face, { timeLimit: 100, bulkhead: { maxConcurrent: 1 } });
    const gate = new Gate();
    const call = stage.call(gate.work);
    await stage.clock.advance(99);
    expect(call.isPending).toBe(true);
    await stage.clock.advance(1);

    expect(call.error).toBeInstanceOf(CallTimeoutError);
    expect(call.error).toMatchObject({
      policy: 'time-limit',
      limit: 100,
      started: true,
      status: 504,
    });
    // a stream's work ends with its subscription; a promise's only when it settles
    expect(stage.bulkhead.running).toBe(face.name === 'observable' ? 0 : 1);
    gate.resolve();
    await settle();
    expect(stage.bulkhead.running).toBe(0);
  });

  it('#62 late results are swallowed and counted', async () => {
    const stage = new Stage(face, { timeLimit: 100 });
    const good = new Gate();
    const bad = new Gate();
    stage.call(good.work);
    stage.call(bad.work);
    await stage.clock.advance(100);

    good.resolve();
    bad.reject(new Error('late'));
    await settle();

    // a stream was unsubscribed at its limit, so nothing of it can be late
    const late = face.name === 'observable' ? 0 : 1;
    expect(stage.pipeline.counters).toMatchObject({ lateSuccesses: late, lateFailures: late });
    expect(stage.events.filter((e) => e.type === 'late-result')).toHaveLength(2 * late);
  });

  it('a late value of an attempt that was given up is not the answer of the next', async () => {
    const stage = new Stage(face, {
      timeLimit: 100,
      retry: { idempotent: true, maxAttempts: 2, delay: 10, jitter: 'none' },
    });
    const gates = [new Gate(), new Gate()];
    const call = stage.call(() => gates[stage.executions - 1]!.promise);
    await stage.clock.advance(110);
    expect(stage.executions).toBe(2);

    gates[0]!.resolve('late');
    await settle();
    expect(call.isPending).toBe(true);
    gates[1]!.resolve('second');
    await settle();

    expect(call.value).toBe('second');
    expect(call.values).toEqual(['second']);
  });

  it('#63 the timer is cleared by each way a call can end', async () => {
    const stage = new Stage(face, {
      timeLimit: 60_000,
      retry: { totalTimeout: 90_000, maxAttempts: 2, delay: 0 },
    });

    for (let i = 0; i < 300; i += 1) {
      await stage.run(() => Promise.resolve());
      const failing = stage.call(() => Promise.reject(new Error('x')));
      await stage.clock.advance(0);
      expect(failing.isPending).toBe(false);
      if (face.canLeave) (await stage.run(() => new Promise(() => {}))).cancel();
    }

    expect(stage.clock.pending).toBe(0);
  });
});

it('currentCall outside a protected call is inert', () => {
  const call = currentCall();

  expect(call).toMatchObject({ attempt: 1, target: '' });
  expect(call.signal.aborted).toBe(false);
  expect(call.remaining()).toBe(Number.POSITIVE_INFINITY);
});

describe.each(
  FACES.filter((face) => face.name !== 'interceptor').map((face) => [face.name, face] as const),
)('currentCall in a method of the %s face', (_name, face) => {
  it('#61 the signal that the method reads aborts at the limit, with the timeout as its reason', async () => {
    const stage = new Stage(face, { timeLimit: 100 });
    let signal!: AbortSignal;
    let remaining!: () => number;
    const call = stage.call(() => {
      const context = currentCall();
      ({ signal } = context);
      remaining = context.remaining;
      expect(context).toMatchObject({
        attempt: 1,
        target: 'Controller.handle',
        deadline: stage.clock.epoch() + 100,
      });
      return new Promise(() => {});
    });
    await stage.clock.advance(60);
    expect([signal.aborted, remaining()]).toEqual([false, 40]);

    await stage.clock.advance(40);

    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(call.error);
    expect(remaining()).toBe(0);
  });

  it('a signal asked for after the limit passed is aborted already', async () => {
    const stage = new Stage(face, { timeLimit: 100 });
    let context!: ReturnType<typeof currentCall>;
    stage.call(() => {
      context = currentCall();
      return new Promise(() => {});
    });
    await stage.clock.advance(100);

    expect(context.signal.aborted).toBe(true);
  });

  itCanLeave(face, 'a caller who leaves aborts the signal', async () => {
    const stage = new Stage(face, { timeLimit: 100 });
    let signal!: AbortSignal;
    const call = await stage.run(() => {
      ({ signal } = currentCall());
      return new Promise(() => {});
    });

    call.cancel();

    expect(signal.aborted).toBe(true);
    expect(stage.clock.pending).toBe(0);
  });

  it('each attempt has its own limit and its own signal', async () => {
    const stage = new Stage(face, {
      timeLimit: 100,
      retry: { idempotent: true, maxAttempts: 2, delay: 50, jitter: 'none' },
    });
    const contexts: ReturnType<typeof currentCall>[] = [];
    const call = stage.call(() => {
      contexts.push(currentCall());
      return new Promise(() => {});
    });
    await stage.clock.advance(150);
    expect(contexts.map(({ attempt, signal }) => [attempt, signal.aborted])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(call.isPending).toBe(true);

    await stage.clock.advance(100);

    expect(call.error).toBeInstanceOf(CallTimeoutError);
  });
});

it('currentCall in a handler behind an interceptor is inert: Nest starts the handler later, out of our sight', async () => {
  const stage = new Stage(
    FACES.find((face) => face.name === 'interceptor')!,
    { timeLimit: 100 },
  );
  let context!: ReturnType<typeof currentCall>;
  stage.call(() => {
    context = currentCall();
    return new Promise(() => {});
  });
  await stage.clock.advance(100);

  expect(context.signal.aborted).toBe(false);
});
