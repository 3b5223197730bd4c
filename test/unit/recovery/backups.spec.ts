import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { HOSTILE_NAMES } from '../../../lib/testing/checkpoint/store-contract-names.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckpointInfo } from '../../../lib/checkpoint/checkpoint-store.js';
import { beyond } from '../../../lib/recovery/backups/retention.js';
import { Vault } from './custody.js';

const names = async (vault: Vault): Promise<string[]> =>
  (await vault.backups.list()).filter(({ kind }) => kind === 'named').map(({ name }) => name);

test('a backup is made by name, or with the time as one, and is listed with what the primary component says', async () => {
  const vault = await Vault.open();
  await vault.move(1);

  const made = await vault.backups.create('before_upgrade');
  const other = await vault.backups.create(undefined);

  expect(made).toMatchObject({
    name: 'before_upgrade',
    kind: 'named',
    path: 'named/before_upgrade',
  });
  expect(made.summary).toEqual({ moves: 1 });
  expect(other.name).toMatch(/^manual-\d{8}T\d{6}Z$/);
  expect(await names(vault)).toEqual(expect.arrayContaining(['before_upgrade', other.name]));
  expect(vault.statuses()).toEqual([
    'backup started',
    'backup success',
    'backup started',
    'backup success',
  ]);
});

test('#111 hostile names, numbers and the names we give are refused before anything is touched', async () => {
  const vault = await Vault.open();
  const before = await vault.engine.list();
  const refused = [
    ...HOSTILE_NAMES.filter((name) => name !== undefined),
    '17',
    'quarantine-1',
    'scheduled-x',
  ];
  for (const name of refused)
    await expect(vault.backups.create(name as string)).rejects.toMatchObject({
      code: 'RECOVERY_NAME',
      status: 400,
    });
  expect(await vault.engine.list()).toEqual(before);
  expect(vault.statuses()).toEqual([]);
});

test('a name that is taken is refused, and the backup stays', async () => {
  const vault = await Vault.open();
  await vault.backups.create('one');
  await expect(vault.backups.create('one')).rejects.toMatchObject({ code: 'RECOVERY_EXISTS' });
  expect(vault.statuses().at(-1)).toBe('backup refused');
  expect(await names(vault)).toEqual(['one']);
});

test('#122 a restore puts everything back, and can be undone by the backup it makes before', async () => {
  const vault = await Vault.open();
  await vault.move(1, 'one');
  await vault.backups.create('one');
  await vault.move(2, 'two');
  const { content } = vault;

  const report = await vault.backups.restore('one');

  expect(report).toMatchObject({ isDryRun: false, lostCalls: 1, components: ['bank'], issues: [] });
  expect(report.before).toMatch(/^before-restore-/);
  expect(vault.bank.log.slice()).toEqual(['one']);
  await vault.backups.restore(report.before!);
  expect(vault.content).toEqual(content);
});

test('#122 a backup that does not pass the checks is refused, with the state untouched', async () => {
  const vault = await Vault.open();
  await vault.move(1);
  const content = structuredClone(vault.content);
  vault.rot(3);
  await vault.backups.create('bad');
  vault.rot(1);
  expect(vault.content).toEqual(content);

  await expect(vault.backups.restore('bad')).rejects.toMatchObject({
    code: 'RECOVERY_BAD_BACKUP',
    status: 422,
  });
  const preview = await vault.backups.restore('bad', { dryRun: true });

  expect(preview.issues).toEqual([{ check: 'supply', at: 'balances', problem: 'they hold 102' }]);
  expect(vault.content).toEqual(content);
  expect((await vault.backups.list()).find(({ name }) => name === 'bad')!.verified).toBe(false);
  await vault.move(1);
});

test('#152 a dry run of a restore tells what the restore does, and writes nothing', async () => {
  const vault = await Vault.open();
  await vault.backups.create('one');
  await vault.move(2);
  const [content, list] = [vault.content, await vault.engine.list()];

  const preview = await vault.backups.restore('one', { dryRun: true });

  expect([vault.content, await vault.engine.list()]).toEqual([content, list]);
  const { before: _, ...real } = await vault.backups.restore('one');
  expect({ ...preview, isDryRun: false }).toEqual(real);
});

test('an unknown backup is refused', async () => {
  const vault = await Vault.open();
  for (const name of ['nothing', '__proto__', 'constructor', '99'])
    await expect(vault.backups.restore(name)).rejects.toMatchObject({ code: 'RECOVERY_UNKNOWN' });
  await expect(vault.backups.remove('nothing')).rejects.toMatchObject({ code: 'RECOVERY_UNKNOWN' });
});

test('who leaves before the state is touched changes nothing', async () => {
  const vault = await Vault.open();
  await vault.backups.create('one');
  await vault.move(2);
  const { content } = vault;
  const leaving = new AbortController();
  vault.extra = () => {
    leaving.abort();
    return [];
  };
  const restored = vault.backups.restore('one', { signal: leaving.signal });
  await expect(restored).rejects.toMatchObject({ code: 'RECOVERY_ABORTED' });
  expect(vault.content).toEqual(content);
});

test('#123 of backups made by themselves the newest stay, each kind for itself; those of somebody stay', async () => {
  const vault = await Vault.open();
  await vault.backups.create('mine');
  await vault.engine.create('quarantine-1');
  for (let hour = 0; hour < 10; hour += 1) {
    vault.clock.advance(3_600_000);
    await vault.backups.createScheduled();
  }
  const left = await names(vault);
  expect(left).toHaveLength(5);
  expect(left).toEqual(expect.arrayContaining(['mine', 'quarantine-1']));
  expect(await vault.backups.cleanup(2)).toHaveLength(3);
  expect(await names(vault)).toHaveLength(2);
  await expect(vault.backups.cleanup(-1)).rejects.toThrow(/keep: got -1/);
});

test('#123 where room is short the evidence of a corruption stays longest', () => {
  const backup = (id: string, bytes = 10): CheckpointInfo => ({
    id,
    named: true,
    createdAt: 0,
    sequence: 0,
    bytes,
    components: [],
  });
  const newestFirst = ['scheduled-3', 'mine', 'scheduled-2', 'scheduled-1', 'quarantine-1'];
  const list = newestFirst.map((id) => backup(id));
  expect(beyond(list, { maxBackups: 9, maxBackupBytes: 20 })).toEqual([
    'scheduled-2',
    'scheduled-1',
  ]);
  expect(beyond(list, { maxBackups: 9, maxBackupBytes: 5 })).toEqual([
    'quarantine-1',
    'scheduled-2',
    'scheduled-1',
  ]);
  expect(beyond(list, { maxBackups: 2 })).toEqual(['scheduled-1']);
});

test('#123 `retain` of the store counts what people made, and not what recovery makes', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bulwark-retain-'));
  try {
    const vault = await Vault.open(new FileCheckpointStore({ directory, retain: 2 }));
    for (const name of ['one', 'two', 'three']) {
      await vault.backups.create(name);
      vault.clock.advance(1_000);
      await vault.backups.createScheduled();
    }
    const left = (await names(vault)).filter((name) => !name.startsWith('scheduled-'));
    expect([left.toSorted(), (await names(vault)).length]).toEqual([['three', 'two'], 5]);
    await vault.engine.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('a drill restores the newest backup into a copy and runs the checks', async () => {
  const vault = await Vault.open();
  await vault.backups.create('one');
  vault.clock.advance(5);
  const { content } = vault;
  expect(await vault.backups.drill()).toMatchObject({ backup: 'one', passed: true, issues: [] });
  expect(vault.content).toEqual(content);
  vault.extra = () => [{ check: 'x', problem: 'bad' }];
  expect(await vault.backups.drill()).toMatchObject({
    passed: false,
    issues: [{ problem: 'bad' }],
  });
  expect(vault.statuses().slice(-2)).toEqual(['restore_drill started', 'restore_drill failed']);
});

test('#122 a backup with another key is refused, and nothing is changed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bulwark-backups-'));
  const key = (fill: number): Buffer => Buffer.alloc(32, fill);
  try {
    const first = await Vault.open(new FileCheckpointStore({ directory, encryptionKey: key(1) }));
    await first.backups.create('old');
    await first.engine.close();
    const both = new FileCheckpointStore({ directory, encryptionKey: [key(2), key(1)] });
    const second = await Vault.open(both);
    await second.move(1);
    await second.engine.save();
    await second.move(1);
    await second.engine.save();
    await second.move(1);
    await second.engine.save();
    await second.engine.close();
    const third = await Vault.open(new FileCheckpointStore({ directory, encryptionKey: key(2) }));
    const { content } = third;
    await expect(third.backups.restore('old')).rejects.toMatchObject({ name: 'RecoveryError' });
    expect(third.content).toEqual(content);
    await third.engine.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});
