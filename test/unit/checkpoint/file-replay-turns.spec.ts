import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { CrashFileSystem } from '../../../lib/testing/checkpoint/crash-file-system.js';
import { seededRandom } from '../../../lib/testing/seeded-random.js';
import { FakeMachine, stillClock } from '../../crash/support.js';

test('a long journal is read with turns for others, whose entries are carried out in between', async () => {
  const fs = new CrashFileSystem(seededRandom(1));
  const machine = new FakeMachine();
  const open = async () => {
    machine.restart();
    const store = new FileCheckpointStore({ directory: '/store', fs, machine, clock: stillClock });
    return { store, contents: await store.open() };
  };
  const { store } = await open();
  const entries = Array.from({ length: 5_000 }, () => store.append(Buffer.alloc(100)).durable);
  await Promise.all(entries);
  await store.close();

  const { store: next, contents } = await open();
  let isOver = false;
  let turns = 0;
  const look = (): void => {
    turns += 1;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  let count = 0;
  for await (const { sequence } of contents.entries()) count = sequence;
  isOver = true;
  expect(count).toBe(5_000);
  // this disk answers in the same turn: all of them are given on purpose, one in 64 KiB
  expect(turns).toBeGreaterThanOrEqual(10);
  await next.close();
});
