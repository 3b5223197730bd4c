import { SeededRandom } from '../../../../sample/banking-stage/src/dice/seeded-random.js';
import type { CorruptionOutcome } from '../../../../lib/recovery/recovery-report.js';
import { alice, bob, pay } from '../people.js';
import { type Corruption, corrupt, roomsOf } from '../integrity/corruptions.js';
import { stateOf } from '../small-world.js';
import { accepted, busyRecoveryWorld, type RecoveryWorld } from './recovery-world.js';

const SEED = Number(process.env['SEED'] ?? 1);
const COUNT = 1_000;
const PREVIEWED = 200;
const WITH_CALLS = 25;
const PATIENCE = 120_000;

let world: RecoveryWorld;
let dice: SeededRandom;

beforeEach(async () => {
  world = await busyRecoveryWorld();
  dice = new SeededRandom(SEED);
});

afterEach(() => world.app.close());

/** The state in a form that is quickly compared: maps in the order of their keys. */
function state(): string {
  return JSON.stringify(stateOf(world), (_, value: unknown) =>
    value instanceof Map ? [...value].toSorted(([a], [b]) => (a < b ? -1 : 1)) : value,
  );
}

async function nextCorruption(): Promise<Corruption> {
  // Backups are named by the time, and removed by it.
  await world.clock.advance(1_000);
  return corrupt(roomsOf(world), dice);
}

/** What is the same for a preview and for what it is a preview of. */
function announced({
  result,
  from,
  replayedCalls,
  lostCalls,
  issues,
  steps,
  message,
}: CorruptionOutcome) {
  return { result, from, replayedCalls, lostCalls, issues, steps, message };
}

describe(`a node whose memory goes wrong in ${COUNT} ways (SEED=${SEED})`, () => {
  it(
    '#153 has its whole state back each time, a backup of the broken one, and nothing to mend after it',
    async () => {
      const sound = state();
      const must = {
        result: 'fixed',
        lost: 0,
        named: true,
        backup: true,
        back: true,
        again: 'sound',
      };
      const failures: unknown[] = [];

      for (let n = 0; n < COUNT && failures.length < 5; n++) {
        const { kind, what, named } = await nextCorruption();
        const {
          result,
          issues,
          lostCalls: lost,
          quarantine,
        } = await world.corruption.handle(false);
        const seen = {
          ...{ result, lost },
          named: issues.some(({ check }) => named.some((name) => name === check)),
          backup: (await world.backups.list()).some(({ name }) => name === quarantine),
          back: state() === sound,
          again: (await world.corruption.handle(false)).result,
        };
        if (JSON.stringify(seen) !== JSON.stringify(must)) failures.push({ kind, what, ...seen });
      }

      expect(failures).toEqual([]);
    },
    PATIENCE,
  );

  it(
    `#152 is told before what would be done, ${PREVIEWED} times, and nothing is changed by that`,
    async () => {
      for (let n = 0; n < PREVIEWED; n++) {
        await nextCorruption();
        const broken = state();
        const { length: backups } = await world.backups.list();

        const preview = await world.corruption.handle(false, { dryRun: true });
        expect([state() === broken, (await world.backups.list()).length]).toEqual([true, backups]);

        expect(announced(preview)).toEqual(announced(await world.corruption.handle(false)));
      }
    },
    PATIENCE,
  );
});

describe(`a node that went on with a wrong memory, ${WITH_CALLS} times (SEED=${SEED})`, () => {
  it(
    '#153 loses no transaction that it acknowledged: refused without force, it stays as it is',
    async () => {
      const results = { fixed: 0, refused: 0, sound: 0 };
      for (let n = 0; n < WITH_CALLS; n++) {
        const before = [
          await accepted(world, pay(alice, bob, 2)),
          await accepted(world, pay(bob, alice, 2)),
        ];
        await nextCorruption();
        const receipts = await goOn();
        const broken = state();

        const { result } = await world.corruption.handle(false);
        results[result as 'fixed'] += 1;
        if (result === 'refused') {
          expect(state()).toBe(broken);
          expect(await world.corruption.handle(true)).toMatchObject({ result: 'fixed' });
        }

        expect(world.integrity.all()).toEqual([]);
        const receiptsGiven = [...before.map(({ id }) => id), ...receipts];
        for (const id of receiptsGiven) expect(world.banking.isKnown(id)).toBe(true);
        await world.banking.produceBlock(n + 10);
      }
      expect(results.fixed).toBeGreaterThan(WITH_CALLS / 4);
      expect(results.refused).toBeGreaterThan(0);
    },
    PATIENCE,
  );
});

/** A payment, and a block, as far as they are possible; the ids of what was acknowledged. */
async function goOn(): Promise<string[]> {
  const ids: string[] = [];
  for (const work of [
    () => accepted(world, pay(alice, bob, 1)).then(({ id }) => ids.push(id)),
    () => world.banking.produceBlock(9),
    () => accepted(world, pay(bob, alice, 1)).then(({ id }) => ids.push(id)),
  ]) {
    try {
      await work();
    } catch {
      // what it trips over is what is wrong
    }
  }
  return ids;
}
