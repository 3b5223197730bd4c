import { setImmediate as turn } from 'node:timers/promises';
import type { Durability } from '../../../lib/checkpoint/durability.js';
import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import type { FileSystem } from '../../../lib/checkpoint/stores/file/file-system.js';
import type { Clock } from '../../../lib/kernel/clock.js';
import { CrashFileSystem } from '../../../lib/testing/checkpoint/crash-file-system.js';
import {
  type FileCall,
  observeFileSystem,
} from '../../../lib/testing/checkpoint/observe-file-system.js';
import { seededRandom } from '../../../lib/testing/seeded-random.js';
import { FakeMachine } from '../../crash/support.js';

const entry = (text: string): Buffer => Buffer.from(text);
const FENCED = expect.objectContaining({ code: 'CHECKPOINT_FENCED' }) as unknown;
type Gate = (call: FileCall) => Promise<unknown> | undefined;

/** A store, its disk, and a clock that goes on when a caller or the disk says so. */
class World {
  now = 0;
  readonly disk: CrashFileSystem;
  private readonly machine = new FakeMachine();
  /** What a call to the disk waits for. */
  gate: Gate = () => undefined;
  /** Syncs of the journal that are under way, and the most that ever were. */
  syncing = 0;
  most = 0;
  sideBySide = true;
  readonly calls: string[] = [];
  readonly acked: number[] = [];

  constructor(seed = 1) {
    this.disk = new CrashFileSystem(seededRandom(seed));
  }

  /** Of a new process, the only one that runs. */
  store(durability: Durability = 'sync', disk = this.disk): FileCheckpointStore {
    const { machine } = this;
    machine.restart();
    const clock: Clock = { now: () => this.now, epoch: () => 0, schedule: () => () => {} };
    const create: FileSystem['create'] = async (path, options) => ({
      ...(await disk.create(path, options)),
      sideBySide: this.sideBySide,
    });
    // what it has on its prototype is not copied
    const one: FileSystem = Object.assign(Object.create(disk) as FileSystem, { create });
    const fs = observeFileSystem(one, async (call, proceed) => {
      this.calls.push(call.call);
      if (call.call === 'datasync') this.most = Math.max(this.most, (this.syncing += 1));
      try {
        await this.gate(call);
        return await proceed();
      } finally {
        if (call.call === 'datasync') this.syncing -= 1;
      }
    });
    return new FileCheckpointStore({ directory: '/store', fs, clock, machine, durability });
  }

  /** As many callers, each with one entry after another, who take so long in between. */
  async callers(store: FileCheckpointStore, count: number, thinking: number): Promise<void> {
    const caller = async (): Promise<void> => {
      for (let i = 0; i < 10; i += 1) {
        await this.append(store, 'work');
        this.now += thinking;
      }
    };
    await Promise.all(Array.from({ length: count }, caller));
  }

  async append(store: FileCheckpointStore, text: string): Promise<void> {
    const { sequence, durable } = store.append(entry(text));
    await durable;
    this.acked.push(sequence);
  }

  /** A store that may have two batches under way, with one or two entries under way each by itself. */
  async twoUnderWay(
    gate: Gate,
    texts = ['first', 'second'],
  ): Promise<{ store: FileCheckpointStore; both: Promise<unknown>[] }> {
    const store = this.store();
    await store.open();
    await this.callers(store, 8, 1);
    this.acked.length = 0;
    this.calls.length = 0;
    this.gate = gate;
    const both = [];
    for (const text of texts) {
      both.push(this.append(store, text));
      both.at(-1)!.catch(() => {});
      for (let i = 0; i < 5; i += 1) await turn();
    }
    return { store, both };
  }
}

/** Resolves when it is told to. */
function held(): { readonly until: Promise<void>; readonly free: () => void } {
  let free!: () => void;
  const until = new Promise<void>((resolve) => (free = resolve));
  return { until, free };
}

/** Holds the first call of a kind up. */
const firstOf = (kind: FileCall['call'], until: Promise<void>): Gate => {
  let count = 0;
  return ({ call }) => (call === kind && (count += 1) === 1 ? until : undefined);
};

describe('two batches of a journal under way at once', () => {
  test.each([
    ['callers that take longer than the disk', { thinking: 1, disk: 0, most: 2 }],
    ['a disk that takes longer than the callers', { thinking: 0, disk: 1, most: 1 }],
  ])('#103 %s: at most so many at once, all in order, nothing lost', async (_, about) => {
    const world = new World();
    const store = world.store();
    await store.open();
    world.gate = async ({ call }) => {
      if (call === 'datasync') world.now += about.disk;
      await turn();
    };

    await world.callers(store, 9, about.thinking);
    await store.close();

    expect(world.most).toBe(about.most);
    expect(world.acked).toEqual(Array.from({ length: 90 }, (_, i) => i + 1));
    const { sequence } = await world.store('sync', world.disk.restart()).open();
    expect(sequence).toBe(90);
  });

  test.each<Durability>(['manual', { interval: 50 }])(
    'where entries are not synced one is written after another (%j)',
    async (durability) => {
      const world = new World();
      const store = world.store(durability);
      await store.open();
      let writing = 0;
      let most = 0;
      world.gate = async ({ call }) => {
        if (call !== 'write') return;
        most = Math.max(most, (writing += 1));
        await turn();
        writing -= 1;
      };

      await world.callers(store, 8, 1);

      expect(most).toBe(1);
      await store.close();
    },
  );

  test('#103 the second is not acknowledged before the first, though it is on the disk', async () => {
    const world = new World();
    const { until, free } = held();
    const { store, both } = await world.twoUnderWay(firstOf('datasync', until));

    expect(world.calls.filter((call) => call === 'datasync')).toHaveLength(2);
    expect(world.syncing).toBe(1);
    expect(world.acked).toEqual([]);
    free();
    await Promise.all(both);
    expect(world.acked).toEqual([81, 82]);
    await store.close();
  });

  test.each([1, 2, 3, 4, 5])(
    '#103 the second on the disk without the first is no damage, and was not acknowledged (seed %i)',
    async (seed) => {
      const world = new World(seed);
      const { until } = held();
      await world.twoUnderWay(firstOf('write', until));

      expect(world.syncing).toBe(0);
      expect(world.acked).toEqual([]);
      const disk = world.disk.restart();
      const later = world.store('sync', disk);
      const { sequence, report, entries } = await later.open();
      expect(sequence).toBe(80);
      expect(report.tailTruncatedBytes).toBeGreaterThan(0);
      for await (const { entry } of entries()) expect(String(entry)).toBe('work');
      await later.append(entry('after')).durable;
      await later.close();
      expect((await world.store('sync', disk.restart()).open()).sequence).toBe(81);
    },
  );

  test('#105 when the first fails the second is refused too, and nothing is written after', async () => {
    const world = new World();
    const { until, free } = held();
    let count = 0;
    const { store, both } = await world.twoUnderWay(async ({ call }) => {
      if (call !== 'datasync' || (count += 1) !== 1) return;
      await until;
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    });

    free();
    expect(await Promise.allSettled(both)).toEqual([
      { status: 'rejected', reason: FENCED },
      { status: 'rejected', reason: FENCED },
    ]);
    expect(() => store.append(entry('third'))).toThrow('accepts nothing more');
    expect(world.acked).toEqual([]);
    await store.close();
  });

  test('#105 when the second fails the first is acknowledged all the same', async () => {
    const world = new World();
    const { until, free } = held();
    let count = 0;
    const { store, both } = await world.twoUnderWay(async ({ call }) => {
      if (call !== 'datasync') return;
      if ((count += 1) === 1) return until;
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    });

    free();
    const ends = await Promise.allSettled(both);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await store.close();
  });

  test('#105 a file that cannot tell which of two writes has failed has one at a time', async () => {
    const world = new World();
    world.sideBySide = false;
    const store = world.store();
    await store.open();
    world.gate = async ({ call }) => (call === 'datasync' ? turn() : undefined);

    await world.callers(store, 8, 1);

    expect(world.most).toBe(1);
    await store.close();
  });

  test('a flush has nothing beside it', async () => {
    const world = new World();
    const { until, free } = held();
    const { store, both } = await world.twoUnderWay(firstOf('datasync', until), ['first']);
    const flushed = store.flush();
    const behind = world.append(store, 'behind it');
    for (let i = 0; i < 5; i += 1) await turn();

    expect(world.calls.filter((call) => call === 'datasync')).toHaveLength(1);
    free();
    await Promise.all([...both, flushed, behind]);
    await store.close();
  });

  test('a checkpoint waits for both', async () => {
    const world = new World();
    const { until, free } = held();
    const { store, both } = await world.twoUnderWay(firstOf('datasync', until));
    const saved = store.snapshot([{ component: 'a', meta: {}, pieces: [entry('state')] }]);
    const appended = world.append(store, 'third');
    for (let i = 0; i < 20; i += 1) await turn();

    // its state may be written meanwhile; no segment is begun
    expect(world.calls.filter((call) => call === 'datasync')).toHaveLength(2);
    free();
    await Promise.all([...both, saved, appended]);
    expect(world.acked).toEqual([81, 82, 83]);
    await store.close();
    const { sequence, parts } = await world.store('sync', world.disk.restart()).open();
    expect(sequence).toBe(83);
    expect(parts.get('a')?.sequence).toBe(82);
  });
});
