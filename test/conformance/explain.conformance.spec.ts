// What is known of how an error came to its caller: attempts before the last, and decisions.
import { type Explanation, explainError, type PolicySet } from 'nestjs-bulwark';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import { type Face, Gate, onEveryFace, settle, Stage } from '../support/stage.js';

const withCode = (code: string): Error => Object.assign(new Error(`is ${code}`), { code });

/** A stage whose module has `trace: true`. */
class Traced extends Stage {
  constructor(face: Face, policies: PolicySet) {
    super(face, policies);
    Object.assign(this.runtime.env, { trace: true });
    this.runtime.setEnabled(false); // the pipelines read it when they are made
    this.runtime.setEnabled(true);
  }
}

const decisions = (error: unknown): string[] =>
  explainError(error)!.decisions.map(
    ({ at, attempt, by, verdict }) => `${at} #${attempt} ${by}: ${verdict}`,
  );

onEveryFace((face) => {
  it('#58 the attempts before the last are known, and the last is the error itself', async () => {
    const stage = new Stage(face, { retry: { jitter: 'none' } });
    const errors = [withCode('ECONNRESET'), withCode('EPIPE'), withCode('ETIMEDOUT')];

    const call = stage.call(() => Promise.reject(errors[stage.executions - 1]));
    await stage.clock.advance(10_000);

    expect(call.error).toBe(errors[2]);
    expect(explainError(call.error)).toEqual({
      target: 'Controller.handle',
      attempts: [
        { attempt: 1, name: 'Error', message: 'is ECONNRESET', code: 'ECONNRESET', delay: 100 },
        { attempt: 2, name: 'Error', message: 'is EPIPE', code: 'EPIPE', delay: 200 },
      ],
      decisions: [],
    } satisfies Explanation);
  });

  it('#58 of a thousand attempts ten are known, and what is left of the time', async () => {
    const stage = new Stage(face, {
      retry: { maxAttempts: 1_000, delay: 1, backoff: 'constant', totalTimeout: 5_000 },
    });

    const call = stage.call(() => Promise.reject(new Error(`no. ${stage.executions}`)));
    await stage.clock.advance(2_000);

    const { attempts, remaining } = explainError(call.error)!;
    expect(stage.executions).toBe(1_000);
    expect(attempts.map(({ attempt }) => attempt)).toEqual([
      1, 991, 992, 993, 994, 995, 996, 997, 998, 999,
    ]);
    expect(remaining).toBeGreaterThan(3_900);
    expect(remaining).toBeLessThanOrEqual(5_000);
  });

  it('nothing is left of the time where the event loop was blocked beyond it', async () => {
    const stage = new Stage(face, { retry: { totalTimeout: 100, delay: 50, jitter: 'none' } });
    const call = await stage.run(() => Promise.reject(new Error('down')));

    stage.clock.jump(300);
    await stage.clock.advance(0);

    expect(explainError(call.error)).toMatchObject({ remaining: 0 });
  });

  it('#90 neither the earlier errors nor their texts are kept', async () => {
    const stage = new Stage(face, { retry: { maxAttempts: 12, delay: 1, budget: false } });
    const huge = 'x'.repeat(5_000_000);

    const call = stage.call(() =>
      Promise.reject(
        stage.executions < 12
          ? Object.assign(new Error(huge), { buffer: new ArrayBuffer(1_000) })
          : new Error('last'),
      ),
    );
    await stage.clock.advance(10_000);

    const explanation = explainError(call.error)!;
    expect(call.error.message).toBe('last');
    expect(JSON.stringify(explanation).length).toBeLessThan(10 * 1_024);
    for (const record of explanation.attempts)
      for (const value of Object.values(record))
        expect(['string', 'number', 'undefined']).toContain(typeof value);
  });

  it('a result that was not good enough is known as one', async () => {
    const stage = new Stage(face, { retry: { retryOnResult: () => true, jitter: 'none' } });

    const call = stage.call(() =>
      stage.executions === 1 ? Promise.resolve('pending') : Promise.reject(new TypeError('x')),
    );
    await stage.clock.advance(10_000);

    expect(explainError(call.error)!.attempts).toEqual([
      expect.objectContaining({ attempt: 1, message: 'a result that was not good enough' }),
    ]);
  });

  it('nothing is known of an error that came straight from the method, or is no object', async () => {
    const stage = new Stage(face, { retry: { delay: 1 }, fallback: { value: 1, on: 'EX' } });
    const straight = await stage.run(() => Promise.reject(new TypeError('x')));
    const text = stage.call(() => Promise.reject('a text'));
    await stage.clock.advance(10_000);

    expect(stage.executions).toBe(4);
    expect(explainError(straight.error)).toBeUndefined();
    expect((text.ending as { error: unknown }).error).toBe('a text');
    expect(explainError('a text')).toBeUndefined();
    expect(explainError(undefined)).toBeUndefined();
    expect(explainError(null)).toBeUndefined();
  });

  it.each<[string, PolicySet]>([
    ['a breaker', { circuitBreaker: {} }],
    ['a time limit', { timeLimit: 60_000 }],
    ['a breaker that measures', { circuitBreaker: { slowCallDuration: 60_000 } }],
  ])('the attempts of a call further in are still known behind %s', async (_name, policies) => {
    const stage = new Stage(face, policies);
    const inner = stage.runtime.registerChecked('Inner.call', { retry: { delay: 1 } });

    const call = stage.call(() =>
      runPromise(inner, () => Promise.reject(new Error('down')), undefined, []),
    );
    await stage.clock.advance(10_000);

    expect(explainError(call.error)).toMatchObject({ target: 'Inner.call' });
  });

  it.each<[string, PolicySet]>([
    ['a breaker', { circuitBreaker: {} }],
    ['a time limit', { timeLimit: 60_000 }],
  ])(
    'the attempts of another call say nothing of the same error behind %s',
    async (_name, policies) => {
      const stage = new Stage(face, policies);
      const other = stage.runtime.registerChecked('Other.call', { retry: { delay: 1 } });
      const error = new Error('down');
      void runPromise(other, () => Promise.reject(error), undefined, []).catch(() => {});
      await stage.clock.advance(10_000);
      expect(explainError(error)).toMatchObject({ target: 'Other.call' });

      await stage.run(() => Promise.reject(error));

      expect(explainError(error)).toBeUndefined();
    },
  );

  it('an error object that calls share explains none of them', async () => {
    const shared = new Error('constant');
    const stage = new Stage(face, { retry: { delay: 1 } });
    stage.call(() => Promise.reject(shared));
    await stage.clock.advance(10_000);
    expect(explainError(shared)).toBeDefined();

    for (let i = 0; i < 2; i += 1) {
      stage.call(() => Promise.reject(shared));
      await stage.clock.advance(10_000);

      expect(explainError(shared)).toBeUndefined();
    }
  });

  it('the error of a fallback is explained by what it stood in for', async () => {
    const own = new Error('too');
    const stage = new Stage(face, {
      retry: { jitter: 'none', maxAttempts: 2 },
      fallback: () => Promise.reject(own),
    });

    const call = stage.call(() => Promise.reject(new Error('first')));
    await stage.clock.advance(10_000);

    expect(call.error).toBe(own);
    expect(explainError(own)!.attempts).toMatchObject([{ attempt: 1, message: 'first' }]);
  });

  describe('trace: true', () => {
    it('writes down the verdict of every policy, and when', async () => {
      const stage = new Traced(face, {
        fallback: [{ value: 1, on: 'NONE' }, () => Promise.reject(new Error('fallback'))],
        retry: { jitter: 'none', maxAttempts: 3, totalTimeout: 10_000 },
        circuitBreaker: {},
        rateLimit: { limit: 1, per: 150, maxWait: 1_000 },
        timeLimit: 400,
        bulkhead: { maxConcurrent: 1 },
      });
      const slots = stage.pipeline.bulkhead!.policy;
      slots.enter();

      const call = stage.call(() =>
        stage.executions === 1 ? Promise.reject(new Error('down')) : new Promise(() => {}),
      );
      await stage.clock.advance(30);
      slots.release();
      await stage.clock.advance(10_000);

      expect(call.error.message).toBe('fallback');
      expect(decisions(call.error)).toEqual([
        '0 #1 circuit-breaker: admitted',
        '0 #1 rate-limit: admitted',
        '0 #1 bulkhead: queued',
        '30 #1 bulkhead: admitted',
        '30 #1 method: started',
        '30 #1 method: failed, counted as failure',
        '30 #1 retry: again in 100 ms',
        '130 #2 circuit-breaker: admitted',
        '130 #2 rate-limit: waits about 20 ms',
        '150 #2 rate-limit: admitted',
        '150 #2 bulkhead: admitted',
        '150 #2 method: started',
        '550 #2 time-limit: 400 ms have passed',
        '550 #2 retry: no more: still-running',
        '550 #2 fallback: asks handler',
        '550 #2 fallback: failed',
      ]);
      expect(explainError(call.error)).toMatchObject({ remaining: 9_450 });
    });

    it.each<[string, PolicySet, (stage: Stage) => void, string]>([
      [
        'an open breaker',
        { circuitBreaker: {} },
        (stage) => stage.breaker.isolate(),
        'circuit-breaker: refused: CIRCUIT_OPEN',
      ],
      [
        'an open breaker in shadow',
        { circuitBreaker: { mode: 'shadow' } },
        (stage) => stage.breaker.isolate(),
        'circuit-breaker: would refuse',
      ],
      [
        'a full bulkhead',
        { bulkhead: { maxConcurrent: 1, maxQueue: 0 } },
        (stage) => stage.pipeline.bulkhead!.policy.enter(),
        'bulkhead: refused: BULKHEAD_FULL',
      ],
      [
        'a rate limit',
        { rateLimit: { limit: 1, per: 1_000 } },
        (stage) => stage.pipeline.lane.rateLimit!.policy.enter(),
        'rate-limit: refused: RATE_LIMITED',
      ],
    ])('%s says so', async (_name, policies, fill, verdict) => {
      const stage = new Traced(face, policies);
      fill(stage);

      const call = await stage.run(() => Promise.reject(new Error('down')));

      expect(decisions(call.error)[0]).toBe(`0 #1 ${verdict}`);
    });

    it.each<[string, PolicySet, () => Promise<unknown>, string]>([
      [
        'the total timeout',
        { retry: { totalTimeout: 100, delay: 1 } },
        () => new Promise(() => {}),
        '100 #1 retry: 100 ms have passed',
      ],
      [
        'a bad result of the last attempt',
        { retry: { retryOnResult: (v) => v === 'bad', maxAttempts: 2, delay: 0 } },
        () => Promise.resolve('bad'),
        '',
      ],
      [
        'an error that is not worth it',
        { retry: {} },
        () => Promise.reject(new TypeError('x')),
        '0 #1 retry: no more: not-retryable',
      ],
      [
        'the last attempt',
        { retry: { maxAttempts: 1 } },
        () => Promise.reject(new Error('x')),
        '0 #1 retry: no more: exhausted',
      ],
    ])('%s ends it', async (_name, policies, work, last) => {
      const stage = new Traced(face, policies);

      const call = stage.call(work);
      await stage.clock.advance(100);

      if (last === '') expect(call.value).toBe('bad');
      else expect(decisions(call.error).at(-1)).toBe(last);
    });

    it('writes down no more than a hundred decisions', async () => {
      const stage = new Traced(face, { retry: { maxAttempts: 200, delay: 0, maxDelay: 0 } });

      const call = stage.call(() => Promise.reject(new Error('down')));
      await stage.clock.advance(1_000);

      expect(stage.executions).toBe(200);
      expect(explainError(call.error)!.decisions).toHaveLength(100);
    });

    it('an error that passes through a protected call is explained by both, the outer first', async () => {
      const stage = new Traced(face, { timeLimit: 100 });
      const inner = stage.runtime.registerChecked('Inner.call', { timeLimit: 50 });
      const error = new Error('down');

      const call = await stage.run(() =>
        runPromise(inner, () => Promise.reject(error), undefined, []),
      );

      expect(call.error).toBe(error);
      const outer = explainError(error)!;
      expect(outer.target).toBe('Controller.handle');
      expect(outer.inner?.target).toBe('Inner.call');
    });
  });

  it.each<[string, readonly [number, number]]>([
    ['in the order they began', [0, 1]],
    ['in the other order', [1, 0]],
  ])('an error that two calls share at the same time explains neither: %s', async (...row) => {
    const [, order] = row;
    const shared = new Error('constant');
    const stage = new Traced(face, { timeLimit: 100 });
    const gates = [new Gate(), new Gate()];
    for (const gate of gates) stage.call(gate.work);
    await settle();

    for (const i of order) {
      gates[i]!.reject(shared);
      await settle();
    }

    expect(explainError(shared)).toBeUndefined();
  });

  it('an error that a call passes on in a second attempt is not that of the first', async () => {
    const stage = new Traced(face, { retry: { delay: 1, maxAttempts: 2, retryNested: true } });
    const inner = stage.runtime.registerChecked('Inner.call', { timeLimit: 50 });
    const error = new Error('down');

    stage.call(() =>
      stage.executions === 1
        ? runPromise(inner, () => Promise.reject(error), undefined, [])
        : Promise.reject(error),
    );
    await stage.clock.advance(10_000);

    expect(explainError(error)).toBeUndefined();
  });
});
