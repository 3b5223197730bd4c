import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileCheckpointStore } from '../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { Vault } from '../unit/recovery/custody.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bulwark-storm-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('every call that is acknowledged while the state is mended again and again is there, once, and after a restart', async () => {
  const vault = await Vault.open(new FileCheckpointStore({ directory }));
  const { a, b } = { a: vault.bank.balances.get('a')!, b: vault.bank.balances.get('b')! };
  const acknowledged: string[] = [];
  let isOver = false;
  // of a quick disk there would be so many that the state is saved again and again before anybody looks at it
  let left = 0;
  const client = async (name: number): Promise<void> => {
    for (let i = 0; !isOver; i += 1) {
      if (left === 0) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      left -= 1;
      const id = `${name}-${i}`;
      try {
        await vault.move(1, id);
        acknowledged.push(id);
      } catch {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  const clients = Array.from({ length: 10 }, (_, name) => client(name));
  const results: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    left = 300;
    if (round % 3 === 1) await vault.engine.save();
    if (round % 3 === 2) await vault.backups.create(`round-${round}`);
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
    vault.bank.log.published.items.splice(3, 1, 'rotten');
    vault.extra = () =>
      vault.bank.log.slice().includes('rotten') ? [{ check: 'log', problem: 'rotten' }] : [];
    results.push((await vault.corruption.handle(false)).result);
  }
  isOver = true;
  await Promise.all(clients);

  const check = (log: readonly string[]): void => {
    expect(new Set(log).size).toBe(log.length);
    const kept = new Set(log);
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  };
  expect(results).toEqual(results.map(() => 'fixed'));
  expect(acknowledged.length).toBeGreaterThan(100);
  check(vault.bank.log.slice());
  expect([a + b, vault.bank.sum()]).toEqual([100, 100]);
  await vault.engine.close();

  const next = await Vault.open(new FileCheckpointStore({ directory }));
  check(next.bank.log.slice());
  expect(next.content).toEqual(vault.content);
  await next.engine.close();
}, 60_000);
