import { CheckpointQuotaError } from '../../../lib/checkpoint/checkpoint.error.js';
import {
  type FileCheckpointOptions,
  FileCheckpointStore,
} from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import type { PartToSave } from '../../../lib/checkpoint/checkpoint-store.js';
import { CrashFileSystem } from '../../../lib/testing/checkpoint/crash-file-system.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { seededRandom } from '../../../lib/testing/seeded-random.js';
import { FakeMachine, stillClock } from '../../crash/support.js';

const part = (bytes: number): PartToSave => ({
  component: 'ledger',
  meta: {},
  pieces: [Buffer.alloc(bytes)],
});

async function opened(options: Partial<FileCheckpointOptions>): Promise<{
  disk: CrashFileSystem;
  clock: FakeClock;
  store: FileCheckpointStore;
  /** The bytes of all files. */
  size: (path?: string) => Promise<number>;
}> {
  const disk = new CrashFileSystem(seededRandom(2));
  const clock = new FakeClock();
  const machine = new FakeMachine();
  const store = new FileCheckpointStore({
    directory: '/store',
    fs: disk,
    clock,
    machine,
    ...options,
  });
  await store.open();
  const size = async (path = '/store'): Promise<number> => {
    let bytes = 0;
    for (const name of await disk.list(path)) {
      const info = await disk.info(`${path}/${name}`);
      bytes += info.kind === 'directory' ? await size(`${path}/${name}`) : info.size;
    }
    return bytes;
  };
  return { disk, clock, store, size };
}

describe('the room that named checkpoints may take', () => {
  test('#123 one that would go beyond `maxBytes` is refused with 507, and leaves nothing', async () => {
    const { disk, store, size } = await opened({ maxBytes: 20_000 });
    await store.create('first', [part(10_000)]);
    const used = await size();
    expect(used).toBeGreaterThan(10_000);
    let most = 0;
    const watch = setInterval(() => void size().then((now) => (most = Math.max(most, now))), 0);

    const error: unknown = await store.create('second', [part(10_000)]).catch((e: unknown) => e);

    clearInterval(watch);
    expect(error).toBeInstanceOf(CheckpointQuotaError);
    expect(error).toMatchObject({
      code: 'CHECKPOINT_QUOTA',
      status: 507,
      statusCode: 507,
      used,
      allowed: 20_000,
    });
    const { needed } = error as CheckpointQuotaError;
    expect(used + needed).toBeGreaterThan(20_000);
    expect(needed).toBeLessThan(11_000);
    expect((error as Error).message).toContain(`${used} bytes are used`);
    expect(most).toBeLessThanOrEqual(20_000);
    expect(await size()).toBe(used);
    expect(await disk.list('/store/named')).toEqual(['first']);
    await store.remove('first');
    await store.create('second', [part(10_000)]);
    await store.close();
  });

  test('#123 to the byte: what fits is made', async () => {
    const roomy = await opened({});
    const before = await roomy.size();
    await roomy.store.create('exact', [part(1_000)]);
    const after = await roomy.size();
    for (const [maxBytes, fits] of [
      [after, true],
      [after - 1, false],
    ] as const) {
      const { store, size } = await opened({ maxBytes });
      expect(await size()).toBe(before);
      const made = store.create('exact', [part(1_000)]);
      if (fits) expect((await made).id).toBe('exact');
      else await expect(made).rejects.toMatchObject({ code: 'CHECKPOINT_QUOTA' });
    }
  });

  test('#123 the journal and the generations are never refused, and do count', async () => {
    const { store, size } = await opened({ maxBytes: 5_000 });
    for (let i = 0; i < 5; i += 1) {
      await store.append(Buffer.alloc(3_000)).durable;
      await store.snapshot([part(3_000)]);
    }
    expect(await size()).toBeGreaterThan(5_000);
    await expect(store.create('small', [])).rejects.toMatchObject({ used: await size() });
    await store.close();
  });

  test('#123 10 are kept of 1,000, the newest, and nothing else is removed', async () => {
    const { disk, clock, store } = await opened({ retain: 10 });
    await store.create('stranger', [part(1)]);
    const foreign = Buffer.from('not ours');
    disk.plant('/store/named/a-file', { bytes: foreign });
    await disk.makeDirectory('/store/named/a-directory');
    disk.plant('/store/named/a-directory/manifest', { bytes: foreign });
    for (let i = 1; i <= 1_000; i += 1) {
      await clock.advance(1);
      await store.create(`backup-${i}`, [part(1)]);
    }
    const kept = (await store.list()).map(({ id }) => id);
    expect(kept).toEqual(Array.from({ length: 10 }, (_, i) => `backup-${1_000 - i}`));
    expect((await disk.list('/store/named')).toSorted()).toEqual(
      ['a-directory', 'a-file', ...kept].toSorted(),
    );
    expect(disk.bytesOf('/store/named/a-directory/manifest')).toEqual(foreign);
    await store.close();
  });

  test('the one that was just made is kept, whatever its clock says', async () => {
    let epoch = 1_000_000;
    const clock = { ...stillClock, epoch: () => (epoch -= 1_000) };
    const { store } = await opened({ retain: 1, clock });
    await store.create('a', []);
    await store.create('b', []);
    expect((await store.list()).map(({ id }) => id)).toEqual(['b']);
    await store.close();
  });

  test.each(['maxBytes', 'retain'])('%s has to be a number from 1', (name) => {
    for (const value of [0, 1.5, '1']) {
      expect(() => new FileCheckpointStore({ directory: '/x', [name]: value })).toThrow(
        `FileCheckpointStore ${name}: got`,
      );
    }
  });
});
