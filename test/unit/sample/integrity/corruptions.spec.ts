import { SeededRandom } from '../../../../sample/banking-stage/src/dice/seeded-random.js';
import { alice, bob, carol, pay } from '../people.js';
import { smallWorld, stateOf } from '../small-world.js';
import type { World } from '../small-world.js';
import { corrupt, roomsOf } from './corruptions.js';
import type { Corruption, Rooms } from './corruptions.js';

const SEED = Number(process.env['SEED'] ?? 1);
const COUNT = 1_000;

/** Five blocks with payments to and fro, on certain quotes and provisional ones, and three pending. */
async function busyWorld(): Promise<World> {
  const world = await smallWorld();
  const { banking, quotes } = world;
  for (const height of [1, 2, 3, 4, 5]) {
    quotes.next = { fee: height % 3, verdict: height === 4 ? 'provisional' : 'cleared' };
    await banking.submit(pay(alice, bob, 10 * height));
    await banking.submit(pay(bob, carol, 5 * height));
    await banking.submit(pay(bob, alice, height));
    await banking.produceBlock(height);
  }
  await banking.submit(pay(alice, carol, 7));
  await banking.submit(pay(alice, bob, 8));
  quotes.next = { fee: 1, verdict: 'provisional' };
  await banking.submit(pay(bob, carol, 9));
  return world;
}

/** Puts the rooms back to what they were. */
function keeping(rooms: Rooms): () => void {
  const kept = Object.values(rooms).map((room: Map<string, unknown> | unknown[]) =>
    Array.isArray(room) ? [...room] : new Map(room),
  );
  return () => {
    for (const [at, room] of Object.values(rooms).entries()) {
      if (Array.isArray(room)) room.splice(0, room.length, ...(kept[at] as never[]));
      else {
        room.clear();
        for (const [key, value] of kept[at] as Map<string, unknown>) room.set(key, value);
      }
    }
  };
}

describe(`a node's state that has gone wrong in ${COUNT} ways (SEED=${SEED})`, () => {
  it('is found out each time, and the check that finds it is the one for it', async () => {
    const world = await busyWorld();
    const rooms = roomsOf(world);
    const putBack = keeping(rooms);
    const sound = stateOf(world);
    const dice = new SeededRandom(SEED);
    const missed: (Corruption & { found: string[] })[] = [];
    const kinds = new Map<string, number>();

    for (let n = 0; n < COUNT; n++) {
      const corruption = corrupt(rooms, dice);
      const found = world.integrity.all().map(({ check }) => check);
      if (!corruption.named.some((name) => found.includes(name))) {
        missed.push({ ...corruption, found: [...new Set(found)] });
      }
      kinds.set(corruption.kind, (kinds.get(corruption.kind) ?? 0) + 1);
      putBack();
    }

    expect(missed).toEqual([]);
    expect(kinds.size).toBe(21);
    expect(stateOf(world)).toEqual(sound);
    expect(world.integrity.all()).toEqual([]);
  });
});
