import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { MemoryCheckpointStore } from '../../../lib/checkpoint/stores/memory-checkpoint-store.js';
import { rotInTheMiddle } from '../../support/rot.js';
import { Vault } from './custody.js';

const RESULT = { isDryRun: false, lostCalls: 0, replayedCalls: 0 };

describe('sound state', () => {
  test('is left alone', async () => {
    const vault = await Vault.open();
    await vault.move(10);

    const outcome = await vault.corruption.handle(true);

    expect(outcome).toMatchObject({ ...RESULT, result: 'sound', issues: [], steps: [] });
    expect(vault.corruption.isCorrupted).toBe(false);
    expect(vault.statuses()).toEqual([]);
    expect((await vault.engine.list()).filter(({ named }) => named)).toEqual([]);
  });

  test('a check sees one moment, whatever is called meanwhile', async () => {
    const vault = await Vault.open();
    await vault.move(10);
    const checking = vault.corruption.check();
    await vault.move(5);
    expect(await checking).toMatchObject({ isCorrupted: false, checks: ['supply', 'store'] });
  });
});

describe('memory that has rotted', () => {
  test('is taken from the newest backup and the whole journal: no call is lost', async () => {
    const vault = await Vault.open();
    await vault.move(10, 'one');
    await vault.engine.save();
    await vault.move(20, 'two');
    await vault.engine.create('mine');
    await vault.move(30, 'three');
    const { content } = vault;
    vault.rot(1_000_000);
    expect(await vault.corruption.check()).toMatchObject({
      isCorrupted: true,
      issueCount: 1,
      issues: [{ check: 'supply', at: 'balances', problem: 'they hold 1000040' }],
    });
    expect(vault.corruption.isCorrupted).toBe(true);

    const outcome = await vault.corruption.handle(false);

    expect(outcome).toMatchObject({
      result: 'fixed',
      from: 'mine',
      lostCalls: 0,
      replayedCalls: 1,
    });
    expect(vault.content).toEqual(content);
    expect(vault.corruption.isCorrupted).toBe(false);
    const { result } = await vault.corruption.handle(false);
    expect(result).toBe('sound');
    const [quarantine] = (await vault.backups.list()).filter(
      ({ name }) => name === outcome.quarantine,
    );
    expect(quarantine).toMatchObject({ kind: 'named', summary: { moves: 3 } });
  });

  test('that got into a backup is taken from one before it', async () => {
    const vault = await Vault.open();
    await vault.move(10, 'one');
    await vault.engine.create('good');
    await vault.move(20, 'two');
    const { content } = vault;
    vault.rot(7);
    await vault.engine.create('bad');

    const outcome = await vault.corruption.handle(false);

    expect(outcome).toMatchObject({
      result: 'fixed',
      from: 'good',
      replayedCalls: 1,
      lostCalls: 0,
    });
    expect(outcome.steps[0]).toBe('backup bad does not pass the checks');
    expect(vault.content).toEqual(content);
  });
});

test('without any backup the journal alone leads to the state', async () => {
  const vault = await Vault.open();
  await vault.move(10);
  const { content } = vault;
  vault.rot(-1);
  expect(await vault.engine.list()).toEqual([]);
  expect(await vault.corruption.handle(false)).toMatchObject({ result: 'fixed', from: '0' });
  expect(vault.content).toEqual(content);
});

test('a state that was not sound at first is gone back to from the end', async () => {
  const vault = await Vault.open();
  vault.extra = () =>
    vault.bank.log.length > 0 ? [] : [{ check: 'genesis', problem: 'there is none' }];
  for (const id of ['one', 'two', 'three', 'four']) await vault.move(1, id);
  await vault.forge(5);
  await vault.move(1, 'late');
  expect(await vault.corruption.handle(true)).toMatchObject({ result: 'fixed', lostCalls: 2 });
  expect(vault.bank.log.slice()).toEqual(['one', 'two', 'three', 'four']);
});

describe('a call that did what it must not', () => {
  async function forged(): Promise<Vault> {
    const vault = await Vault.open();
    await vault.engine.create('good');
    for (let i = 1; i <= 9; i += 1) await vault.move(1, `m${i}`);
    await vault.forge(5);
    for (let i = 10; i <= 12; i += 1) await vault.move(1, `m${i}`);
    return vault;
  }

  test('is refused to be undone unless it may cost calls, and nothing is changed', async () => {
    const vault = await forged();
    const { content } = vault;
    const list = await vault.engine.list();

    const outcome = await vault.corruption.handle(false);

    expect(outcome).toMatchObject({
      result: 'refused',
      from: 'good',
      replayedCalls: 9,
      lostCalls: 4,
    });
    expect(outcome.message).toContain('force a rollback');
    expect(vault.content).toEqual(content);
    expect(await vault.engine.list()).toEqual(list);
    expect(vault.corruption.isCorrupted).toBe(true);
    expect(vault.statuses()).toEqual([
      'corruption_recovery started',
      'corruption_recovery refused',
    ]);
  });

  test('is undone by force with all after it, which are in the quarantine', async () => {
    const vault = await forged();
    await vault.move(1, 'on the way');

    const outcome = await vault.corruption.handle(true);

    expect(outcome).toMatchObject({ result: 'fixed', replayedCalls: 9, lostCalls: 5 });
    expect(vault.bank.log.slice()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `m${n}`));
    expect(vault.bank.sum()).toBe(100);
    await vault.move(1, 'next');
    const saved = await vault.store.read(outcome.quarantine!);
    expect(saved.get('laid-aside')!.meta['calls']).toBe(5);
  });

  test('is previewed as it is carried out, without a change', async () => {
    const vault = await forged();
    const { content } = vault;

    const preview = await vault.corruption.handle(true, { dryRun: true });
    expect(vault.content).toEqual(content);
    expect(vault.statuses()).toEqual([]);
    const { quarantine: _, ...real } = await vault.corruption.handle(true);

    expect({ ...preview, isDryRun: false }).toEqual(real);
  });
});

test('where no backup passes the checks the state stays as it is', async () => {
  const vault = await Vault.open();
  await vault.move(1);
  await vault.engine.create('one');
  const { content } = vault;
  vault.extra = () => [{ check: 'always', problem: 'no' }];

  const outcome = await vault.corruption.handle(true);

  expect(outcome).toMatchObject({ result: 'failed', lostCalls: 0 });
  expect(vault.content).toEqual(content);
  await vault.move(1);
});

test('a store that accepts nothing is said to be the reason', async () => {
  class Failing extends MemoryCheckpointStore {
    isBroken = false;
    override async open(): ReturnType<MemoryCheckpointStore['open']> {
      if (this.isBroken) throw new Error('EIO');
      return super.open();
    }
  }
  const store = new Failing();
  const vault = await Vault.open(store);
  await vault.engine.create('good');
  store.isBroken = true;
  store.fail(new Error('EIO'));
  vault.rot(3);

  expect(await vault.corruption.handle(true)).toMatchObject({
    result: 'failed',
    message: 'nothing can be put in place: the store is fenced',
  });
});

test('what participants carry is handed back, and one that fails keeps nobody from recovering', async () => {
  const vault = await Vault.open();
  await vault.engine.create('good');
  await vault.move(1, 'kept');
  await vault.forge(3);
  const seen: unknown[] = [];
  vault.participants.push(
    {
      name: 'Pool',
      before: () => vault.bank.log.slice(),
      after: (carried) => {
        seen.push(carried, vault.bank.log.slice());
        return 2;
      },
    },
    {
      name: 'Bad',
      before: () => {
        throw new Error('no');
      },
      after: () => seen.push('never'),
    },
    { name: 'Worse', before: () => 1, after: () => Promise.reject(new Error('neither')) },
  );

  const outcome = await vault.corruption.handle(true);

  expect(outcome).toMatchObject({ result: 'fixed', lostCalls: 1, handedBack: { Pool: 2 } });
  expect(seen).toEqual([['kept', 'forged'], ['kept']]);
  expect(outcome.steps.slice(-2)).toEqual(['Bad.beforeRestore: no', 'Worse.afterRestore: neither']);
});

test('#150 one recovery at a time: the second is refused, and the next one is not', async () => {
  const vault = await Vault.open();
  await vault.engine.create('good');
  vault.rot(3);

  const first = vault.corruption.handle(false);
  await expect(vault.corruption.handle(false)).rejects.toMatchObject({ code: 'RECOVERY_BUSY' });
  await expect(vault.backups.restore('good')).rejects.toMatchObject({ status: 409 });

  expect(await first).toMatchObject({ result: 'fixed' });
  expect(await vault.corruption.handle(false)).toMatchObject({ result: 'sound' });
});

describe('files that have rotted', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bulwark-corruption-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function flip(prefix: string): Promise<void> {
    const name = (await readdir(directory)).toSorted().find((file) => file.startsWith(prefix))!;
    await rotInTheMiddle(join(directory, name));
  }

  test.each(['s-', 'j-', 'g-'])('are written anew from sound memory: %s', async (prefix) => {
    const vault = await Vault.open(new FileCheckpointStore({ directory }));
    for (const id of ['one', 'two', 'three']) await vault.move(1, id);
    await vault.engine.save();
    for (const id of ['four', 'five']) await vault.move(1, id);
    await vault.engine.flush();
    const { content } = vault;
    await flip(prefix);
    const report = await vault.corruption.check();
    expect(report).toMatchObject({ isCorrupted: true });
    expect(report.issues.every(({ check }) => check === 'store')).toBe(true);

    const outcome = await vault.corruption.handle(false);

    expect(outcome).toMatchObject({ result: 'fixed', lostCalls: 0 });
    expect(await vault.corruption.check()).toMatchObject({ isCorrupted: false });
    await vault.move(1, 'six');
    await vault.engine.close();
    const next = await Vault.open(new FileCheckpointStore({ directory }));
    expect(next.bank.log.length).toBe(6);
    expect([next.bank.sum(), (content as unknown[]).length]).toEqual([100, 2]);
    await next.engine.close();
  });

  test('a backup that has rotted is a warning, and no corruption', async () => {
    const vault = await Vault.open(new FileCheckpointStore({ directory }));
    await vault.move(1);
    await vault.engine.create('mine');
    const place = join(directory, 'named', 'mine');
    const [state] = (await readdir(place)).filter((file) => file.startsWith('s-'));
    await writeFile(join(place, state!), 'rotten');

    const report = await vault.corruption.check();

    expect(report).toMatchObject({ isCorrupted: false, issueCount: 0 });
    expect(report.warnings.join()).toContain('named/mine');
    await expect(vault.backups.restore('mine')).rejects.toMatchObject({
      code: 'RECOVERY_BAD_BACKUP',
      message: 'backup "mine": it is damaged',
    });
    await vault.engine.close();
  });
});
