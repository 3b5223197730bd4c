import { CircuitOpenError } from 'nestjs-bulwark';
import { breakerStage, controlOf, NAME, readerOf } from '../support/breaker-stage.js';
import { Gate, itCanLeave, onEveryFace, settle, type Stage } from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');
const never = (): Promise<never> => new Promise(() => {});

onEveryFace((face) => {
  describe('shadow mode', () => {
    it('runs what it would refuse, unobserved, and counts it', async () => {
      const stage = breakerStage(face, { mode: 'shadow' });
      await stage.fail(2);
      expect(stage.breaker.current).toBe('open');
      stage.executions = 0;

      for (let i = 0; i < 3; i += 1) expect((await stage.run(up)).value).toBe('ok');
      const down = await stage.run(() => Promise.reject(new Error('down')));

      expect(down.error.message).toBe('down');
      expect(stage.executions).toBe(4);
      expect(stage.breaker.snapshot()).toMatchObject({
        state: 'open',
        mode: 'shadow',
        counters: { wouldReject: 4, notPermitted: 0, failure: 2, success: 0 },
      });
      expect(stage.eventTypes()).not.toContain('call-rejected');
    });

    it('moves as it would in earnest: a probe closes it while others run beside it', async () => {
      const stage = breakerStage(face, { mode: 'shadow' });
      await stage.fail(2);
      await stage.clock.advance(1_000);
      const probe = new Gate();
      stage.call(probe.work);
      await settle();
      expect((await stage.run(up)).value).toBe('ok');
      expect(stage.breaker.current).toBe('half-open');

      probe.resolve('ok');
      await settle();

      expect(stage.breaker.current).toBe('closed');
    });

    it('holds no slot back, and leaves nothing behind in a bulkhead', async () => {
      const stage = breakerStage(face, { mode: 'shadow' }, { bulkhead: { maxConcurrent: 1 } });
      await stage.fail(2);
      const gates = [new Gate(), new Gate()];
      const calls = gates.map((gate) => stage.call(gate.work));
      await settle();
      expect(stage.bulkhead).toMatchObject({ running: 1, queued: 1 });
      for (const gate of gates) gate.resolve('ok');
      await settle();

      expect(calls.map(({ value }) => value)).toEqual(['ok', 'ok']);
      expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
    });
  });

  describe('hands', () => {
    it('isolate: refuses everybody, with no time to come back, until released', async () => {
      const stage = breakerStage(face);
      const release = controlOf(stage).isolate('maintenance');

      const { error } = await stage.run(up);

      expect(error).toMatchObject({ code: 'CIRCUIT_OPEN', policy: 'circuit-breaker' });
      expect(error).not.toHaveProperty('retryAfter');
      expect(error.message).toBe(`circuit breaker ${NAME} is isolated`);
      expect(stage.executions).toBe(0);
      expect(readerOf(stage).explain()).toBe(`circuit breaker ${NAME} is isolated: maintenance`);
      release();
      expect((await stage.run(up)).value).toBe('ok');
    });

    it('disable: lets everybody in and counts nothing, also of calls that end later', async () => {
      const stage = breakerStage(face);
      const release = controlOf(stage).disable();
      await stage.fail(5);
      const late = new Gate();
      stage.call(late.work);
      await settle();
      expect(stage.breaker.counters.failure).toBe(0);
      release();
      late.reject(new Error('late'));
      await settle();

      expect(stage.breaker.current).toBe('closed');
      expect(stage.breaker.counters).toMatchObject({ failure: 0, stale: 1 });
    });

    it('isolation is stronger than disabling, and release lets go of the latest', async () => {
      const stage = breakerStage(face);
      const control = controlOf(stage);
      control.isolate();
      control.disable();
      expect((await stage.run(up)).error).toMatchObject({ code: 'CIRCUIT_OPEN' });

      expect(control.release()).toBe(true);
      expect((await stage.run(up)).value).toBe('ok');
      expect(readerOf(stage).state).toBe('disabled');
      expect(control.release()).toBe(true);
      expect(readerOf(stage).state).toBe('closed');
      expect(control.release()).toBe(false);
    });

    it('open: for exactly that time, then probes decide', async () => {
      const stage = breakerStage(face);
      expect(controlOf(stage).open(700, 'deploying')).toBe(true);
      expect((await stage.run(up)).error).toMatchObject({ retryAfter: 700 });
      await stage.clock.advance(699);
      expect((await stage.run(up)).error).toMatchObject({ retryAfter: 1 });
      await stage.clock.advance(1);

      expect((await stage.run(up)).value).toBe('ok');
      expect(readerOf(stage).state).toBe('closed');
    });

    it('openUntil: a moment by the wall clock, and a past one does nothing', async () => {
      const stage = breakerStage(face);
      const control = controlOf(stage);
      expect(control.openUntil(stage.clock.epoch() - 1)).toBe(false);
      expect(control.openUntil(stage.clock.epoch() + 300)).toBe(true);

      expect((await stage.run(up)).error).toMatchObject({ retryAfter: 300 });
    });

    it('open refuses nonsense, and does nothing to what is isolated', () => {
      const stage = breakerStage(face);
      const control = controlOf(stage);
      for (const ms of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
        expect(() => control.open(ms)).toThrow(RangeError);
      expect(() => control.openUntil(Number.NaN)).toThrow(RangeError);
      control.isolate();
      expect(control.open(5)).toBe(false);
    });

    it('reset: closed at once, with an empty record', async () => {
      const stage = breakerStage(face);
      await stage.fail(2);
      controlOf(stage).reset('I know better');

      expect(readerOf(stage).explain()).toBe(`circuit breaker ${NAME} is closed: I know better`);
      expect((await stage.run(up)).value).toBe('ok');
    });
  });

  describe('gradual close', () => {
    const gradual = { gradualClose: { steps: [0.5, 1], calls: 2 } };

    const recovering = async (): Promise<Stage> => {
      const stage = breakerStage(face, gradual);
      await stage.fail(2);
      await stage.clock.advance(1_000);
      await stage.succeed(1);
      expect(stage.breaker.snapshot()).toMatchObject({ state: 'recovering', share: 0.5 });
      stage.executions = 0;
      return stage;
    };

    it('lets a share in, refuses the rest with a time, and closes step by step', async () => {
      const stage = await recovering();
      const calls = [await stage.run(up), await stage.run(up), await stage.run(up)];

      expect(stage.executions).toBe(2);
      const refused = calls.filter(({ ending }) => 'error' in ending!);
      expect(refused[0]!.error).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfter: 5_000 });
      expect(stage.breaker.snapshot()).toMatchObject({ share: 1 });

      await stage.succeed(2);
      expect(stage.breaker.current).toBe('closed');
    });

    it('goes a step back on a failure, and from the first step opens again', async () => {
      const stage = await recovering();
      while (stage.breaker.snapshot().share === 0.5) await stage.run(up);
      await stage.fail(1);
      expect(stage.breaker.snapshot()).toMatchObject({ state: 'recovering', share: 0.5 });

      while (stage.breaker.current === 'recovering') await stage.fail(1);

      expect(stage.breaker.snapshot()).toMatchObject({ state: 'open', retryAfter: 2_000 });
    });

    itCanLeave(face, 'a caller who leaves changes nothing', async () => {
      const stage = await recovering();
      const call = stage.call(never);
      await settle();
      call.cancel();
      await settle();

      expect(stage.breaker.snapshot()).toMatchObject({ state: 'recovering', share: 0.5 });
      expect(stage.breaker.counters.cancelled).toBe(1);
    });
  });

  it('a permit by hand and calls count alike', async () => {
    const stage = breakerStage(face);
    const control = controlOf(stage);
    control.acquire()!.failure(Object.assign(new Error('x'), { code: 'EPIPE' }));
    await stage.fail(1);

    expect(stage.breaker.snapshot()).toMatchObject({
      state: 'open',
      lastTrip: { outcomes: [{ error: 'EPIPE' }, { error: 'Error' }] },
    });
    expect(control.canExecute()).toBe(false);
    expect(control.acquire()).toBeUndefined();
    await stage.clock.advance(1_000);

    const probe = control.acquire()!;
    expect((await stage.run(up)).error).toMatchObject({ code: 'CIRCUIT_OPEN' });
    probe.release();
    expect((await stage.run(up)).value).toBe('ok');
    expect(readerOf(stage).state).toBe('closed');
  });

  it('outcomes told without a permit count as calls', async () => {
    const stage = breakerStage(face);
    const control = controlOf(stage);
    control.recordFailure(new Error('x'));
    control.recordSuccess();
    control.recordFailure();
    await stage.fail(1);

    expect(stage.breaker.snapshot()).toMatchObject({
      state: 'open',
      counters: { success: 1, failure: 3 },
    });
    control.recordSuccess();
    expect(stage.breaker.counters.stale).toBe(1);
  });

  it('#37 what was saved is restored by control, and nonsense is not believed', async () => {
    const before = breakerStage(face);
    await before.fail(2);
    const saved: unknown = JSON.parse(JSON.stringify(controlOf(before).save()));

    const stage = breakerStage(face);
    expect(controlOf(stage).restore(saved)).toEqual([]);
    expect((await stage.run(up)).error).toMatchObject({ retryAfter: 1_000 });
    await stage.clock.advance(1_000);
    expect((await stage.run(up)).value).toBe('ok');

    const far = { state: 'open', probeAt: stage.clock.epoch() + 1e12, at: 0 };
    expect(controlOf(stage).restore(far)).toHaveLength(1);
    expect(stage.breaker.retryAfter()).toBe(60_000);
    expect(controlOf(stage).restore({ state: '__proto__' })).toHaveLength(1);
    expect((await stage.run(up)).value).toBe('ok');
  });

  it('a probe that is refused further in by another breaker makes no room', async () => {
    const stage = breakerStage(face);
    await stage.fail(2);
    await stage.clock.advance(1_000);
    const refusal = new CircuitOpenError('other', 'open');
    await stage.run(() => Promise.reject(refusal));
    expect(stage.breaker.current).toBe('half-open');

    const gate = new Gate();
    const calls = [stage.call(gate.work), stage.call(gate.work)];
    await settle();
    expect(calls.map(({ isPending }) => isPending)).toEqual([true, false]);
  });

  it('a half-open breaker that calls itself keeps a place for somebody else', async () => {
    const stage = breakerStage(face);
    await stage.fail(2);
    await stage.clock.advance(1_000);

    const outer = await stage.run(async () => {
      const inner = await stage.run(up);
      throw inner.error;
    });
    await settle();

    expect(outer.error).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
  });
});
