// A directory that goes away under a running process: a volume that is unmounted leaves an empty one behind.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileCheckpointStore } from '../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { entriesOf } from '../crash/support.js';

const root = mkdtempSync(join(tmpdir(), 'bulwark-volume-'));
afterAll(() => rmSync(root, { recursive: true }));

const refused = { code: 'CHECKPOINT_DAMAGED', message: expect.stringContaining('not any more') };

async function fenced(name: string): Promise<{ directory: string; store: FileCheckpointStore }> {
  const directory = join(root, name);
  const store = new FileCheckpointStore({ directory });
  await store.open();
  await store.append(Buffer.from('acknowledged')).durable;
  const fence = new Promise((resolve) => store.onFenced(resolve));
  renameSync(directory, `${directory}-away`);
  mkdirSync(directory);
  await fence;
  return { directory, store };
}

test('nothing is begun in the empty directory, and the old one is taken up when it is back', async () => {
  const { directory, store } = await fenced('empty');
  await expect(store.open()).rejects.toMatchObject(refused);
  await expect(store.open()).rejects.toMatchObject(refused);
  expect(readdirSync(directory)).toEqual([]);
  rmdirSync(directory);
  await expect(store.open()).rejects.toMatchObject({ code: 'CHECKPOINT_IO' }); // nor is it made anew
  renameSync(`${directory}-away`, directory);
  expect(await entriesOf(await store.open())).toHaveLength(1);
  await store.close();
});

test('nor is anything changed in the directory of another store', async () => {
  const { directory, store } = await fenced('other');
  const other = new FileCheckpointStore({ directory });
  await other.open();
  for (let i = 0; i < 3; i += 1) await other.append(Buffer.from('of another')).durable;
  await other.close();
  const before = readdirSync(directory);
  await expect(store.open()).rejects.toMatchObject(refused);
  expect(readdirSync(directory)).toEqual(before);
});

test('an older copy of the own directory is refused too, but not in a new process', async () => {
  const { directory, store } = await fenced('older');
  rmdirSync(directory);
  renameSync(`${directory}-away`, directory);
  const [segment] = readdirSync(directory).filter((name) => name.startsWith('j-'));
  const lock = readdirSync(directory).find((name) => name.startsWith('lock-'))!;
  const { truncateSync } = await import('node:fs');
  truncateSync(join(directory, segment!), 88);
  rmSync(join(directory, lock));
  await expect(store.open()).rejects.toMatchObject(refused);
  const next = new FileCheckpointStore({ directory });
  expect(await entriesOf(await next.open())).toHaveLength(0);
  await next.close();
});
