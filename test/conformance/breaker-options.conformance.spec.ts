import { HttpException } from '@nestjs/common';
import type { CircuitBreakerOptions, PolicySet } from 'nestjs-bulwark';
import { type Observable, of, Subject } from 'rxjs';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import type { CircuitBreakerControl, CircuitBreakerReader } from '../../lib/pipeline/registry.js';
import {
  type Face,
  FACES,
  Gate,
  itCanLeave,
  onEveryFace,
  settle,
  Stage,
} from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');
const never = (): Promise<never> => new Promise(() => {});

const OPENS_AT_2: CircuitBreakerOptions = {
  failureThreshold: 2,
  openFor: 1_000,
  openJitter: 0,
  successThreshold: 1,
  halfOpenCalls: 1,
};

const stageOf = (face: Face, options: CircuitBreakerOptions = {}, others: PolicySet = {}): Stage =>
  new Stage(face, { circuitBreaker: { ...OPENS_AT_2, ...options }, ...others });

const NAME = 'Controller.handle';
const controlOf = (stage: Stage): CircuitBreakerControl =>
  stage.runtime.registry.breakers.control(NAME)!;
const readerOf = (stage: Stage): CircuitBreakerReader =>
  stage.runtime.registry.breakers.reader(NAME)!;

/** Runs a call that takes so long. */
async function take(stage: Stage, ms: number, error?: unknown): Promise<void> {
  const gate = new Gate();
  stage.call(gate.work);
  await stage.clock.advance(ms);
  if (error === undefined) gate.resolve('ok');
  else gate.reject(error);
  await settle();
}

onEveryFace((face) => {
  describe('slow calls', () => {
    const slowStage = (options: CircuitBreakerOptions = {}, others: PolicySet = {}): Stage =>
      new Stage(face, {
        circuitBreaker: {
          slowCallDuration: 100,
          slowCallRate: 0.5,
          minimumCalls: 4,
          failureRate: 1,
          openFor: 1_000,
          openJitter: 0,
          successThreshold: 1,
          halfOpenCalls: 1,
          ...options,
        },
        ...others,
      });

    it('open it by their rate, those that fail among them; what takes just as long is not slow', async () => {
      const stage = slowStage();
      await take(stage, 100);
      await take(stage, 100);
      await take(stage, 101);
      expect(stage.breaker.current).toBe('closed');

      await take(stage, 101, new Error('down'));

      expect(stage.breaker.snapshot()).toMatchObject({
        state: 'open',
        reason: '2 of the last 4 calls were slow',
        lastTrip: {
          rule: 'slow-rate',
          slow: 2,
          outcomes: [
            { outcome: 'success', duration: 101 },
            { outcome: 'failure', duration: 101 },
          ],
        },
      });
    });

    it('are measured from the start of the method, not while they wait for a slot', async () => {
      const stage = slowStage({ minimumCalls: 1 }, { bulkhead: { maxConcurrent: 1 } });
      stage.pipeline.bulkhead!.policy.enter();
      const gate = new Gate();
      stage.call(gate.work);
      await stage.clock.advance(500);
      stage.pipeline.bulkhead!.policy.release();
      await settle();
      await stage.clock.advance(100);
      gate.resolve('ok');
      await settle();

      expect(stage.breaker.snapshot()).toMatchObject({ state: 'closed', calls: 1, slow: 0 });
    });

    it('that our own time limit ends are slow when it ends them', async () => {
      const stage = slowStage({ minimumCalls: 1, failureRate: 1 }, { timeLimit: 101 });
      const call = stage.call(never);
      await stage.clock.advance(101);

      expect(call.error).toMatchObject({ code: 'CALL_TIMEOUT' });
      expect(stage.breaker.snapshot()).toMatchObject({ state: 'open', lastTrip: { slow: 1 } });
    });

    it('are bad probes', async () => {
      const stage = slowStage({ minimumCalls: 1 });
      await take(stage, 101);
      expect(stage.breaker.current).toBe('open');
      await stage.clock.advance(1_000);

      await take(stage, 101);

      expect(stage.breaker.snapshot()).toMatchObject({
        state: 'open',
        reason: '1 of 1 probes failed',
      });
      await stage.clock.advance(2_000);
      await take(stage, 100);
      expect(stage.breaker.current).toBe('closed');
    });
  });

  describe('isFailure', () => {
    const busy = (settled: { ok: boolean; value?: unknown; error?: unknown }): boolean =>
      settled.ok ? settled.value === 'busy' : (settled.error as Error).message === 'down';

    it('counts a result as a failure, and its caller gets it all the same', async () => {
      const stage = stageOf(face, { isFailure: busy });

      for (const _ of [1, 2])
        expect((await stage.run(() => Promise.resolve('busy'))).value).toBe('busy');

      expect(stage.breaker.snapshot()).toMatchObject({
        state: 'open',
        counters: { failure: 2, success: 0 },
        lastTrip: { outcomes: [{ outcome: 'failure' }, { outcome: 'failure' }] },
      });
    });

    it('decides alone which errors are failures; the others are ignored', async () => {
      const stage = stageOf(face, { isFailure: busy });
      await stage.fail(1);
      await stage.fail(5, new Error('other'));
      expect(stage.breaker.current).toBe('closed');

      await stage.fail(1);

      expect(stage.breaker.counters).toMatchObject({ failure: 2, ignored: 5 });
      expect(stage.breaker.current).toBe('open');
    });

    it('does not see what ignore names, nor our own refusals', async () => {
      const seen: unknown[] = [];
      const isFailure = (settled: unknown): boolean => seen.push(settled) > 0;
      const stage = stageOf(
        face,
        { isFailure, ignore: (e) => (e as Error).message === 'mine' },
        { bulkhead: { maxConcurrent: 1, maxQueue: 0 } },
      );
      await stage.fail(3, new Error('mine'));
      const gate = new Gate();
      stage.call(gate.work);
      expect((await stage.run(up)).error).toMatchObject({ code: 'BULKHEAD_FULL' });
      expect(seen).toEqual([]);
      gate.resolve('ok');
      await settle();

      expect(stage.breaker.counters).toMatchObject({ ignored: 3, rejected: 1, failure: 1 });
    });

    it('#42 that throws leaves a good answer good and an error bad, and is reported', async () => {
      const bug = new Error('bug');
      const stage = stageOf(face, {
        isFailure: () => {
          throw bug;
        },
      });

      expect((await stage.run(up)).value).toBe('ok');
      expect((await stage.run(() => Promise.reject(new Error('down')))).error.message).toBe('down');

      expect(stage.breaker.counters).toMatchObject({ success: 1, failure: 1 });
      const reports = stage.events.filter(({ type }) => type === 'predicate-failed');
      expect(reports).toMatchObject([
        { option: 'isFailure', error: bug, target: NAME },
        { option: 'isFailure', error: bug },
      ]);
    });

    it('decides a probe', async () => {
      const stage = stageOf(face, { isFailure: busy });
      await stage.fail(2);
      await stage.clock.advance(1_000);
      await stage.run(() => Promise.resolve('busy'));
      expect(stage.breaker.current).toBe('open');
      await stage.clock.advance(2_000);

      await stage.run(up);

      expect(stage.breaker.current).toBe('closed');
    });
  });

  describe('shadow mode', () => {
    it('runs what it would refuse, unobserved, and counts it', async () => {
      const stage = stageOf(face, { mode: 'shadow' });
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
      const stage = stageOf(face, { mode: 'shadow' });
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
      const stage = stageOf(face, { mode: 'shadow' }, { bulkhead: { maxConcurrent: 1 } });
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
      const stage = stageOf(face);
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
      const stage = stageOf(face);
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
      const stage = stageOf(face);
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
      const stage = stageOf(face);
      expect(controlOf(stage).open(700, 'deploying')).toBe(true);
      expect((await stage.run(up)).error).toMatchObject({ retryAfter: 700 });
      await stage.clock.advance(699);
      expect((await stage.run(up)).error).toMatchObject({ retryAfter: 1 });
      await stage.clock.advance(1);

      expect((await stage.run(up)).value).toBe('ok');
      expect(readerOf(stage).state).toBe('closed');
    });

    it('openUntil: a moment by the wall clock, and a past one does nothing', async () => {
      const stage = stageOf(face);
      const control = controlOf(stage);
      expect(control.openUntil(stage.clock.epoch() - 1)).toBe(false);
      expect(control.openUntil(stage.clock.epoch() + 300)).toBe(true);

      expect((await stage.run(up)).error).toMatchObject({ retryAfter: 300 });
    });

    it('open refuses nonsense, and does nothing to what is isolated', () => {
      const stage = stageOf(face);
      const control = controlOf(stage);
      for (const ms of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
        expect(() => control.open(ms)).toThrow(RangeError);
      expect(() => control.openUntil(Number.NaN)).toThrow(RangeError);
      control.isolate();
      expect(control.open(5)).toBe(false);
    });

    it('reset: closed at once, with an empty record', async () => {
      const stage = stageOf(face);
      await stage.fail(2);
      controlOf(stage).reset('I know better');

      expect(readerOf(stage).explain()).toBe(`circuit breaker ${NAME} is closed: I know better`);
      expect((await stage.run(up)).value).toBe('ok');
    });
  });

  describe('gradual close', () => {
    const gradual = { gradualClose: { steps: [0.5, 1], calls: 2 } };

    const recovering = async (): Promise<Stage> => {
      const stage = stageOf(face, gradual);
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

  describe('Retry-After', () => {
    const response = (headers: Record<string, string>): Error =>
      Object.assign(new Error('busy'), {
        response: new Response('busy', { status: 503, headers }),
      });
    const errors: [string, (stage: Stage) => unknown, number][] = [
      ['of a fetch Response, in seconds', () => response({ 'Retry-After': '7' }), 7_000],
      [
        'of a fetch Response, as a date',
        (s) => response({ 'Retry-After': new Date(s.clock.epoch() + 9_000).toUTCString() }),
        9_000,
      ],
      [
        'of an axios error',
        () =>
          Object.assign(new Error('x'), {
            response: { status: 429, headers: { 'retry-after': '3' } },
          }),
        3_000,
      ],
      [
        'below a cause',
        () => new Error('wrapped', { cause: response({ 'retry-after-ms': '2500' }) }),
        2_500,
      ],
      ['longer than we listen to', () => response({ 'Retry-After': '86400' }), 600_000],
      ['shorter than our own time', () => response({ 'Retry-After': '0' }), 1_000],
      ['nonsense', () => response({ 'Retry-After': 'soon' }), 1_000],
    ];

    it.each(errors)('%s', async (_what, error, openFor) => {
      const stage = stageOf(face, { maxOpenFor: 1_000 });
      await stage.fail(2, error(stage));

      expect((await stage.run(up)).error).toMatchObject({ retryAfter: openFor });
      expect(stage.breaker.snapshot().lastTrip).toMatchObject({ openFor });
    });

    it('of a failure before the last one counts from when it came', async () => {
      const stage = stageOf(face);
      await stage.fail(1, response({ 'Retry-After': '10' }));
      await stage.clock.advance(4_000);
      await stage.fail(1);

      expect(stage.breaker.retryAfter()).toBe(6_000);
    });

    it('of a failed probe counts too', async () => {
      const stage = stageOf(face);
      await stage.fail(2);
      await stage.clock.advance(1_000);
      await stage.fail(1, response({ 'Retry-After': '30' }));

      expect(stage.breaker.retryAfter()).toBe(30_000);
    });
  });

  describe('evidence', () => {
    it('tells codes and names, never a message, and explain says it in a sentence', async () => {
      const stage = stageOf(face, { failureThreshold: 4 });
      const secret = 'password=hunter2';
      await stage.fail(2, Object.assign(new Error(secret), { code: 'ECONNREFUSED' }));
      await stage.clock.advance(10);
      await stage.fail(1, new HttpException(secret, 503));
      await stage.fail(1, secret);

      const snapshot = stage.breaker.snapshot();
      expect(snapshot.lastTrip).toMatchObject({
        rule: 'failure-threshold',
        calls: 4,
        failures: 4,
        rate: 1,
        openings: 1,
        openFor: 1_000,
        at: stage.clock.epoch(),
        probeAt: stage.clock.epoch() + 1_000,
        outcomes: [
          { outcome: 'failure', error: 'ECONNREFUSED', age: 10 },
          { outcome: 'failure', error: 'ECONNREFUSED', age: 10 },
          { outcome: 'failure', error: 'HttpException', age: 0 },
          { outcome: 'failure', age: 0 },
        ],
      });
      expect(JSON.stringify(snapshot)).not.toContain('hunter2');
      expect(readerOf(stage).explain()).toBe(
        `circuit breaker ${NAME} is open: 4 failures in a row; ` +
          'what opened it: 2 × ECONNREFUSED, 1 × HttpException, 1 × failure; next probe in 1000 ms',
      );
    });

    it('counts how often it opened in a row, and says when a probe is due', async () => {
      const stage = stageOf(face);
      await stage.fail(2);
      await stage.clock.advance(1_000);
      await stage.fail(1);
      await stage.clock.advance(2_000);

      expect(readerOf(stage).explain()).toBe(
        `circuit breaker ${NAME} is open: 1 of 1 probes failed; ` +
          'what opened it: 1 × Error; opened 2 times in a row; the next call is a probe',
      );
    });
  });

  it('a permit by hand and calls count alike', async () => {
    const stage = stageOf(face);
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
    const stage = stageOf(face);
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
    const before = stageOf(face);
    await before.fail(2);
    const saved: unknown = JSON.parse(JSON.stringify(controlOf(before).save()));

    const stage = stageOf(face);
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

  it('a half-open breaker that calls itself keeps a place for somebody else', async () => {
    const stage = stageOf(face);
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

describe('isFailure on a stream', () => {
  const face = FACES.find(({ name }) => name === 'observable')!;
  const isFailure = (settled: { ok: boolean; value?: unknown }): boolean =>
    settled.ok && settled.value === 'bad';
  const start = (stage: Stage, source: Observable<unknown>): void => {
    runObservable(stage.target, () => source, undefined, []).subscribe({ error: () => {} });
  };

  it('sees the first value only', async () => {
    const stage = stageOf(face, { isFailure });
    start(stage, of('bad', 'good'));
    expect(stage.breaker.counters).toMatchObject({ success: 0, failure: 1 });
    start(stage, of('good', 'bad'));

    expect(stage.breaker.counters).toMatchObject({ success: 1, failure: 1 });
  });

  it('is asked once, when the value comes; the outcome is told at the end', () => {
    const values: unknown[] = [];
    const stage = stageOf(face, {
      isFailure: (settled) => values.push((settled as { value: unknown }).value) > 0,
    });
    const source = new Subject<string>();
    start(stage, source);
    source.next('a');
    source.next('b');
    expect(values).toEqual(['a']);
    expect(stage.breaker.counters.failure).toBe(0);
    source.complete();

    expect(values).toEqual(['a']);
    expect(stage.breaker.counters.failure).toBe(1);
  });

  it('sees the undefined of a stream that ends without a value', () => {
    const stage = stageOf(face, { isFailure: (s) => s.ok && s.value === undefined });
    start(stage, of());

    expect(stage.breaker.counters.failure).toBe(1);
  });

  it('decides a probe with the first value, and the rest of the stream says no more', async () => {
    const stage = stageOf(face, { isFailure });
    controlOf(stage).open(1_000);
    await stage.clock.advance(1_000);
    const source = new Subject<string>();
    start(stage, source);
    source.next('bad');
    expect(stage.breaker.current).toBe('open');
    source.complete();

    expect(stage.breaker.counters).toMatchObject({ failure: 1, success: 0, stale: 0 });
  });
});
