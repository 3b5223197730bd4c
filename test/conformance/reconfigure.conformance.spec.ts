import fc from 'fast-check';
import type { PolicySet } from 'nestjs-bulwark';
import type { PolicyOverrides } from '../../lib/pipeline/policy-set.js';
import { Gate, onEveryFace, type RunningCall, settle, Stage } from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');
const down = (): Promise<never> => Promise.reject(new Error('down'));
const NAME = 'Controller.handle';

const FULL: PolicySet = {
  retry: { maxAttempts: 2, delay: 5, jitter: 'none' },
  circuitBreaker: { failureThreshold: 3, openFor: 50, openJitter: 0 },
  rateLimit: { limit: 100, per: 100, burst: 5, maxWait: 40 },
  timeLimit: 30,
  bulkhead: { maxConcurrent: 2, maxQueue: 3, queueTimeout: 20 },
};

onEveryFace((face) => {
  it('calls on their way end under the policies they began with', async () => {
    const stage = new Stage(face, { timeLimit: 100, bulkhead: { maxConcurrent: 1 } });
    const gate = new Gate();
    const before = stage.call(gate.work);
    const queued = stage.call(gate.work);
    await settle();
    stage.runtime.reconfigure(NAME, { timeLimit: 1_000 });
    const after = stage.call(gate.work);
    await stage.clock.advance(100);

    expect(before.error).toMatchObject({ code: 'CALL_TIMEOUT', limit: 100 });
    expect(queued.error).toMatchObject({ code: 'CALL_TIMEOUT', limit: 100 });
    expect(after.isPending).toBe(true);
  });

  it('a bulkhead taken out and put back counts anew; the old calls leave no trace in it', async () => {
    const stage = new Stage(face, { bulkhead: { maxConcurrent: 1, maxQueue: 5 } });
    const gate = new Gate();
    const calls = [stage.call(gate.work), stage.call(gate.work)];
    await settle();
    stage.runtime.reconfigure(NAME, { bulkhead: false });
    expect((await stage.run(up)).value).toBe('ok');
    stage.runtime.reconfigure(NAME, { bulkhead: { maxConcurrent: 2 } });
    const second = new Gate();
    stage.call(second.work);
    await settle();
    expect(stage.bulkhead).toMatchObject({ running: 1, maxConcurrent: 2 });

    gate.resolve('old');
    await settle();

    expect(calls.map(({ value }) => value)).toEqual(['old', 'old']);
    expect(stage.bulkhead).toMatchObject({ running: 1, queued: 0 });
    second.resolve();
    await settle();
    expect(stage.bulkhead.running).toBe(0);
  });

  it('more slots go to who waits, at once', async () => {
    const stage = new Stage(face, { bulkhead: { maxConcurrent: 1, maxQueue: 5 } });
    const gate = new Gate();
    for (let i = 0; i < 4; i += 1) stage.call(gate.work);
    await settle();
    stage.runtime.reconfigure(NAME, { bulkhead: { maxConcurrent: 3 } });
    await settle();

    expect(gate.starts).toBe(3);
    expect(stage.bulkhead).toMatchObject({ running: 3, queued: 1 });
  });

  it('an outcome from before a breaker was put back counts in neither', async () => {
    const circuitBreaker = { failureThreshold: 1, openJitter: 0 };
    const stage = new Stage(face, { circuitBreaker });
    const gate = new Gate();
    stage.call(gate.work);
    await settle();
    stage.runtime.reconfigure(NAME, { circuitBreaker: false });
    stage.runtime.reconfigure(NAME, { circuitBreaker });
    gate.reject(new Error('old'));
    await settle();

    expect(stage.breaker.snapshot()).toMatchObject({
      state: 'closed',
      counters: { failure: 0, stale: 0 },
    });
  });

  it('a probe on its way decides by the options of now', async () => {
    const stage = new Stage(face, {
      circuitBreaker: { failureThreshold: 1, openFor: 10, openJitter: 0, successThreshold: 2 },
    });
    await stage.fail(1);
    await stage.clock.advance(10);
    const gate = new Gate();
    stage.call(gate.work);
    await settle();
    stage.runtime.reconfigure(NAME, { circuitBreaker: { successThreshold: 1 } });
    gate.resolve('ok');
    await settle();

    expect(stage.breaker.current).toBe('closed');
  });

  it('the kill switch turned with calls in flight leaks no permit', async () => {
    const stage = new Stage(face, FULL);
    const gates = [new Gate(), new Gate(), new Gate()];
    const calls = gates.map((gate) => stage.call(gate.work));
    await settle();
    stage.runtime.setEnabled(false);
    const free = await Promise.all([1, 2, 3, 4, 5, 6].map(() => stage.run(up)));
    expect(free.map(({ value }) => value)).toEqual(free.map(() => 'ok'));
    expect(stage.pipeline.bulkhead).toBeUndefined();

    stage.runtime.setEnabled(true);
    expect(stage.bulkhead).toMatchObject({ running: 2, queued: 1 });
    for (const gate of gates) gate.resolve('ok');
    await settle();

    expect(calls.map(({ value }) => value)).toEqual(['ok', 'ok', 'ok']);
    expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
    expect(stage.breaker.counters.success).toBe(3);
    expect(stage.clock.pending).toBe(0);
  });

  it('whatever is changed while calls come, fail, hang and leave: nobody is lost and nothing leaks', async () => {
    const bulkhead = fc.constantFrom<PolicyOverrides['bulkhead']>(
      false,
      { maxConcurrent: 1 },
      { maxConcurrent: 4, maxQueue: 1 },
      { maxHold: 15 },
      { maxHold: false },
      { queueTimeout: 5 },
    );
    const circuitBreaker = fc.constantFrom<PolicyOverrides['circuitBreaker']>(
      false,
      { failureThreshold: 1 },
      { failureThreshold: 50 },
      { openFor: 5 },
      { mode: 'shadow' },
      { slowCallDuration: 5, slowCallRate: 0.5 },
    );
    const rateLimit = fc.constantFrom<PolicyOverrides['rateLimit']>(
      false,
      { limit: 5, maxWait: 500 },
      { limit: 1_000, burst: 50 },
    );
    const timeLimit = fc.constantFrom<PolicyOverrides['timeLimit']>(false, 5, 100);
    const retry = fc.constantFrom<PolicyOverrides['retry']>(
      false,
      { maxAttempts: 4, delay: 1 },
      { maxAttempts: 1 },
      { budget: { minimum: 1, ratio: 0 } },
      { totalTimeout: 40 },
    );
    const patch = fc.oneof(
      fc.record({ bulkhead }),
      fc.record({ circuitBreaker }),
      fc.record({ rateLimit }),
      fc.record({ timeLimit }),
      fc.record({ retry }),
    );
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ call: fc.constantFrom('up', 'down', 'hang', 'slow') }) },
      { weight: 3, arbitrary: fc.record({ advance: fc.integer({ min: 1, max: 30 }) }) },
      { weight: 3, arbitrary: fc.record({ patch }) },
      { weight: 1, arbitrary: fc.record({ enable: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ end: fc.nat(20) }) },
      { weight: 1, arbitrary: fc.record({ leave: fc.nat(20) }) },
    );

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const stage = new Stage(face, FULL);
        const seen = new Set<object>();
        const calls: RunningCall[] = [];
        const hung: Gate[] = [];
        const watch = (): void => {
          const { bulkhead: slots, breaker } = stage.pipeline;
          if (slots !== undefined) seen.add(slots.policy);
          if (breaker !== undefined) seen.add(breaker.policy);
        };
        const kinds = {
          up,
          down,
          hang: () => {
            const gate = new Gate();
            hung.push(gate);
            return gate.promise;
          },
          slow: () => new Promise((resolve) => stage.clock.schedule(() => resolve('slow'), 10)),
        };
        watch();
        for (const one of steps) {
          if ('call' in one) calls.push(stage.call(kinds[one.call as keyof typeof kinds]));
          else if ('advance' in one) await stage.clock.advance(one.advance);
          else if ('patch' in one) change(stage, one.patch as PolicyOverrides);
          else if ('enable' in one) stage.runtime.setEnabled(one.enable);
          else if ('end' in one) hung[one.end]?.resolve('ended');
          else if (face.canLeave) calls[one.leave]?.cancel();
          watch();
        }
        // everybody ends, also those who start only now
        for (let round = 0; round < 60; round += 1) {
          for (const gate of hung) gate.resolve('ended');
          await stage.clock.advance(100);
        }

        expect(calls.filter(({ isPending }) => isPending)).toEqual([]);
        for (const state of bulkheadsOf(seen))
          expect(state).toMatchObject({ running: 0, queued: 0, orphaned: 0 });
        expect(stage.clock.pending).toBe(0);
        const { budget } = stage.pipeline;
        expect([budget?.calls ?? 0, budget?.retries ?? 0]).toEqual([0, 0]);
        for (const policy of stage.runtime.registry.rateLimiters.list())
          expect(policy.snapshot().waiting).toBe(0);
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});

/** A patch may name what was taken out before: then it lacks what it needs. */
function change(stage: Stage, patch: PolicyOverrides): void {
  try {
    stage.runtime.reconfigure(NAME, patch);
  } catch (error) {
    expect((error as Error).message).toMatch(/limit: got nothing|ms: got nothing/);
  }
}

function bulkheadsOf(seen: Set<object>): { running: number; queued: number; orphaned: number }[] {
  return [...seen].flatMap((policy) => {
    const { snapshot } = policy as { snapshot?: () => Record<string, unknown> };
    const state = snapshot?.call(policy);
    return state !== undefined && 'queued' in state ? [state as never] : [];
  });
}
