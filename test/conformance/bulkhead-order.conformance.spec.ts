import { type BulkheadOptions, BulkheadReentrancyError } from 'nestjs-bulwark';
import type { PolicySet } from 'nestjs-bulwark';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import type { BulkheadSnapshot } from '../../lib/policies/bulkhead/bulkhead.js';
import {
  argOf,
  type Face,
  FACES,
  Gate,
  onEveryFace,
  type RunningCall,
  settle,
  Stage,
} from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');

const stageOf = (face: Face, bulkhead: BulkheadOptions, others: PolicySet = {}): Stage =>
  new Stage(face, { bulkhead, ...others });

const stateOf = (stage: Stage): BulkheadSnapshot => stage.pipeline.bulkhead!.policy.snapshot();
onEveryFace((face) => {
  describe('priority', () => {
    it('decides who is next, in order of arrival among equals', async () => {
      const stage = stageOf(face, {
        maxConcurrent: 1,
        maxQueue: 10,
        priority: (first: unknown) => Number(argOf(first)),
      });
      const blocker = new Gate();
      stage.call(blocker.work, 0);
      await settle();
      const order: string[] = [];
      const call = (priority: number, name: string): RunningCall =>
        stage.call(() => {
          order.push(name);
          return up();
        }, priority);
      for (const [p, name] of [
        [0, 'a'],
        [5, 'b'],
        [9, 'c'],
        [5, 'd'],
        [0, 'e'],
      ] as const)
        call(p, name);
      blocker.resolve();
      await settle();

      expect(order).toEqual(['c', 'b', 'd', 'a', 'e']);
    });

    it('#42 that throws, or answers nonsense, is reported and means 0', async () => {
      const stage = stageOf(face, {
        maxConcurrent: 1,
        priority: (first: unknown) => {
          if (argOf(first) === 'throw') throw new Error('bug');
          return argOf(first) as number;
        },
      });
      const blocker = new Gate();
      stage.call(blocker.work, 0);
      const calls = ['throw', 10, -1, 1.5, undefined, '3'].map((p) => stage.call(up, p));
      await settle();
      blocker.resolve();
      await settle();

      expect(calls.map(({ value }) => value)).toEqual(calls.map(() => 'ok'));
      const reports = stage.events.filter(({ type }) => type === 'predicate-failed');
      expect(reports).toHaveLength(6);
      expect(reports[0]).toMatchObject({ option: 'priority', target: 'Controller.handle' });
    });
  });

  it('#75 a storm of newcomers at each release never overtakes a hundred who wait', async () => {
    const stage = stageOf(face, { maxConcurrent: 1, maxQueue: 200 });
    const order: string[] = [];
    const ends: (() => void)[] = [];
    const enter = (name: string): RunningCall =>
      stage.call(() => {
        order.push(name);
        return new Promise<void>((resolve) => ends.push(resolve));
      });
    const names = Array.from({ length: 101 }, (_, i) => `q${i}`);
    for (const name of names) enter(name);
    await settle();
    let storm = 0;
    for (let done = 0; done < 101; done += 1) {
      ends[done]!();
      for (let tick = 0; tick < 6; tick += 1) {
        if (storm < 90) enter(`s${(storm += 1)}`);
        await Promise.resolve();
      }
      await settle();
    }

    expect(order.slice(0, 101)).toEqual(names);
    expect(order.slice(101).every((name) => name.startsWith('s'))).toBe(true);
  });

  /** A handler behind an interceptor cannot call itself: it would be another request. */
  const itAtOnce = (name: string, test: () => Promise<void>): void => {
    if (face.name !== 'interceptor') it(name, test);
  };

  itAtOnce(
    '#79 a method that calls itself in its synchronous part is refused, it does not wait for itself',
    async () => {
      const stage = stageOf(face, { maxConcurrent: 1, maxQueue: 5 });
      let inner!: RunningCall;
      const outer = stage.call(() => {
        inner = stage.call(up);
        return new Promise((resolve) => stage.clock.schedule(() => resolve('outer'), 1_000));
      });
      await settle();

      expect(inner.error).toBeInstanceOf(BulkheadReentrancyError);
      expect(inner.error).toMatchObject({ code: 'BULKHEAD_REENTRANCY', status: 503 });
      expect(stateOf(stage)).toMatchObject({ running: 1, queued: 0 });
      await stage.clock.advance(1_000);
      expect(outer.value).toBe('outer');
      expect(stateOf(stage)).toMatchObject({ running: 0, queued: 0 });
    },
  );

  itAtOnce(
    '#79 also where the engine is in charge, and where it came out of the queue',
    async () => {
      const stage = stageOf(face, { maxConcurrent: 1, maxQueue: 5 }, { timeLimit: 60_000 });
      const first = new Gate();
      stage.call(first.work);
      let inner!: RunningCall;
      const outer = stage.call(() => {
        inner = stage.call(up);
        return up();
      });
      await settle();
      first.resolve();
      await settle();

      expect(inner.error).toMatchObject({ code: 'BULKHEAD_REENTRANCY' });
      expect(outer.value).toBe('ok');
    },
  );

  it('a call further in of another bulkhead waits there as anybody', async () => {
    const stage = stageOf(face, { maxConcurrent: 1 });
    const other = stage.runtime.register('other', { bulkhead: { maxConcurrent: 1 } });
    const slots = other.pipeline.bulkhead!.policy;
    slots.enter();
    const outer = stage.call(() => runPromise(other, up as never, undefined, []));
    await settle();
    expect(slots.snapshot().queued).toBe(1);
    slots.release();
    await settle();

    expect(outer.value).toBe('ok');
  });

  it('a place that came in time, or was left, leaves no timer of queueTimeout behind', async () => {
    const stage = stageOf(
      face,
      { maxConcurrent: 1, queueTimeout: 500 },
      { retry: { totalTimeout: 100 } },
    );
    const first = new Gate();
    const second = new Gate();
    stage.call(first.work);
    stage.call(second.work);
    const third = stage.call(second.work);
    await settle();
    expect(stage.clock.pending).toBe(5);
    first.resolve();
    await settle();
    expect([second.starts, stage.clock.pending]).toEqual([1, 3]);
    await stage.clock.advance(100);

    expect(third.error).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(stage.clock.pending).toBe(0);
  });

  it('a method may call itself while there is room', async () => {
    const stage = stageOf(face, { maxConcurrent: 3, maxQueue: 5 });
    const call = stage.call(async () => {
      const inner = await stage.run(up);
      return inner.value;
    });
    await settle();
    await settle();

    expect(call.value).toBe('ok');
  });

  it('#79 after an await the method cannot be told from others: it waits, as long as queueTimeout lets it', async () => {
    const stage = stageOf(face, { maxConcurrent: 1, maxQueue: 5, queueTimeout: 50 });
    const outer = stage.call(async () => {
      await Promise.resolve();
      const inner = stage.call(up);
      await new Promise<void>((resolve) => stage.clock.schedule(resolve, 60));
      throw inner.error;
    });
    await stage.clock.advance(60);

    expect(outer.error).toMatchObject({ code: 'BULKHEAD_QUEUE_TIMEOUT' });
    expect(stateOf(stage)).toMatchObject({ running: 0, queued: 0 });
  });

  it('#79 with propagateDeadline it is told from others after an await too', async () => {
    const stage = stageOf(
      face,
      { maxConcurrent: 1, maxQueue: 5 },
      { timeLimit: { ms: 60_000, propagateDeadline: true } },
    );
    const outer = stage.call(async () => {
      await Promise.resolve();
      const inner = await stage.run(up);
      throw inner.error;
    });
    await settle();
    await settle();

    expect(outer.error).toMatchObject({ code: 'BULKHEAD_REENTRANCY' });
  });
});

it('#77 a refusal keeps nothing: fifty thousand of them', async () => {
  const stage = stageOf(FACES[0]!, { maxConcurrent: 1, maxQueue: 0 });
  stage.runtime.bus.listen(() => {}, new Set(['late-result']));
  const { target } = stage;
  const gate = new Gate();
  stage.call(gate.work);
  stage.events.length = 0;
  let refused = 0;
  for (let i = 0; i < 50_000; i += 1) {
    runPromise(target, up as never, undefined, []).catch(() => (refused += 1));
    if (i % 1_000 === 0) {
      await settle();
      stage.events.length = 0;
    }
  }
  await settle();

  expect(refused).toBe(50_000);
  expect(stateOf(stage)).toMatchObject({ running: 1, queued: 0, refused: 50_000 });
  expect(stage.clock.pending).toBe(0);
});

onEveryFace((face) => {
  it('a call whose place in the queue is taken inside its own priority function is refused, not lost', async () => {
    const gate = new Gate();
    let inside: (() => void) | undefined;
    const stage: Stage = new Stage(face, {
      bulkhead: {
        maxConcurrent: 1,
        maxQueue: 1,
        priority: () => {
          const once = inside;
          inside = undefined;
          once?.();
          return 0;
        },
      },
    });
    const first = stage.call(gate.work);
    await settle();
    let usurper: RunningCall | undefined;
    inside = () => (usurper = stage.call(gate.work));
    const second = await stage.run(gate.work);

    expect(second.error).toMatchObject({ code: 'BULKHEAD_FULL' });
    gate.resolve('ok');
    await settle();
    expect([first.value, usurper!.value]).toEqual(['ok', 'ok']);
    expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
  });

  it('a slot that is freed inside the priority function is taken', async () => {
    const gate = new Gate();
    let inside: (() => void) | undefined;
    const stage: Stage = new Stage(face, {
      bulkhead: { maxConcurrent: 1, priority: () => (inside?.(), 0) },
    });
    const slots = stage.pipeline.bulkhead!.policy;
    slots.enter();
    inside = () => slots.release();

    const call = await stage.run(gate.work);

    expect([gate.starts, stage.bulkhead]).toMatchObject([1, { running: 1, queued: 0 }]);
    gate.resolve('ok');
    await settle();
    expect(call.value).toBe('ok');
    expect(stage.bulkhead).toMatchObject({ running: 0, queued: 0 });
  });
});
