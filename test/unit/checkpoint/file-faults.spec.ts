import { CheckpointError } from '../../../lib/checkpoint/checkpoint.error.js';
import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { CrashFileSystem } from '../../../lib/testing/checkpoint/crash-file-system.js';
import {
  type FileCall,
  type FileHook,
  observeFileSystem,
} from '../../../lib/testing/checkpoint/observe-file-system.js';
import { seededRandom } from '../../../lib/testing/seeded-random.js';
import { entriesOf, FakeMachine, stillClock } from '../../crash/support.js';

const ERRORS = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'EINTR', 'short write'] as const;

const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: injected`), { code });

const part = (
  text: string,
): { component: string; meta: Record<string, never>; pieces: Buffer[] } => ({
  component: 'ledger',
  meta: {},
  pieces: [Buffer.from(text)],
});

/** A disk whose calls can be counted and failed. */
class FaultyDisk {
  readonly disk = new CrashFileSystem(seededRandom(3));
  private readonly machine = new FakeMachine();
  calls: FileCall[] = [];
  /** Answers the error for a call, by its number since `calls` was emptied. */
  fault: (call: FileCall, n: number) => string | undefined = () => undefined;

  store(): FileCheckpointStore {
    this.machine.restart();
    const hook: FileHook = async (call, proceed) => {
      this.calls.push(call);
      const code = this.fault(call, this.calls.length);
      if (code === undefined) return proceed();
      if (code !== 'short write') throw systemError(code);
      // one byte of it, however much was asked for
      return call.call === 'write' ? proceed().then(() => 1 as never) : proceed();
    };
    return new FileCheckpointStore({
      directory: '/store',
      fs: observeFileSystem(this.disk, hook),
      clock: stillClock,
      machine: this.machine,
    });
  }

  get temporaries(): Promise<string[]> {
    return this.disk.list('/store').then((names) => names.filter((name) => name.startsWith('tmp')));
  }
}

/** A store with two entries, a generation behind the first, and a named checkpoint. */
async function prepared(world: FaultyDisk): Promise<FileCheckpointStore> {
  const store = world.store();
  await store.open();
  await store.append(Buffer.from('one')).durable;
  await store.snapshot([part('state 1')]);
  await store.append(Buffer.from('two')).durable;
  await store.create('kept', [part('named 2')]);
  return store;
}

const OPERATIONS: Record<string, (store: FileCheckpointStore) => Promise<unknown>> = {
  append: (store) => store.append(Buffer.from('three')).durable,
  snapshot: (store) => store.snapshot([part('state 2')]),
  'snapshot at a barrier': (store) => store.snapshot([part('state 2')], { barrier: true }),
  create: (store) => store.create('more', [part('named 3')]),
  remove: (store) => store.remove('kept'),
};

async function outcomeOf(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** All that was acknowledged is there, whatever happened after it. */
async function expectIntact(world: FaultyDisk, operation: string): Promise<void> {
  const store = world.store();
  const contents = await store.open();
  const all = (await entriesOf(contents)).map(({ entry }) => entry.toString());
  const saved = contents.parts.get('ledger')!;
  expect(contents.sequence).toBeGreaterThanOrEqual(2);
  expect([...contents.lost, ...contents.report.skipped]).toEqual([]);
  expect(all.slice(0, 2 - saved.sequence)).toEqual(['two'].slice(saved.sequence - 1));
  const ids = (await store.list()).map(({ id }) => id);
  for (const id of ids) await store.read(id);
  expect(ids).toContain('1');
  if (operation !== 'remove') expect(ids).toContain('kept');
  expect((await store.verify()).ok).toBe(true);
  await store.close();
}

describe('a disk that fails', () => {
  describe.each(Object.entries(OPERATIONS))('in the middle of %s', (operation, run) => {
    test.each(ERRORS)(
      '#104 %s at each of its calls: refused, and nothing before it is harmed',
      async (code) => {
        let count = Infinity;
        let refused = 0;
        for (let k = 1; k <= count; k += 1) {
          const world = new FaultyDisk();
          const store = await prepared(world);
          world.calls = [];
          world.fault = (_, n) => (n === k ? code : undefined);
          const error = await outcomeOf(() => run(store));
          if (world.calls.length < k) count = 0;
          world.fault = () => undefined;

          if (error !== undefined) {
            refused += 1;
            expect(error).toBeInstanceOf(CheckpointError);
            expect((error as CheckpointError).code).toMatch(/^CHECKPOINT_(IO|FENCED)$/);
          }
          await store.close().catch(() => {});
          expect(await world.temporaries).toEqual([]);
          await expectIntact(world, operation);
        }
        // a short write is no failure, and is written on
        if (code === 'short write') expect(refused).toBe(0);
        else expect(refused).toBeGreaterThan(operation === 'append' ? 1 : 3);
      },
    );
  });

  test.each(ERRORS.filter((code) => code !== 'short write'))(
    '#104 %s at each call of open: refused as an I/O error, never taken for damage, and the next open finds all',
    async (code) => {
      let refused = 0;
      for (let k = 1, count = Infinity; k <= count; k += 1) {
        const world = new FaultyDisk();
        await (await prepared(world)).close();
        const store = world.store();
        world.calls = [];
        world.fault = (_, n) => (n === k ? code : undefined);
        const error = await outcomeOf(() => store.open());
        if (world.calls.length < k) count = 0;
        world.fault = () => undefined;

        if (error !== undefined) {
          refused += 1;
          expect(error).toMatchObject({ code: 'CHECKPOINT_IO' });
          expect(store.state).toBe('new');
        }
        await store.close();
        await expectIntact(world, 'open');
      }
      expect(refused).toBeGreaterThan(15);
    },
  );

  test('#105 a sync that failed is not tried again: what waits is rejected, what comes is refused', async () => {
    const world = new FaultyDisk();
    const store = await prepared(world);
    const causes: unknown[] = [];
    store.onFenced((cause) => causes.push(cause));
    let failed = 0;
    world.fault = ({ call }) => {
      if (call !== 'datasync' || failed > 0) return undefined;
      failed += 1;
      return 'EIO';
    };
    world.calls = [];

    const first = store.append(Buffer.from('first'));
    const same = store.append(Buffer.from('same batch'));
    await expect(first.durable).rejects.toMatchObject({ code: 'CHECKPOINT_FENCED' });
    await expect(same.durable).rejects.toMatchObject({ cause: { code: 'EIO' } });
    expect(() => store.append(Buffer.from('later'))).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_FENCED' }),
    );
    await expect(store.flush()).rejects.toMatchObject({ code: 'CHECKPOINT_FENCED' });

    expect(causes).toMatchObject([{ code: 'EIO' }]);
    expect(store.state).toBe('fenced');
    expect(world.calls.filter(({ call }) => call === 'datasync')).toHaveLength(1);
    expect((await store.list()).map(({ id }) => id)).toEqual(['kept', '1']);
    expect((await store.open()).sequence).toBeGreaterThanOrEqual(2);
    expect(store.state).toBe('open');
    await store.close();
  });

  test('#105 a sync of a snapshot that failed once fails that snapshot; the next is written anew', async () => {
    const world = new FaultyDisk();
    const store = await prepared(world);
    let failed = 0;
    world.fault = ({ call }) => {
      if (call !== 'sync') return undefined;
      failed += 1;
      return failed === 2 ? 'EIO' : undefined; // the first is that of the new segment
    };
    await expect(store.snapshot([part('state 2')])).rejects.toMatchObject({
      code: 'CHECKPOINT_IO',
    });
    expect(store.state).toBe('open');
    world.calls = [];
    await store.snapshot([part('state 3')]);
    expect(world.calls.filter(({ call }) => call === 'create')).not.toHaveLength(0);
    await store.close();
  });

  test('#105 a sync ahead of a large snapshot that failed fails it, though the last one would succeed', async () => {
    const world = new FaultyDisk();
    const store = await prepared(world);
    let ahead = 0;
    world.fault = ({ call, path }) => {
      if (call !== 'datasync' || !path.includes('tmp')) return undefined;
      ahead += 1;
      return ahead === 2 ? 'EIO' : undefined;
    };
    const large = { ...part(''), pieces: [Buffer.alloc(26 * 1024 * 1024, 1)] };
    await expect(store.snapshot([large])).rejects.toMatchObject({ cause: { code: 'EIO' } });
    expect(await world.temporaries).toEqual([]);
    expect((await store.list()).map(({ id }) => id)).toEqual(['kept', '1']);
    world.fault = () => undefined;
    expect((await store.snapshot([large])).bytes).toBe(26 * 1024 * 1024);
    await store.close();
  });

  test('on a full disk nothing is acknowledged, reading goes on, and space brings all back', async () => {
    const world = new FaultyDisk();
    const store = await prepared(world);
    world.fault = ({ call }) =>
      call === 'write' || call === 'create' || call === 'makeDirectory' ? 'ENOSPC' : undefined;

    await expect(store.snapshot([part('state 2')])).rejects.toThrow('ENOSPC');
    await expect(outcomeOf(() => store.append(Buffer.from('x')).durable)).resolves.toMatchObject({
      code: 'CHECKPOINT_FENCED',
    });
    expect((await store.list()).length).toBe(2);
    await store.read('1');
    await expect(store.open()).rejects.toMatchObject({ code: 'CHECKPOINT_IO' });
    world.fault = () => undefined;
    expect((await store.open()).sequence).toBe(2);
    await store.close();
    await expectIntact(world, 'full');
  });

  test('a state that does not read back as it was written is no checkpoint', async () => {
    const world = new FaultyDisk();
    const store = await prepared(world);
    let rotted = false;
    world.fault = ({ call, path }) => {
      if (call !== 'sync' || rotted || !path.includes('tmp')) return undefined;
      const bytes = world.disk.bytesOf(path);
      if (!bytes.toString('latin1').startsWith('BULWARK-STATE')) return undefined;
      bytes[bytes.length - 1]! ^= 4;
      rotted = true;
      return undefined;
    };
    await expect(store.snapshot([part('state 2')])).rejects.toThrow(/not read back as it was/);
    expect(rotted).toBe(true);
    expect((await store.list()).map(({ id }) => id)).toContain('1');
    expect(await world.temporaries).toEqual([]);
    await store.snapshot([part('state 3')]);
    await store.close();
    await expectIntact(world, 'snapshot');
  });

  // the pieces are written apart from their lengths, and read back with them
  test.each([0, 17, 500_000, 1_048_592, 1_048_600, 1_048_604, 2_000_000, -40_001, -1])(
    'nor is one of large pieces, whichever byte is another: %d',
    async (at) => {
      const world = new FaultyDisk();
      const store = await prepared(world);
      const pieces = [1_048_576, 3, 1_572_864, 0, 40_000].map((size) => Buffer.alloc(size, 'x'));
      let rotted = false;
      world.fault = ({ call, path }) => {
        if (call !== 'sync' || rotted || !path.includes('tmp')) return undefined;
        const bytes = world.disk.bytesOf(path);
        if (bytes.length < 2_000_000) return undefined;
        bytes[at < 0 ? bytes.length + at : at]! ^= 4;
        rotted = true;
        return undefined;
      };
      const large = (): Parameters<typeof store.snapshot>[0] => [
        { component: 'Large', meta: {}, pieces },
      ];

      await expect(store.snapshot(large())).rejects.toThrow(/not read back as it was/);
      expect(rotted).toBe(true);
      await store.snapshot(large());
      await store.close();
    },
  );

  test('when pruning fails the snapshot stands, and the next one prunes', async () => {
    const world = new FaultyDisk();
    const store = await prepared(world);
    world.fault = ({ call }) => (call === 'removeFile' ? 'EIO' : undefined);
    for (let i = 2; i <= 4; i += 1) await store.snapshot([part(`state ${i}`)]);
    const full = (await world.disk.list('/store')).length;
    world.fault = () => undefined;
    await store.snapshot([part('state 5')]);

    expect((await world.disk.list('/store')).length).toBeLessThan(full);
    expect(new Set((await store.list()).map(({ id }) => id))).toEqual(new Set(['5', '4', 'kept']));
    await store.close();
  });
});
