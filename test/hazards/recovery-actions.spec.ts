import { ActionLog } from '../../lib/recovery/actions/action-log.js';
import { Keyring } from '../../lib/checkpoint/stores/file/keyring.js';
import { FileActionStore } from '../../lib/recovery/actions/file-action-store.js';
import { CrashFileSystem } from '../../lib/testing/checkpoint/crash-file-system.js';
import {
  type FileHook,
  observeFileSystem,
} from '../../lib/testing/checkpoint/observe-file-system.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { seededRandom } from '../../lib/testing/seeded-random.js';

const disk = new CrashFileSystem(seededRandom(1));
const open = new Set<string>();
let isFull = false;
const hook: FileHook = async ({ call, path }, proceed) => {
  if (call === 'write' && isFull)
    throw Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' });
  const answer = await proceed();
  if (call === 'create') open.add(path);
  if (call === 'close') open.delete(path);
  return answer;
};
let lives = 0;
const fs = observeFileSystem(disk, hook);

function logIn(directory: string, max = 100, keys = Keyring.none): ActionLog {
  return new ActionLog({
    clock: new FakeClock(),
    emit: () => {},
    store: new FileActionStore(directory, fs, keys),
    report: () => {},
    max,
  });
}

const entry = (details: string): Parameters<ActionLog['record']>[0] => ({
  type: 'backup',
  status: 'success',
  details,
});

beforeEach(() => {
  isFull = false;
  open.clear();
  lives += 1;
});

test('a disk that is full gets no new file, and keeps none open, for each action', async () => {
  const directory = `/full${lives}`;
  const log = logIn(directory);
  isFull = true;
  for (let i = 0; i < 50; i += 1) log.record(entry(`in vain ${i}`));
  await log.settled();
  expect(open.size).toBe(0);
  expect(await disk.list(directory)).toEqual([]);

  isFull = false;
  log.record(entry('there is room'));
  await log.settled();
  const next = logIn(directory);
  await next.open();
  expect(next.list(100)).toHaveLength(51);
});

test('a log as long as it may be is there after a restart', async () => {
  const directory = `/long${lives}`;
  const lines = Array.from({ length: 10_000 }, (_, i) =>
    JSON.stringify({ ...entry('ä'.repeat(500)), id: i + 1, at: 1, by: 'code' }),
  );
  await disk.makeDirectory(directory);
  disk.plant(`${directory}/actions-0000000000001-${'0'.repeat(32)}.jsonl`, {
    bytes: Buffer.from(`${lines.join('\n')}\n`),
  });
  const next = logIn(directory, 10_000);
  await next.open();
  expect(next.list(10_000)).toHaveLength(10_000);
});

test('a line that somebody planted with the last number there is does not cost the evidence after it', async () => {
  const directory = `/forged${lives}`;
  await disk.makeDirectory(directory);
  const line = { ...entry('forged'), id: Number.MAX_SAFE_INTEGER, at: 1, by: 'nobody' };
  disk.plant(`${directory}/actions-0000000000001-${'0'.repeat(32)}.jsonl`, {
    bytes: Buffer.from(`${JSON.stringify(line)}\n`),
  });
  const first = logIn(directory);
  await first.open();
  first.record(entry('one'));
  first.record(entry('two'));
  await first.settled();

  const second = logIn(directory);
  await second.open();

  expect(second.list(2).map(({ details }) => details)).toEqual(['two', 'one']);
});

test('what is said of an encrypted state is encrypted too, and kept for whoever has the key', async () => {
  const directory = `/sealed${lives}`;
  const keys = Keyring.of({ encryptionKey: Buffer.alloc(32, 7) });
  const text = async (): Promise<string> => {
    const names = await disk.list(directory);
    return names.map((name) => disk.bytesOf(`${directory}/${name}`).toString()).join('');
  };
  const first = logIn(directory, 100, keys);
  await first.open();
  first.record(entry('the account of alice holds -5'));
  await first.settled();
  first.record(entry('the account of bob too'));
  await first.settled();
  expect(await text()).not.toMatch(/alice|bob|account/);

  // without the key, and with another one, nothing of it is read, nor lost
  for (const other of [Keyring.none, Keyring.of({ encryptionKey: Buffer.alloc(32, 8) })]) {
    const log = logIn(directory, 100, other);
    await log.open();
    expect(log.list(100)).toEqual([]);
    log.record(entry('by another'));
    await log.settled();
  }

  const second = logIn(directory, 100, keys);
  await second.open();
  expect(second.list(2).map(({ details }) => details)).toEqual([
    'the account of bob too',
    'the account of alice holds -5',
  ]);
});

test('a line that is not sealed by the key is none', async () => {
  const directory = `/planted${lives}`;
  const keys = Keyring.of({ integrityKey: Buffer.alloc(32, 7) });
  const first = logIn(directory, 100, keys);
  first.record(entry('real'));
  await first.settled();
  const line = { ...entry('forged'), id: 9, at: 1, by: 'nobody' };
  disk.plant(`${directory}/actions-0000000000001-${'0'.repeat(32)}.jsonl`, {
    bytes: Buffer.from(`${JSON.stringify(line)}\n`),
  });

  const second = logIn(directory, 100, keys);
  await second.open();

  expect(second.list(9).map(({ details }) => details)).toEqual(['real']);
});
