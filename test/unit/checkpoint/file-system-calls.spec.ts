import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { CrashFileSystem } from '../../../lib/testing/checkpoint/crash-file-system.js';
import { observeFileSystem } from '../../../lib/testing/checkpoint/observe-file-system.js';
import { FakeClock, settle } from '../../../lib/testing/fake-clock.js';
import { seededRandom } from '../../../lib/testing/seeded-random.js';

const READS = new Set(['read', 'info', 'list', 'realPath', 'openForReading', 'close']);

/** A store and the transcript of what it asks of the disk. */
async function opened(
  durability: 'sync' | 'manual' | { interval: number } = 'sync',
): Promise<{ store: FileCheckpointStore; calls: string[]; paths: string[]; clock: FakeClock }> {
  const calls: string[] = [];
  const paths: string[] = [];
  const clock = new FakeClock();
  const disk = new CrashFileSystem(seededRandom(2));
  const short = (path: string): string => path.replace('/store/', '').replace(/^tmp-.*/, 'tmp');
  const fs = observeFileSystem(disk, ({ call, path, to }, proceed) => {
    if (!READS.has(call))
      calls.push([call, short(path), to && short(to)].filter(Boolean).join(' '));
    if (call === 'create') paths.push(path);
    return proceed();
  });
  // whole writes only, so that the transcript is always the same
  const store = new FileCheckpointStore({ directory: '/store', fs, clock, durability });
  await store.open();
  calls.length = 0;
  return { store, calls, paths, clock };
}

const once = (calls: readonly string[]): string[] =>
  calls.filter((call, i) => !(call.startsWith('write') && calls[i - 1] === call));

const part = { component: 'ledger', meta: {}, pieces: [Buffer.from('state')] };
const entry = Buffer.from('entry');

describe('the order of calls to the disk', () => {
  test('#103 an entry is written, then synced, then acknowledged', async () => {
    const { store, calls } = await opened();
    await store.append(entry).durable;
    expect(once(calls)).toEqual(['write tmp', 'datasync tmp']);
    await store.close();
  });

  test('#103 a state is written, synced, renamed and its name synced; then the same for its manifest', async () => {
    const { store, calls } = await opened();
    await store.snapshot([part]);
    calls.length = 0;
    const { id } = await store.snapshot([part]);
    expect(once(calls)).toEqual([
      'create tmp',
      'write tmp',
      'sync tmp',
      'rename tmp s-0000000002-0000000001-1-ledger',
      'syncDirectory /store',
      'create tmp',
      'write tmp',
      'sync tmp',
      'rename tmp g-0000000002-0000000001-0000000000-1',
      'syncDirectory /store',
    ]);
    expect(id).toBe('2');
    await store.close();
  });

  test('a segment is synced before the next begins, and that has its name before a manifest speaks of it', async () => {
    const { store, calls } = await opened('manual');
    await store.snapshot([part]);
    store.append(entry);
    calls.length = 0;
    await store.snapshot([part]);
    const named = calls.filter((call) => /datasync|rename/.test(call));
    expect(named).toEqual([
      'datasync tmp',
      expect.stringMatching(/^rename tmp [sj]-/),
      expect.stringMatching(/^rename tmp [sj]-/),
      'rename tmp g-0000000002-0000000001-0000000000-1',
    ]);
    await store.close();
  });

  test('a hundred callers share a write and a sync', async () => {
    const { store, calls } = await opened();
    await Promise.all(Array.from({ length: 100 }, () => store.append(entry).durable));
    expect(calls.filter((call) => call.startsWith('datasync'))).toHaveLength(1);
    calls.length = 0;
    const caller = async (): Promise<void> => {
      for (let i = 0; i < 10; i += 1) await store.append(entry).durable;
    };
    await Promise.all(Array.from({ length: 100 }, caller));
    expect(calls.filter((call) => call.startsWith('datasync')).length).toBeLessThanOrEqual(12);
    await store.close();
  });

  test('with an interval it is synced once in that time, and by flush at once', async () => {
    const { store, calls, clock } = await opened({ interval: 100 });
    for (let i = 0; i < 5; i += 1) await store.append(entry).durable;
    expect(calls.filter((call) => call.startsWith('datasync'))).toEqual([]);
    await clock.advance(99);
    expect(calls.filter((call) => call.startsWith('datasync'))).toEqual([]);
    await clock.advance(1);
    await settle();
    expect(calls.filter((call) => call.startsWith('datasync'))).toHaveLength(1);
    await clock.advance(1_000);
    expect(calls.filter((call) => call.startsWith('datasync'))).toHaveLength(1);
    await store.append(entry).durable;
    await store.flush();
    expect(calls.filter((call) => call.startsWith('datasync'))).toHaveLength(2);
    await store.close();
  });

  test('by hand only flush, a snapshot and the end sync', async () => {
    const { store, calls, clock } = await opened('manual');
    await store.append(entry).durable;
    await clock.advance(60_000);
    expect(calls.filter((call) => call.startsWith('datasync'))).toEqual([]);
    await store.close();
    expect(calls.filter((call) => call.startsWith('datasync'))).toHaveLength(1);
  });

  test('a snapshot does not wait for writers to pause', async () => {
    const { store } = await opened();
    const work = { goes: true };
    const writer = async (): Promise<void> => {
      while (work.goes) await store.append(entry).durable;
    };
    const writers = Array.from({ length: 20 }, writer);
    for (let i = 0; i < 3; i += 1) await store.snapshot([part]);
    work.goes = false;
    await Promise.all(writers);
    await store.close();
  });

  test('#114 every new file has a name that nobody can guess, and is made only if it is not there', async () => {
    const { store, paths } = await opened();
    for (let i = 0; i < 100; i += 1) await store.snapshot([part]);
    expect(paths.length).toBeGreaterThan(200);
    expect(new Set(paths).size).toBe(paths.length);
    for (const path of paths) expect(path).toMatch(/\/tmp-[0-9a-f]{32}$/);
    await store.close();
  });
});
