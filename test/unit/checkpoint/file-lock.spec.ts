import { basename } from 'node:path';
import { jest } from '@jest/globals';
import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import type { Machine, ProcessIdentity } from '../../../lib/checkpoint/stores/file/machine.js';
import { CrashFileSystem } from '../../../lib/testing/checkpoint/crash-file-system.js';
import { observeFileSystem } from '../../../lib/testing/checkpoint/observe-file-system.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { seededRandom } from '../../../lib/testing/seeded-random.js';

/** A few processes on one machine or several, and time. */
class World {
  readonly clock = new FakeClock();
  readonly fs = new CrashFileSystem(seededRandom(1));
  readonly alive = new Set<number>();

  store(
    identity: Partial<ProcessIdentity> & { pid: number },
    clock = this.clock,
  ): FileCheckpointStore {
    this.alive.add(identity.pid);
    const self = { host: 'a', boot: 'b1', pidNamespace: 'n1', started: 's', ...identity };
    const machine: Machine = {
      self,
      startOf: (pid) => (this.alive.has(pid) ? 's' : undefined),
      uptime: () => clock.now(),
    };
    return new FileCheckpointStore({ directory: '/store', fs: this.fs, clock, machine });
  }

  /** Lets time go by until a promise settles; answers how much that took. */
  async until<T>(promise: Promise<T>): Promise<{ after: number; result: PromiseSettledResult<T> }> {
    const start = this.clock.now();
    const results: PromiseSettledResult<T>[] = [];
    void Promise.allSettled([promise]).then((settled) => results.push(...settled));
    for (let i = 0; i < 200 && results.length === 0; i += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      await this.clock.advance(i < 20 ? 0 : 100);
    }
    return { after: this.clock.now() - start, result: results[0]! };
  }
}

const LOCKED = expect.objectContaining({ code: 'CHECKPOINT_LOCKED' }) as unknown;
const entry = (text: string): Buffer => Buffer.from(text);

describe('one owner for a directory', () => {
  test('#117 a second store is refused at once, and told who owns it', async () => {
    const world = new World();
    const first = world.store({ pid: 1 });
    await first.open();

    const refused = await world.store({ pid: 2 }).open().catch(String);
    expect(refused).toMatch(/\/store is in use by process 1 on a, last sign of life 2030-01-01T/);
    expect(world.clock.now()).toBe(1_000_000);
    await first.append(entry('a')).durable;
    await first.close();
  });

  test('#117 the lock of a contender that has lost may go away while the winner clears up', async () => {
    const world = new World();
    const loser = '/store/tmp-0123456789abcdef0123456789abcdef';
    const fs = observeFileSystem(world.fs, async ({ call, path }, proceed) => {
      if (call === 'info' && path === loser) await world.fs.removeFile(loser);
      return proceed();
    });
    const store = new FileCheckpointStore({ directory: '/store', fs, clock: world.clock });
    await world.fs.makeDirectory('/store');
    await (await world.fs.create(loser)).close();

    const { report } = await store.open();

    expect(report.removed).toEqual([]);
    expect(await world.fs.list('/store')).not.toContain(basename(loser));
    await store.close();
  });

  test('two stores of one process are refused too', async () => {
    const world = new World();
    const first = world.store({ pid: 1 });
    await first.open();

    await expect(world.store({ pid: 1 }).open()).rejects.toThrow('another store of this process');
    await first.close();
    const second = world.store({ pid: 1 });
    await second.open();
    await second.close();
  });

  test('#113 an owner whose lock is gone from the directory is fenced: another may be in its place', async () => {
    const world = new World();
    const store = world.store({ pid: 1 });
    const fenced: unknown[] = [];
    store.onFenced((cause) => fenced.push(cause));
    await store.open();
    await store.append(entry('a')).durable;
    const [lock] = (await world.fs.list('/store')).filter((name) => name.startsWith('lock-'));
    await world.fs.removeFile(`/store/${lock}`);

    await world.until(new Promise((resolve) => store.onFenced(resolve)));

    expect(world.clock.now()).toBeLessThanOrEqual(1_002_100);
    expect(String(fenced[0])).toMatch(
      /\/store is not ours any more: our lock is not in it any more/,
    );
    expect(() => store.append(entry('b'))).toThrow(/accepts nothing more/);
    await store.close();
  });

  test('the directory of a process that has ended is free at once', async () => {
    const world = new World();
    const first = world.store({ pid: 1 });
    await first.open();
    await first.append(entry('a')).durable;

    world.alive.delete(1);
    const { after, result } = await world.until(world.store({ pid: 2 }).open());

    expect(result).toMatchObject({ status: 'fulfilled', value: { sequence: 1 } });
    expect(after).toBe(0);
  });

  test('a later process with the number of one that has ended is not taken for it', async () => {
    const world = new World();
    await world.store({ pid: 1, started: 'earlier' }).open();

    const { after, result } = await world.until(world.store({ pid: 2 }).open());

    expect(result.status).toBe('fulfilled');
    expect(after).toBe(0);
  });

  test.each([
    ['another container', { pidNamespace: 'n2' }],
    ['another machine', { boot: 'b2', host: 'b' }],
  ])('from %s an owner is dead only after a lease without a sign of life', async (_, where) => {
    const world = new World();
    const first = world.store({ pid: 1 });
    await first.open();
    const alive = await world.until(world.store({ pid: 1, ...where }).open());
    expect(alive.result).toMatchObject({ status: 'rejected', reason: LOCKED });
    expect(alive.after).toBeLessThanOrEqual(2_500);

    world.fs.cutPower(); // its process is gone, and cannot write any more
    const fs = world.fs.afterKill();
    const later = Object.assign(world, { fs }).store({ pid: 1, ...where });
    const { after, result } = await world.until(later.open());

    expect(result.status).toBe('fulfilled');
    expect(after).toBeGreaterThanOrEqual(8_000);
    expect(after).toBeLessThanOrEqual(11_000);
    await later.close();
  });

  test('#118 an owner that was paused and taken over acknowledges nothing, and what it wrote never was', async () => {
    const world = new World();
    const pausedClock = new FakeClock();
    const paused = world.store({ pid: 1 }, pausedClock);
    await paused.open();
    await paused.append(entry('before')).durable;
    const fenced = jest.fn();
    paused.onFenced(fenced);

    await world.clock.advance(60_000); // it stands still
    const next = world.store({ pid: 2, pidNamespace: 'n2' });
    const { result } = await world.until(next.open());
    expect(result).toMatchObject({ status: 'fulfilled', value: { sequence: 1 } });
    pausedClock.jump(60_000); // its timers have not run yet

    const late = paused.append(entry('late'));
    await expect(late.durable).rejects.toMatchObject({
      code: 'CHECKPOINT_FENCED',
      cause: { code: 'CHECKPOINT_LOCKED' },
    });
    expect(paused.state).toBe('fenced');
    expect(fenced).toHaveBeenCalledTimes(1);
    await expect(paused.snapshot([])).rejects.toMatchObject({ code: 'CHECKPOINT_FENCED' });

    await next.append(entry('after')).durable;
    await next.close();
    const contents = await next.open();
    const entries: string[] = [];
    for await (const { entry } of contents.entries()) entries.push(Buffer.from(entry).toString());
    expect(entries).toEqual(['before', 'after']);
    expect(contents.report.tailTruncatedBytes).toBe(0);
    await next.close();
  });

  test('#118 a snapshot that was under way when its owner was taken over is not published', async () => {
    const world = new World();
    const pausedClock = new FakeClock();
    const paused = world.store({ pid: 1 }, pausedClock);
    await paused.open();
    await paused.append(entry('a')).durable;
    await world.clock.advance(60_000);
    const next = world.store({ pid: 2, pidNamespace: 'n2' });
    await world.until(next.open());
    pausedClock.jump(60_000);

    const part = { component: 'ledger', meta: {}, pieces: [entry('stale')] };
    await expect(paused.snapshot([part])).rejects.toThrow();
    await expect(paused.create('stale', [part])).rejects.toThrow();
    expect(await next.list()).toEqual([]);
    await next.close();
    expect((await next.open()).parts.size).toBe(0);
    await next.close();
  });

  test('an owner finds out by itself within a heartbeat', async () => {
    const world = new World();
    const pausedClock = new FakeClock();
    const paused = world.store({ pid: 1 }, pausedClock);
    await paused.open();
    await world.clock.advance(60_000);
    const next = world.store({ pid: 2, pidNamespace: 'n2' });
    await world.until(next.open());

    await pausedClock.advance(2_000);
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));

    expect(paused.state).toBe('fenced');
    await next.close();
  });

  test('an owner in good health is not asked again at each entry', async () => {
    const world = new World();
    const store = world.store({ pid: 1 });
    await store.open();
    const list = jest.spyOn(world.fs, 'list');
    for (let i = 0; i < 20; i += 1) await store.append(entry('x')).durable;
    expect(list).not.toHaveBeenCalled();
    await world.clock.advance(4_100);
    expect(list).toHaveBeenCalledTimes(2);
    await store.close();
    expect(world.clock.pending).toBe(0);
  });

  test('a fenced store gives the directory free, and can be opened again', async () => {
    const world = new World();
    const store = world.store({ pid: 1 });
    await store.open();
    await store.append(entry('kept')).durable;
    const create = jest.spyOn(world.fs, 'create').mockRejectedValue(new Error('EIO'));
    const snapshot = store.snapshot([], { barrier: true });
    await expect(snapshot).rejects.toThrow();
    create.mockRestore();
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(store.state).toBe('fenced');

    const other = world.store({ pid: 2 });
    expect((await other.open()).sequence).toBe(1);
    await other.close();
    expect((await store.open()).sequence).toBe(1);
    expect(store.state).toBe('open');
    await store.close();
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'of many that find a dead owner one wins, seed %i',
    async (seed) => {
      const world = new World();
      Object.assign(world, { fs: new CrashFileSystem(seededRandom(seed)) });
      await world.store({ pid: 1 }).open();
      world.alive.delete(1);

      const contenders = Array.from({ length: 8 }, (_, i) => world.store({ pid: 10 + i }));
      const results = await Promise.allSettled(contenders.map((store) => store.open()));

      const winners = contenders.filter(({ state }) => state === 'open');
      expect(winners).toHaveLength(1);
      for (const result of results.filter(({ status }) => status === 'rejected')) {
        expect(result).toMatchObject({ reason: LOCKED });
      }
      await winners[0]!.append(entry('mine')).durable;
      await winners[0]!.close();
    },
  );

  test('a lock that cannot be read is waited for, and then taken over', async () => {
    const world = new World();
    await world.store({ pid: 1 }, new FakeClock()).open();
    world.alive.delete(1);
    world.fs.bytesOf('/store/lock-0000000001').fill(0);

    const { after, result } = await world.until(world.store({ pid: 2 }).open());

    expect(result.status).toBe('fulfilled');
    expect(after).toBeGreaterThanOrEqual(10_000);
  });
});
