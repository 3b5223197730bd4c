import type { CircuitBreakerOptions, PolicySet } from 'nestjs-bulwark';
import { type Observable, of, Subject } from 'rxjs';
import { runObservable } from '../../lib/pipeline/observable-face.js';
import { breakerStage, controlOf, NAME } from '../support/breaker-stage.js';
import { FACES, Gate, onEveryFace, settle, Stage } from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');
const never = (): Promise<never> => new Promise(() => {});

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
      const stage = breakerStage(face, { isFailure: busy });

      for (const _ of [1, 2])
        expect((await stage.run(() => Promise.resolve('busy'))).value).toBe('busy');

      expect(stage.breaker.snapshot()).toMatchObject({
        state: 'open',
        counters: { failure: 2, success: 0 },
        lastTrip: { outcomes: [{ outcome: 'failure' }, { outcome: 'failure' }] },
      });
    });

    it('decides alone which errors are failures; the others are ignored', async () => {
      const stage = breakerStage(face, { isFailure: busy });
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
      const stage = breakerStage(
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
      const stage = breakerStage(face, {
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
      const stage = breakerStage(face, { isFailure: busy });
      await stage.fail(2);
      await stage.clock.advance(1_000);
      await stage.run(() => Promise.resolve('busy'));
      expect(stage.breaker.current).toBe('open');
      await stage.clock.advance(2_000);

      await stage.run(up);

      expect(stage.breaker.current).toBe('closed');
    });
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
    const stage = breakerStage(face, { isFailure });
    start(stage, of('bad', 'good'));
    expect(stage.breaker.counters).toMatchObject({ success: 0, failure: 1 });
    start(stage, of('good', 'bad'));

    expect(stage.breaker.counters).toMatchObject({ success: 1, failure: 1 });
  });

  it('is asked once, when the value comes; the outcome is told at the end', () => {
    const values: unknown[] = [];
    const stage = breakerStage(face, {
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
    const stage = breakerStage(face, { isFailure: (s) => s.ok && s.value === undefined });
    start(stage, of());

    expect(stage.breaker.counters.failure).toBe(1);
  });

  it('decides a probe with the first value, and the rest of the stream says no more', async () => {
    const stage = breakerStage(face, { isFailure });
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
