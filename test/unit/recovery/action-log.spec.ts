import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../../../lib/checkpoint/stores/file/node-file-system.js';
import { ActionLog } from '../../../lib/recovery/actions/action-log.js';
import { FileActionStore } from '../../../lib/recovery/actions/file-action-store.js';
import { RecoveryError } from '../../../lib/recovery/recovery.error.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';

let directory: string;
const told: unknown[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bulwark-actions-'));
  told.length = 0;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const place = (): string => join(directory, 'recovery');

function logOf(max = 100): ActionLog {
  return new ActionLog({
    clock: new FakeClock(),
    emit: () => {},
    store: new FileActionStore(place(), nodeFileSystem),
    report: (error) => void told.push(error),
    max,
  });
}

const entry = (details: string): Parameters<ActionLog['record']>[0] => ({
  type: 'backup',
  status: 'success',
  details,
});

const details = (log: ActionLog): string[] => log.list(100).map((action) => action.details);

test('actions survive a restart, newest first, with ids that go on', async () => {
  const first = logOf();
  await first.open();
  first.record(entry('one'));
  first.record({ ...entry('two'), by: 'ann' });
  await first.settled();

  const second = logOf();
  expect(await second.open()).toEqual([]);
  const third = second.record(entry('three'));
  await second.settled();

  expect(third.id).toBe(3);
  expect(details(second)).toEqual(['three', 'two', 'one']);
  expect(second.list(2).map(({ by }) => by)).toEqual(['code', 'ann']);
  expect(await readdir(place())).toHaveLength(1);
  const [name] = await readdir(place());
  expect((await stat(join(place(), name!))).mode & 0o777).toBe(0o600);
  expect((await stat(place())).mode & 0o777).toBe(0o700);
});

test('what had begun and never ended is told at the next start', async () => {
  const first = logOf();
  await first.open();
  first.record({ type: 'corruption_recovery', status: 'started', details: 'x' });
  first.record({ type: 'restore', status: 'started', details: 'y' });
  first.record({ type: 'restore', status: 'failed', details: 'y' });
  await first.settled();
  expect((await logOf().open()).map(({ type }) => type)).toEqual(['corruption_recovery']);
});

test('only so many are remembered, in memory and on disk', async () => {
  const first = logOf(10);
  await first.open();
  for (let i = 0; i < 25; i += 1) first.record(entry(`n${i}`));
  await first.settled();
  const second = logOf(10);
  await second.open();
  expect(details(second)).toEqual(Array.from({ length: 10 }, (_, i) => `n${24 - i}`));
});

test('a line that a crash cut, or somebody wrote, is left out', async () => {
  const first = logOf();
  await first.open();
  first.record(entry('kept'));
  await first.settled();
  const [name] = await readdir(place());
  await appendFile(
    join(place(), name!),
    '{"id":7}\n[]\nnull\n{"__proto__":{"x":1}}\n{"id":9,"at":1,"ty',
  );
  const second = logOf();
  await second.open();
  expect(details(second)).toEqual(['kept']);
});

test('#113 a link in the place of the file is not followed', async () => {
  const first = logOf();
  await first.open();
  first.record(entry('kept'));
  await first.settled();
  const target = join(directory, 'target');
  await writeFile(
    target,
    `${JSON.stringify({ id: 99, at: 1, type: 'a', status: 'b', details: 'evil', by: 'x' })}\n`,
  );
  await symlink(target, join(place(), `actions-${'9'.repeat(13)}-${'0'.repeat(32)}.jsonl`));
  const second = logOf();
  await second.open();
  second.record(entry('more'));
  await second.settled();
  expect(details(second)).toEqual(['more', 'kept']);
  expect(await readFile(target, 'utf8')).toContain('evil');
});

test('secrets and lines are taken out of what is said', async () => {
  const log = logOf();
  await log.open();
  log.record({
    ...entry('postgres://u:hunter22@h/db\nnext'),
    by: 'Bearer abcdefghijklmnopqrstuvwxyz0123456789',
  });
  await log.settled();
  const [action] = log.list(1);
  expect(action!.details).not.toContain('hunter22');
  expect(action!.details).not.toContain('\n');
  expect(action!.by).not.toContain('abcdefghijklmnop');
});

test('a log that is closed has kept everything, and holds no file', async () => {
  const open = new Set<unknown>();
  const fs = {
    ...nodeFileSystem,
    create: async (path: string) => {
      const file = await nodeFileSystem.create(path);
      open.add(file);
      const close = file.close.bind(file);
      file.close = () => {
        open.delete(file);
        return close();
      };
      return file;
    },
  };
  const clock = new FakeClock();
  const store = new FileActionStore(place(), fs);
  const log = new ActionLog({ clock, emit: () => {}, store, report: () => {}, max: 10 });
  await log.open();
  log.record(entry('kept'));
  expect(open.size).toBe(0);
  await log.settled();
  expect(open.size).toBe(1);
  await log.close();
  log.record(entry('late'));
  await log.settled();
  expect(open.size).toBe(0);
  const next = logOf();
  await next.open();
  expect(details(next)).toEqual(['kept']);
});

test('a disk that fails is told once and harms nobody', async () => {
  await writeFile(place(), 'a file in its place');
  const log = logOf();
  await log.open();
  for (let i = 0; i < 3; i += 1) log.record(entry(`n${i}`));
  await log.settled();
  expect(details(log)).toEqual(['n2', 'n1', 'n0']);
  expect(told).toHaveLength(1);
});

test('what takes a while is noted when it begins and when it ends, and a refusal is no failure', async () => {
  const log = logOf();
  await log.open();
  const during = { type: 'restore', details: 'x' } as const;
  expect(await log.during(during, async () => 1)).toBe(1);
  const refuse = async (): Promise<never> => {
    throw new RecoveryError('RECOVERY_BUSY', 'later');
  };
  await expect(log.during(during, refuse)).rejects.toThrow('later');
  await expect(log.during(during, () => Promise.reject(new Error('EIO')))).rejects.toThrow('EIO');
  expect(log.list(9).map(({ status }) => status)).toEqual([
    'failed',
    'started',
    'refused',
    'started',
    'success',
    'started',
  ]);
});
