import { CheckpointEngine } from '../../lib/checkpoint/engine/checkpoint-engine.js';
import { MemoryCheckpointStore } from '../../lib/checkpoint/stores/memory-checkpoint-store.js';
import { ActionLog } from '../../lib/recovery/actions/action-log.js';
import { Corruption } from '../../lib/recovery/corruption/corruption.js';
import { OperationLock } from '../../lib/recovery/operation-lock.js';
import { Verdict } from '../../lib/recovery/verdict.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

/** State in a plain field, which it refuses to take if it is not sound. */
class Till {
  cents = 0;

  captureState(): { cents: number } {
    return { cents: this.cents };
  }

  restoreState({ cents }: { cents: number }): void {
    if (cents < 0) throw new RangeError(`the till cannot hold ${cents}`);
    this.cents = cents;
  }
}

test('captured state that a component refuses to take is passed over for an older backup', async () => {
  const clock = new FakeClock();
  const emit = (): void => {};
  const engine = new CheckpointEngine({ store: new MemoryCheckpointStore({ clock }), clock, emit });
  await engine.open();
  const till = new Till();
  engine.bind(till, { options: { name: 'till' }, durable: [], label: 'Till' });
  await engine.ready();
  till.cents = 100;
  await engine.create('good');
  till.cents = -5;
  await clock.advance(1_000);
  await engine.create('bad');
  till.cents = 2;
  const corruption = new Corruption({
    engine,
    clock,
    actions: new ActionLog({ clock, emit, report: () => {}, max: 10 }),
    lock: new OperationLock(),
    verdict: new Verdict(),
    participants: [],
    runChecks: async () => {
      const issues = till.cents === 100 ? [] : [{ check: 'till', problem: `it has ${till.cents}` }];
      return { issues, issueCount: issues.length, checks: ['till'], duration: 0 };
    },
    breathe: async () => {},
  });

  expect(await corruption.handle(true)).toMatchObject({ result: 'fixed', from: 'good' });
  expect(till.cents).toBe(100);
  expect(engine.state).toBe('open');
});
