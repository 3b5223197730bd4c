import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileCheckpointStore } from '../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { MemoryCheckpointStore } from '../../lib/checkpoint/stores/memory-checkpoint-store.js';
import { run } from '../unit/checkpoint/world.js';
import { Vault } from '../unit/recovery/custody.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bulwark-attack-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('the backup that is gone back to is read before a store that keeps few makes room for the quarantine', async () => {
  const vault = await Vault.open(new FileCheckpointStore({ directory, retain: 2 }));
  await vault.move(10, 'one');
  await vault.engine.create('good');
  const { content } = vault;
  vault.rot(7);
  await vault.engine.create('bad');

  const outcome = await vault.corruption.handle(false);

  expect(outcome).toMatchObject({ result: 'fixed', from: 'good' });
  expect(vault.content).toEqual(content);
  await vault.engine.close();
});

test('calls acknowledged while a backup is looked at are counted among the lost ones', async () => {
  const vault = await Vault.open();
  await vault.engine.create('mine');
  await vault.move(1, 'before');
  let during: Promise<void> | undefined;
  vault.extra = () => {
    during ??= Promise.resolve().then(() => setImmediateThen(() => vault.move(1, 'during')));
    return [];
  };
  // the check of the backup goes on while calls do
  const look = vault.engine.look.bind(vault.engine);
  vault.engine.look = async (work) => {
    const answer = await look(work);
    await during;
    return answer;
  };

  const report = await vault.backups.restore('mine');

  expect(vault.bank.log.slice()).toEqual([]);
  expect(report.lostCalls).toBe(2);
});

test('what a restore has put right is not reported as corrupted any more', async () => {
  const vault = await Vault.open();
  await vault.engine.create('good');
  vault.rot(7);
  await vault.corruption.check();
  expect(vault.corruption.isCorrupted).toBe(true);

  await vault.backups.restore('good');

  expect(vault.corruption.isCorrupted).toBe(false);
});

test('a check does not mistake a state that is only tried in its place for the present one', async () => {
  const vault = await Vault.open();
  await vault.engine.create('good');
  let trying = (): void => {};
  const isTrying = new Promise<void>((resolve) => (trying = resolve));
  const tried = vault.engine.replace(async (hands) => {
    const candidate = await (await hands.trial('good')).after(0);
    await hands.tryOut(candidate, async () => {
      vault.rot(7); // what is tried is not sound
      trying();
      for (let i = 0; i < 100; i += 1) await undefined;
    });
  });
  await isTrying;
  const check = vault.corruption.check();
  await tried;
  expect(await check).toMatchObject({ isCorrupted: false });
});

test('a check that began before the state was mended does not report it as corrupted', async () => {
  const vault = await Vault.open();
  await vault.engine.create('good');
  vault.rot(7);
  let passOn = (): void => {};
  const held = new Promise<void>((resolve) => (passOn = resolve));
  const present = vault.engine.verify.bind(vault.engine);
  vault.engine.verify = async () => {
    vault.engine.verify = present;
    await held;
    return present();
  };
  const slow = vault.corruption.check();
  for (let i = 0; i < 100; i += 1) await undefined;

  expect(await vault.corruption.handle(false)).toMatchObject({ result: 'fixed' });
  passOn();
  expect(await slow).toMatchObject({ isCorrupted: true });

  expect(vault.corruption.isCorrupted).toBe(false);
});

test('while corruption is known, backups by the clock do not push out those from before', async () => {
  const vault = await Vault.open();
  await vault.move(10, 'one');
  await vault.backups.createScheduled();
  const good = (await vault.backups.list())[0]!.name;
  await vault.forge(5);
  await vault.corruption.check();
  expect(vault.corruption.isCorrupted).toBe(true);

  for (let i = 0; i < 10; i += 1) {
    await vault.clock.advance(3_600_000);
    await vault.backups.createScheduled().catch(() => {});
  }

  expect((await vault.backups.list()).map(({ name }) => name)).toContain(good);
});

test('a backup that took the name of one that is gone has not been looked at', async () => {
  const vault = await Vault.open();
  await vault.backups.create('mine');
  await vault.backups.drill();
  await vault.backups.cleanup(0);

  expect((await vault.backups.create('mine')).verified).toBeUndefined();
});

test('a store that has failed is not told as backups that do not pass', async () => {
  const store = new MemoryCheckpointStore();
  const vault = await Vault.open(store);
  await vault.engine.create('good');
  vault.rot(7);
  const look = vault.engine.look.bind(vault.engine);
  vault.engine.look = (work) =>
    look((hands) => {
      store.fail(new Error('the disk is gone'));
      return work(hands);
    });

  const { result, message } = await vault.corruption.handle(true);

  expect(result).toBe('failed');
  expect(message).not.toContain('no backup passes');
});

test('a view that is over keeps no state for what a check has left behind', async () => {
  const vault = await Vault.open();
  const view = await vault.engine.present(async () => {});
  view.close();
  expect(view.of(vault.bank.balances)).toBeUndefined();
});

test.each(['handleCorruption', 'restoreBackup'])(
  'what was carried over is handed back where %s was called in the middle of a call',
  async (what) => {
    const vault = await Vault.open();
    await vault.move(1, 'one');
    await vault.engine.create('good');
    vault.participants.push({
      name: 'Orders',
      before: () => 'an order',
      after: (order) => vault.move(1, String(order)),
    });
    vault.rot(7);
    const treat = (): Promise<unknown> =>
      what === 'restoreBackup' ? vault.backups.restore('good') : vault.corruption.handle(false);
    let treated: unknown;
    const ended = new Promise<void>((resolve) => {
      const call = run(vault.bank, async () => {
        treated = await treat().catch((error: unknown) => error);
        resolve();
      });
      call.catch(() => {}); // it is called off, with all the others
    });
    await ended;

    expect(treated).toHaveProperty('handedBack', { Orders: undefined });
    expect(vault.bank.log.slice()).toEqual(['one', 'an order']);
  },
);

function setImmediateThen<T>(work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => setImmediate(() => work().then(resolve, reject)));
}
