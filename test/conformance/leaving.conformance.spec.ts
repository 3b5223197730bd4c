// A caller who leaves, in every phase of a call: at once, for good, and to nobody's blame.
import type { PolicySet } from 'nestjs-bulwark';
import { type Face, Gate, onEveryFace, type RunningCall, settle, Stage } from '../support/stage.js';

const down = (): Promise<never> => Promise.reject(new Error('down'));
const hang = (): Promise<never> => new Promise(() => {});

const ALL: PolicySet = {
  retry: { jitter: 'none', totalTimeout: 60_000 },
  circuitBreaker: { failureThreshold: 10, openFor: 1_000, openJitter: 0 },
  rateLimit: { limit: 1_000, per: 1_000 },
  timeLimit: 10_000,
  bulkhead: { maxConcurrent: 1, maxHold: 20_000 },
};

interface Phase {
  readonly policies?: PolicySet;
  /** Brings a call into the phase. */
  readonly into: (stage: Stage) => Promise<RunningCall>;
  /** Executions so far. */
  readonly executions: number;
  /** What the breaker has counted by then, and what by leaving. */
  readonly counted: { readonly failure: number; readonly cancelled: number };
  /** The method was left running. */
  readonly leavesWork?: boolean;
}

const failTwice = async (stage: Stage): Promise<RunningCall> => {
  const call = stage.call(() => (stage.executions < 3 ? down() : hang()));
  await stage.clock.advance(300);
  return call;
};

const PHASES: Record<string, Phase> = {
  'waiting for its turn': {
    policies: { rateLimit: { limit: 1, per: 1_000, maxWait: 5_000 } },
    into: async (stage) => {
      stage.pipeline.lane.rateLimit!.policy.enter();
      return stage.run(hang);
    },
    executions: 0,
    counted: { failure: 0, cancelled: 1 },
  },
  queued: {
    into: async (stage) => {
      stage.pipeline.bulkhead!.policy.enter();
      const call = await stage.run(hang);
      expect(stage.bulkhead.queued).toBe(1);
      return call;
    },
    executions: 0,
    counted: { failure: 0, cancelled: 1 },
  },
  'queued as a probe': {
    into: async (stage) => {
      stage.breaker.open(10);
      await stage.clock.advance(10);
      stage.pipeline.bulkhead!.policy.enter();
      return stage.run(hang);
    },
    executions: 0,
    counted: { failure: 0, cancelled: 1 },
  },
  running: {
    into: (stage) => stage.run(hang),
    executions: 1,
    counted: { failure: 0, cancelled: 1 },
    leavesWork: true,
  },
  'running as a probe': {
    into: async (stage) => {
      stage.breaker.open(10);
      await stage.clock.advance(10);
      return stage.run(hang);
    },
    executions: 1,
    counted: { failure: 0, cancelled: 1 },
    leavesWork: true,
  },
  'waiting for the second attempt': {
    into: (stage) => stage.run(down),
    executions: 1,
    counted: { failure: 1, cancelled: 0 },
  },
  'in beforeRetry': {
    policies: { retry: { jitter: 'none', beforeRetry: hang } },
    into: async (stage) => {
      const call = stage.call(down);
      await stage.clock.advance(100);
      return call;
    },
    executions: 1,
    counted: { failure: 1, cancelled: 0 },
  },
  'running for the third time': {
    into: failTwice,
    executions: 3,
    counted: { failure: 2, cancelled: 1 },
    leavesWork: true,
  },
  'waiting for a fallback': {
    policies: { fallback: hang },
    into: async (stage) => {
      const call = stage.call(down);
      await stage.clock.advance(1_000);
      return call;
    },
    executions: 3,
    counted: { failure: 3, cancelled: 0 },
  },
};

onEveryFace((face: Face) => {
  if (!face.canLeave) {
    it('gives its caller no way to leave', async () => {
      const call = await new Stage(face, ALL).run(hang);
      expect(() => call.cancel()).toThrow('no way to leave');
    });
    return;
  }

  describe.each(Object.entries(PHASES))('#54 #55 #69 left while %s', (_name, phase) => {
    it('it is over at once, nothing starts any more, and nobody is blamed', async () => {
      const stage = new Stage(face, { ...ALL, ...phase.policies });
      const call = await phase.into(stage);
      expect(call.isPending).toBe(true);
      expect(stage.executions).toBe(phase.executions);
      const before = stage.events.length;

      call.cancel();
      await settle();

      expect(call.ending).toEqual({ cancelled: true });
      expect(stage.breaker.counters).toMatchObject(phase.counted);
      expect(stage.bulkhead.queued).toBe(0);
      expect(stage.pipeline.lane.rateLimit!.policy.hasWaiters).toBe(false);
      expect([stage.pipeline.budget!.calls, stage.pipeline.budget!.retries]).toEqual([0, 0]);
      const types = stage.events.slice(before).map((event) => event.type);
      expect(types.filter((type) => type !== 'circuit-state-changed')).toEqual([]);

      stage.pipeline.bulkhead!.policy.release();
      await stage.clock.advance(1_000_000);
      expect(stage.executions).toBe(phase.executions);
      expect(call.ending).toEqual({ cancelled: true });
      expect(stage.clock.pending).toBe(0);
    });

    it('leaving twice is leaving once', async () => {
      const stage = new Stage(face, { ...ALL, ...phase.policies });
      const call = await phase.into(stage);

      call.cancel();
      const counters = { ...stage.breaker.counters };
      call.cancel();
      await settle();

      expect(stage.breaker.counters).toEqual(counters);
    });
  });

  it.each(['resolves', 'rejects'] as const)(
    '#62 work that was left and %s later changes nothing but the count of late results',
    async (how) => {
      const stage = new Stage(face, ALL);
      const gate = new Gate();
      const call = await stage.run(gate.work);
      call.cancel();
      await settle();
      // a stream is stopped; the work behind a promise keeps its slot until it ends
      const stopped = face.name === 'observable';
      expect(stage.bulkhead.running).toBe(stopped ? 0 : 1);

      if (how === 'resolves') gate.resolve('late');
      else gate.reject(new Error('late'));
      await settle();

      const { lateSuccesses, lateFailures } = stage.pipeline.counters;
      expect(lateSuccesses + lateFailures).toBe(stopped ? 0 : 1);
      expect(stage.breaker.counters).toMatchObject({ success: 0, failure: 0, cancelled: 1 });
      expect(stage.bulkhead.running).toBe(0);
      expect(stage.clock.pending).toBe(0);
    },
  );

  it('#69 a method that rejects because its caller left is not retried either', async () => {
    const stage = new Stage(face, { ...ALL, timeLimit: 100 });
    const aborted = new DOMException('This operation was aborted', 'AbortError');

    const call = await stage.run(() => Promise.reject(aborted));

    expect(call.error).toBe(aborted);
    expect(stage.executions).toBe(1);
    expect(stage.breaker.counters).toMatchObject({ failure: 0, cancelled: 1 });
  });
});
