import type { BulkheadOptions, PolicySet } from 'nestjs-bulwark';
import type { BulkheadSnapshot } from '../../lib/policies/bulkhead/bulkhead.js';
import { type Face, Gate, itCanLeave, onEveryFace, settle, Stage } from '../support/stage.js';

const up = (): Promise<string> => Promise.resolve('ok');

const stageOf = (face: Face, bulkhead: BulkheadOptions, others: PolicySet = {}): Stage =>
  new Stage(face, { bulkhead, ...others });

const stateOf = (stage: Stage): BulkheadSnapshot => stage.pipeline.bulkhead!.policy.snapshot();
const reclaims = (stage: Stage): number =>
  stage.events.filter(({ type }) => type === 'bulkhead-reclaimed').length;

onEveryFace((face) => {
  describe('maxHold', () => {
    /** A case about work that goes on when nobody waits for it: an Observable's ends when it is unsubscribed. */
    const itGoesOn = (name: string, test: () => Promise<void>): void => {
      if (face.name !== 'observable') it(name, test);
    };

    it('#80 takes the slots of hung calls back when their time is over, and says so', async () => {
      const stage = stageOf(face, { maxConcurrent: 2, maxHold: 1_000 });
      const hung = [new Gate(), new Gate()];
      const calls = hung.map((gate) => stage.call(gate.work));
      const third = new Gate();
      const waiting = stage.call(third.work);
      await stage.clock.advance(999);
      expect(stateOf(stage)).toMatchObject({ running: 2, queued: 1, orphaned: 0 });

      await stage.clock.advance(1);

      expect(stateOf(stage)).toMatchObject({ running: 1, queued: 0, orphaned: 2, reclaimed: 2 });
      expect(stage.events.filter(({ type }) => type === 'bulkhead-reclaimed')).toMatchObject([
        { target: 'Controller.handle', severity: 'warning' },
        { target: 'Controller.handle' },
      ]);
      expect(third.starts).toBe(1);

      // they end after all: their callers get the answers, nobody's slot is given back
      hung[0]!.resolve('late');
      hung[1]!.reject(new Error('late'));
      await settle();
      expect([calls[0]!.value, calls[1]!.error.message]).toEqual(['late', 'late']);
      expect(stateOf(stage)).toMatchObject({ running: 1, orphaned: 0 });
      third.resolve('ok');
      await settle();
      expect(waiting.value).toBe('ok');
      expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: 0 });
      expect(stage.clock.pending).toBe(0);
    });

    it('runs from the start of the method, not from its place in the queue', async () => {
      const stage = stageOf(face, { maxConcurrent: 1, maxHold: 100 });
      const gates = [new Gate(), new Gate()];
      for (const gate of gates) stage.call(gate.work);
      await stage.clock.advance(90);
      gates[0]!.resolve();
      await stage.clock.advance(99);
      expect(stateOf(stage)).toMatchObject({ running: 1, orphaned: 0 });
      await stage.clock.advance(1);

      expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: 1 });
    });

    it('is over with the call: no timer stays, no slot is taken back', async () => {
      const stage = stageOf(face, { maxConcurrent: 1, maxHold: 100 });
      for (let i = 0; i < 5; i += 1) await stage.run(up);
      await stage.run(() => Promise.reject(new Error('x')));
      expect(stage.clock.pending).toBe(0);
      await stage.clock.advance(1_000);

      expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: 0, reclaimed: 0 });
    });

    itGoesOn(
      '#80 by default is five time limits from the start, for work that was given up',
      async () => {
        const stage = stageOf(face, { maxConcurrent: 1 }, { timeLimit: 100 });
        const hung = new Gate();
        const call = stage.call(hung.work);
        await stage.clock.advance(100);
        expect(call.error).toMatchObject({ code: 'CALL_TIMEOUT' });
        await stage.clock.advance(399);
        expect(stateOf(stage)).toMatchObject({ running: 1, orphaned: 0 });
        await stage.clock.advance(1);
        expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: 1 });
        expect(reclaims(stage)).toBe(1);

        const next = new Gate();
        stage.call(next.work);
        await settle();
        hung.resolve('late');
        await settle();

        expect(stateOf(stage)).toMatchObject({ running: 1, orphaned: 0 });
        expect(stage.eventTypes()).toContain('late-result');
        next.resolve();
        await settle();
        expect(stateOf(stage).running).toBe(0);
      },
    );

    itGoesOn(
      'of work that ends before, the slot is free then and nothing is taken back',
      async () => {
        const stage = stageOf(face, { maxConcurrent: 1 }, { timeLimit: 100 });
        const slow = new Gate();
        stage.call(slow.work);
        await stage.clock.advance(300);
        expect(stateOf(stage).running).toBe(1);
        slow.resolve();
        await settle();
        expect(stateOf(stage).running).toBe(0);
        expect(stage.clock.pending).toBe(0);
        await stage.clock.advance(1_000);

        expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: 0, reclaimed: 0 });
      },
    );

    itGoesOn(
      'of its own wins over five time limits, and false keeps the slot for ever',
      async () => {
        for (const [maxHold, held, free] of [
          [150, 149, 150],
          [false, 1e6, undefined],
        ] as const) {
          const stage = stageOf(face, { maxConcurrent: 1, maxHold }, { timeLimit: 100 });
          stage.call(new Gate().work);
          await stage.clock.advance(held);
          expect(stateOf(stage).running).toBe(1);
          if (free === undefined) continue;
          await stage.clock.advance(free - held);
          expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: 1 });
        }
      },
    );

    it('may be over before the time limit, which ends the call all the same', async () => {
      const stage = stageOf(face, { maxConcurrent: 1, maxHold: 50 }, { timeLimit: 100 });
      const hung = new Gate();
      const call = stage.call(hung.work);
      await stage.clock.advance(50);
      expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: 1 });
      await stage.clock.advance(50);
      expect(call.error).toMatchObject({ code: 'CALL_TIMEOUT' });
      hung.resolve();
      await settle();

      expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: 0, reclaimed: 1 });
    });

    itCanLeave(
      face,
      'of a caller who left: the slot is kept as long as the work may run',
      async () => {
        const stage = stageOf(face, { maxConcurrent: 1 }, { timeLimit: 100 });
        const hung = new Gate();
        const call = stage.call(hung.work);
        await stage.clock.advance(10);
        call.cancel();
        await stage.clock.advance(489);
        // the work of an Observable ends with its subscription
        const held = face.name === 'observable' ? 0 : 1;
        expect(stateOf(stage).running).toBe(held);
        await stage.clock.advance(1);

        expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: held });
        hung.resolve();
        await settle();
        expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: 0 });
      },
    );

    it('each attempt of a retry has a time of its own', async () => {
      const stage = stageOf(
        face,
        { maxConcurrent: 1, maxHold: 100 },
        { retry: { delay: 10, jitter: 'none' } },
      );
      let n = 0;
      const gate = new Gate();
      const call = stage.call(() => {
        n += 1;
        return n === 1
          ? new Promise((_, reject) => stage.clock.schedule(() => reject(new Error('x')), 90))
          : gate.promise;
      });
      await stage.clock.advance(199);
      expect(stateOf(stage)).toMatchObject({ running: 1, reclaimed: 0 });
      await stage.clock.advance(1);
      expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: 1 });
      gate.resolve('ok');
      await settle();

      expect(call.value).toBe('ok');
      expect(stateOf(stage)).toMatchObject({ running: 0, orphaned: 0 });
    });
  });
});
