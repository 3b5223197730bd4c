// What is held beyond the wait of a caller: slots by work that does not end, places by probes.
import { currentCall, type PolicySet } from 'nestjs-bulwark';
import { Nested } from '../support/nested.js';
import { FACES, Gate, onEveryFace, settle, Stage } from '../support/stage.js';

onEveryFace((face) => {
  describe('#80 work that was given up and does not end', () => {
    // a stream is stopped at its limit
    const stopped = face.name === 'observable';

    it.each<[string, PolicySet['bulkhead'], number]>([
      ['five time limits', {}, 500],
      ['maxHold, if that is given', { maxHold: 130 }, 130],
    ])('keeps its slot for %s from its start', async (_name, bulkhead, hold) => {
      const stage = new Stage(face, {
        timeLimit: 100,
        bulkhead: { maxConcurrent: 1, ...bulkhead },
      });
      const gate = new Gate();
      stage.call(gate.work);
      await stage.clock.advance(hold - 1);
      expect(stage.bulkhead).toMatchObject({ running: stopped ? 0 : 1, orphaned: 0 });

      await stage.clock.advance(1);

      expect(stage.bulkhead).toMatchObject({ running: 0, orphaned: stopped ? 0 : 1 });
      expect(stage.eventTypes().filter((type) => type === 'bulkhead-reclaimed')).toHaveLength(
        stopped ? 0 : 1,
      );
      gate.resolve();
      await settle();
      expect(stage.bulkhead).toMatchObject({ running: 0, orphaned: 0 });
      expect(stage.clock.pending).toBe(0);
    });

    it('keeps it for ever where maxHold is false', async () => {
      const stage = new Stage(face, {
        timeLimit: 100,
        bulkhead: { maxConcurrent: 1, maxHold: false },
      });
      const gate = new Gate();
      stage.call(gate.work);
      await stage.clock.advance(100_000);
      expect(stage.bulkhead.running).toBe(stopped ? 0 : 1);

      gate.reject(new Error('late'));
      await settle();

      expect(stage.bulkhead).toMatchObject({ running: 0, orphaned: 0 });
    });
  });

  it('#28 the lease of a probe that had to wait runs from the start of its method', async () => {
    const stage = new Stage(face, {
      circuitBreaker: {
        failureThreshold: 1,
        openFor: 10,
        halfOpenLease: 50,
        halfOpenCalls: 1,
        successThreshold: 1,
      },
      bulkhead: { maxConcurrent: 1 },
    });
    stage.breaker.open(10);
    const slots = stage.pipeline.bulkhead!.policy;
    slots.enter();
    await stage.clock.advance(10);
    const gate = new Gate();
    const probe = await stage.run(gate.work);
    await stage.clock.advance(80);

    slots.release();
    await stage.clock.advance(40);
    const other = await stage.run(gate.work);
    expect(other.error['code']).toBe('CIRCUIT_OPEN');
    gate.resolve('up');
    await settle();

    expect(probe.value).toBe('up');
    expect(stage.breaker.current).toBe('closed');
    expect(stage.breaker.counters).toMatchObject({ success: 1, stale: 0 });
  });
});

it('currentCall is that of the method again after it has called another', async () => {
  const stage = new Nested(FACES[0]!, { timeLimit: 100 });
  const inner = stage.inner({ timeLimit: 50 });
  const targets: string[] = [];

  await stage.run(async () => {
    const asked = stage.ask(inner, async () => {
      targets.push(currentCall().target);
    });
    targets.push(currentCall().target);
    await asked;
  });

  expect(targets).toEqual(['Inner.call', 'Controller.handle']);
});
