import { CircuitOpenError } from 'nestjs-bulwark';
import type { CircuitBreakerOptions } from 'nestjs-bulwark';
import { type Face, Gate, itCanLeave, onEveryFace, settle, Stage } from '../support/stage.js';

class NotFound extends Error {
  readonly status = 404;
}

const down = (): Promise<never> => Promise.reject(new Error('down'));
const up = (): Promise<string> => Promise.resolve('ok');

const OPENS_AT_5: CircuitBreakerOptions = {
  failureThreshold: 5,
  openFor: 1_000,
  openJitter: 0,
  successThreshold: 1,
  halfOpenCalls: 1,
};

const stageOf = (face: Face, options: CircuitBreakerOptions = {}): Stage =>
  new Stage(face, { circuitBreaker: { ...OPENS_AT_5, ...options } });

async function opened(face: Face, options: CircuitBreakerOptions = {}): Promise<Stage> {
  const stage = stageOf(face, options);
  await stage.fail(options.failureThreshold ?? 5);
  expect(stage.breaker.current).toBe('open');
  stage.executions = 0;
  return stage;
}

async function halfOpen(face: Face, options: CircuitBreakerOptions = {}): Promise<Stage> {
  const stage = await opened(face, options);
  await stage.clock.advance(1_000);
  return stage;
}

onEveryFace((face) => {
  it('opens after exactly the threshold of consecutive failures, and then refuses without calling', async () => {
    const stage = stageOf(face);
    await stage.fail(4);
    await stage.succeed(1);
    await stage.fail(4);
    expect(stage.breaker.current).toBe('closed');

    await stage.fail(1);
    expect(stage.breaker.current).toBe('open');

    const executed = stage.executions;
    const call = await stage.run(up);
    expect(call.error).toBeInstanceOf(CircuitOpenError);
    expect(call.error).toMatchObject({
      code: 'CIRCUIT_OPEN',
      target: 'Controller.handle',
      status: 503,
      retryAfter: 1_000,
    });
    expect(stage.executions).toBe(executed);
  });

  it('#21 half-open admits exactly one of fifty at once, #22 and the others fail fast behind a slow probe', async () => {
    const stage = await halfOpen(face);
    const probe = new Gate();

    const calls = Array.from({ length: 50 }, () => stage.call(probe.work));
    await settle();

    expect(stage.executions).toBe(1);
    expect(calls.filter((c) => c.isPending)).toHaveLength(1);
    expect(calls.slice(1).every((c) => c.error instanceof CircuitOpenError)).toBe(true);
    probe.resolve('ok');
    await settle();
    expect(stage.breaker.current).toBe('closed');
  });

  it('#21 half-open admits exactly three of fifty where three are allowed', async () => {
    const stage = await halfOpen(face, { halfOpenCalls: 3, successThreshold: 2 });
    const probe = new Gate();

    const calls = Array.from({ length: 50 }, () => stage.call(probe.work));
    await settle();

    expect(stage.executions).toBe(3);
    expect(calls.filter((c) => !c.isPending)).toHaveLength(47);
  });

  itCanLeave(face, '#23 a stale success does not close', async () => {
    const stage = stageOf(face, { halfOpenCalls: 3, successThreshold: 1 });
    const slow = new Gate();
    stage.call(slow.work);
    await stage.fail(5);
    await stage.clock.advance(1_000);
    // a probe that is cancelled moves it to half-open and gives its place back
    const probe = stage.call(() => new Promise(() => {}));
    await settle();
    probe.cancel();
    expect(stage.breaker.current).toBe('half-open');

    slow.resolve('late');
    await settle();

    expect(stage.breaker.current).toBe('half-open');
    expect(stage.breaker.counters.stale).toBe(1);
    const probes = Array.from({ length: 5 }, () => stage.call(() => new Promise(() => {})));
    await settle();
    expect(probes.filter((c) => c.isPending)).toHaveLength(3);
  });

  it('#24 a stale failure does not re-open, and the good probe closes', async () => {
    const stage = stageOf(face);
    const slow = new Gate();
    stage.call(slow.work);
    await stage.fail(5);
    await stage.clock.advance(1_000);
    const probe = new Gate();
    stage.call(probe.work);
    await settle();

    slow.reject(new Error('late'));
    await settle();
    expect(stage.breaker.current).toBe('half-open');

    probe.resolve('ok');
    await settle();
    expect(stage.breaker.current).toBe('closed');
  });

  it('#26 an ignored error settles the probe: the dependency answered', async () => {
    const stage = await halfOpen(face);

    await stage.run(() => Promise.reject(new NotFound()));

    expect(stage.breaker.current).toBe('closed');
    expect((await stage.run(up)).value).toBe('ok');
  });

  it('an ignored error is not counted while closed and does not break a run of failures', async () => {
    const stage = stageOf(face);
    await stage.fail(4);
    await stage.fail(3, new NotFound());
    expect(stage.breaker.current).toBe('closed');

    await stage.fail(1);

    expect(stage.breaker.current).toBe('open');
    expect(stage.breaker.counters).toMatchObject({ failure: 5, ignored: 3 });
  });

  itCanLeave(face, '#27 a cancelled probe gives its place back within one tick', async () => {
    const stage = await halfOpen(face);
    const probe = stage.call(() => new Promise(() => {}));
    await settle();

    probe.cancel();

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.current).toBe('closed');
    expect(stage.breaker.counters.cancelled).toBe(1);
  });

  it('#28 a probe that never settles loses its place when its lease ends, and its late result is ignored', async () => {
    const stage = await halfOpen(face, { halfOpenLease: 2_000 });
    const hung = new Gate();
    stage.call(hung.work);
    await stage.clock.advance(1_999);
    expect((await stage.run(up)).error).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfter: 1 });
    await stage.clock.advance(1);

    const second = new Gate();
    const call = await stage.run(second.work);
    expect(call.isPending).toBe(true);
    hung.reject(new Error('late'));
    await settle();
    expect(stage.breaker.current).toBe('half-open');

    second.resolve('ok');
    await settle();
    expect(stage.breaker.current).toBe('closed');
    expect(stage.eventTypes()).toContain('probe-lost');
  });

  it('#30 the minimum of calls does not hold in half-open: one bad probe re-opens at once', async () => {
    const stage = new Stage(face, {
      circuitBreaker: {
        failureRate: 0.5,
        minimumCalls: 20,
        openFor: 1_000,
        openJitter: 0,
        halfOpenCalls: 1,
        successThreshold: 1,
      },
    });
    await stage.fail(20);
    expect(stage.breaker.current).toBe('open');
    await stage.clock.advance(1_000);

    await stage.fail(1);

    expect(stage.breaker.current).toBe('open');
  });

  it('half-open decides early: re-opens as soon as closing is out of reach', async () => {
    const stage = await halfOpen(face, { halfOpenCalls: 3, successThreshold: 2 });

    await stage.fail(1);
    expect(stage.breaker.current).toBe('half-open');
    await stage.fail(1);

    expect(stage.breaker.current).toBe('open');
  });

  it('the open time doubles with each re-opening up to its limit and starts anew after closing', async () => {
    const stage = await opened(face, { maxOpenFor: 3_000 });
    const openTimes: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await stage.clock.advance(stage.breaker.retryAfter()!);
      await stage.fail(1);
      openTimes.push(stage.breaker.retryAfter()!);
    }
    expect(openTimes).toEqual([2_000, 3_000, 3_000]);

    await stage.clock.advance(3_000);
    await stage.succeed(1);
    await stage.fail(5);
    expect(stage.breaker.retryAfter()).toBe(1_000);
  });

  it.each([-3_600_000, 3_600_000, Number.NaN])(
    '#32 a wall clock step of %d changes nothing',
    async (step) => {
      const stage = await opened(face);
      stage.clock.stepWallClock(step);

      await stage.clock.advance(999);
      expect((await stage.run(up)).error).toBeInstanceOf(CircuitOpenError);
      await stage.clock.advance(1);

      expect((await stage.run(up)).value).toBe('ok');
    },
  );

  it('#39 a reset during a probe makes the probe stale', async () => {
    const stage = await halfOpen(face);
    const probe = new Gate();
    stage.call(probe.work);
    await settle();

    stage.breaker.reset();
    probe.reject(new Error('down'));
    await settle();

    expect(stage.breaker.current).toBe('closed');
    expect(stage.breaker.snapshot().consecutiveFailures).toBe(0);
  });

  it('#40 listeners that throw, reject, block or call back change no outcome and no state', async () => {
    const stage = stageOf(face);
    const { bus } = stage.runtime;
    bus.listen(() => {
      throw new Error('listener');
    });
    bus.listen(() => Promise.reject(new Error('listener')));
    bus.listen(() => new Promise(() => {}));
    bus.listen((event) => {
      if (event.type === 'circuit-state-changed' && event.to === 'open') stage.breaker.snapshot();
    });

    await stage.fail(5);
    expect(stage.breaker.current).toBe('open');
    await stage.clock.advance(1_000);
    expect((await stage.run(up)).value).toBe('ok');

    const moves = stage.events.filter((e) => e.type === 'circuit-state-changed');
    expect(moves.map(({ from, to }) => [from, to])).toEqual([
      ['closed', 'open'],
      ['open', 'half-open'],
      ['half-open', 'closed'],
    ]);
  });

  it('#40 a listener that resets the breaker is heard after the step is done', async () => {
    const stage = stageOf(face);
    stage.runtime.bus.listen((event) => {
      if (event.type === 'circuit-state-changed' && event.to === 'open') stage.breaker.reset();
    });

    const calls = [1, 2, 3, 4, 5].map(() => stage.call(down));
    await settle();

    expect(calls.map((c) => c.error.message)).toEqual(Array.from({ length: 5 }, () => 'down'));
    expect(stage.breaker.current).toBe('closed');
  });

  it('#38 isolation nests, and calls on their way change nothing meanwhile', async () => {
    const stage = stageOf(face, { failureThreshold: 1 });
    const slow = new Gate();
    stage.call(slow.work);
    const first = stage.breaker.isolate();
    const second = stage.breaker.isolate();
    slow.reject(new Error('late'));
    await settle();

    first();
    first();
    expect((await stage.run(up)).error).toMatchObject({ code: 'CIRCUIT_OPEN' });
    second();

    expect((await stage.run(up)).value).toBe('ok');
    expect(stage.breaker.counters.stale).toBe(1);
  });
});
