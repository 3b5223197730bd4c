import { DurableList } from '../../../lib/checkpoint/collections/durable-list.js';
import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import { attempt, run, World } from './world.js';

class Store {
  readonly values = new DurableMap<string, number>();
  readonly log = new DurableList<number>();
}

const bind = (world: World, name = 'store'): Store => world.bind(new Store(), { name });

describe('after a failed write', () => {
  it('calls that were on their way are not acknowledged, and the state is what is on disk', async () => {
    const world = await World.open();
    const store = bind(world);
    await run(store, () => void store.values.set('kept', 1));
    world.store.syncs = false;
    const lost = run(store, () => void store.values.set('lost', 1));
    await Promise.resolve();
    expect(store.values.get('lost')).toBe(1);
    world.store.fail();
    await expect(lost).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN', status: 503 });
    await world.clock.advance(0);
    expect([...store.values]).toEqual([['kept', 1]]);
    expect(world.typesOfEvents()).toEqual([
      'checkpoint-recovered',
      'store-fenced',
      'checkpoint-recovered',
    ]);
  });

  it('goes on from there', async () => {
    const world = await World.open();
    const store = bind(world);
    await world.engine.ready();
    world.store.fail();
    await world.clock.advance(0);
    await run(store, () => void store.values.set('a', 1));
    expect(store.values.get('a')).toBe(1);
  });

  it('refuses calls until the store can be opened, which is tried again', async () => {
    const world = await World.open();
    const store = bind(world);
    await world.engine.ready();
    world.store.breaksOpen = new Error('ENOSPC');
    world.store.fail();
    await world.clock.advance(0);
    expect(world.engine.state).toBe('fenced');
    await expect(run(store, () => 1)).rejects.toMatchObject({ code: 'CHECKPOINT_UNAVAILABLE' });
    world.store.breaksOpen = undefined;
    await world.clock.advance(1_000);
    expect(world.engine.state).toBe('open');
    expect(await run(store, () => 1)).toBe(1);
  });

  it('a store that fails again while its state is taken over is opened once more', async () => {
    const world = await World.open();
    const store = bind(world);
    await world.engine.ready();
    world.store.fail();
    while (world.store.state !== 'open') await Promise.resolve();
    expect(world.engine.state).toBe('fenced');
    world.store.fail();
    await world.clock.advance(1_000);
    expect([world.engine.state, world.store.state]).toEqual(['open', 'open']);
    await run(store, () => void store.values.set('a', 1));
    expect(store.values.get('a')).toBe(1);
  });

  it('running calls and those in line are sent away', async () => {
    const world = await World.open();
    const store = bind(world);
    let goOn!: () => void;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const running = run(store, async () => {
      store.values.set('a', 1);
      await gate;
      store.values.set('b', 1);
    });
    const waiting = run(store, () => void store.values.set('c', 1));
    world.store.breaksOpen = new Error('ENOSPC');
    world.store.fail();
    await expect(running).rejects.toMatchObject({ code: 'CHECKPOINT_UNAVAILABLE' });
    await expect(waiting).rejects.toMatchObject({ code: 'CHECKPOINT_UNAVAILABLE' });
    goOn();
    world.store.breaksOpen = undefined;
    await world.clock.advance(1_000);
    expect([...store.values]).toEqual([]);
  });
});

describe('a restore', () => {
  it('puts everything back, and can be undone', async () => {
    const world = await World.open();
    const store = bind(world);
    const other = bind(world, 'other');
    await run(store, () => void store.values.set('a', 1));
    await run(other, () => void other.log.push(1));
    await world.engine.create('before');
    await run(store, () => void store.values.set('a', 2).set('b', 2));
    await run(other, () => void other.log.push(2));
    await world.engine.restore('before');
    expect([[...store.values], [...other.log]]).toEqual([[['a', 1]], [1]]);
    const [, undo] = (await world.engine.list()).filter(({ named }) => !named);
    await world.engine.restore(undo!.id);
    expect([[...store.values], [...other.log]]).toEqual([
      [
        ['a', 2],
        ['b', 2],
      ],
      [1, 2],
    ]);
  });

  it('is there after a restart, with what came after it', async () => {
    const world = await World.open();
    const store = bind(world);
    await run(store, () => void store.values.set('a', 1));
    await world.engine.create('before');
    await run(store, () => void store.values.set('a', 2));
    await world.engine.restore('before');
    await run(store, () => void store.values.update('a', (a) => (a ?? 0) + 10));
    expect([...bind(await world.restart()).values]).toEqual([['a', 11]]);
  });

  it('of one component leaves the others as they are', async () => {
    const world = await World.open();
    const store = bind(world);
    const other = bind(world, 'other');
    await world.engine.create('empty');
    await run(store, () => void store.values.set('a', 1));
    await run(other, () => void other.values.set('a', 1));
    await world.engine.restore('empty', 'store');
    expect([store.values.size, other.values.size]).toEqual([0, 1]);
    const again = await world.restart();
    expect([bind(again).values.size, bind(again, 'other').values.size]).toEqual([0, 1]);
  });

  it('calls off what is running', async () => {
    const world = await World.open();
    const store = bind(world);
    await world.engine.create('empty');
    let goOn!: () => void;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const running = run(store, async () => {
      await gate;
      store.values.set('a', 1);
    });
    const restored = world.engine.restore('empty');
    await expect(running).rejects.toMatchObject({ code: 'CHECKPOINT_UNAVAILABLE' });
    goOn();
    await restored;
    expect(store.values.size).toBe(0);
    await run(store, () => void store.values.set('b', 1));
    expect(store.values.size).toBe(1);
  });

  it('#122 that fails leaves everything as it was', async () => {
    const world = await World.open();
    const store = bind(world);
    await world.engine.create('empty');
    await run(store, () => void store.values.set('a', 1));
    await world.engine.save();
    const { length } = world.store.disk.generations;
    world.store.breaksSnapshots = new Error('ENOSPC');
    await expect(world.engine.restore('empty')).rejects.toThrow('ENOSPC');
    await expect(world.engine.restore('nothing')).rejects.toMatchObject({
      code: 'CHECKPOINT_UNKNOWN',
    });
    await expect(world.engine.restore('empty', 'nobody')).rejects.toThrow(
      /no component nobody; known are store/,
    );
    world.store.breaksSnapshots = undefined;
    expect([...store.values]).toEqual([['a', 1]]);
    expect(world.store.disk.generations).toHaveLength(length);
    await run(store, () => void store.values.set('b', 1));
    expect([...bind(await world.restart()).values.keys()]).toEqual(['a', 'b']);
  });
});

describe('the end of an application', () => {
  it('lets calls end, saves, and refuses new ones', async () => {
    const world = await World.open();
    const store = bind(world);
    let goOn!: () => void;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const running = run(store, async () => {
      await gate;
      store.values.set('a', 1);
    });
    const closed = world.engine.close();
    await expect(run(store, () => 1)).rejects.toThrow(/shutting down/);
    goOn();
    await Promise.all([running, closed]);
    expect(world.store.state).toBe('closed');
    expect(world.store.disk.generations).toHaveLength(1);
    expect([...bind(await world.restart()).values]).toEqual([['a', 1]]);
  });

  it('does not wait for ever', async () => {
    const world = await World.open();
    const store = bind(world);
    const hanging = attempt(store, () => new Promise(() => {}));
    const closed = world.engine.close();
    await world.clock.advance(5_000);
    await expect(hanging.result).rejects.toMatchObject({ code: 'CHECKPOINT_UNAVAILABLE' });
    await closed;
  });
});

describe('at the start', () => {
  it('state that no component claims is refused', async () => {
    const world = await World.open();
    const store = bind(world);
    await run(store, () => void store.values.set('a', 1));
    const again = await world.restart();
    await expect(again.engine.ready()).rejects.toThrow(/has state of store, and no component/);
  });

  it('a field that the class has no more is refused', async () => {
    const world = await World.open();
    const store = bind(world);
    await run(store, () => void store.log.push(1));
    const again = await world.restart();
    class Smaller {
      readonly values = new DurableMap<string, number>();
    }
    expect(() => again.bind(new Smaller(), { name: 'store' })).toThrow(/has a field log on disk/);
  });

  it('a damaged state starts only as the component says', async () => {
    const world = await World.open();
    const store = bind(world);
    await run(store, () => void store.values.set('a', 1));
    await world.engine.save();
    world.store.disk.rotten.add('store');
    const refused = await world.restart();
    expect(() => bind(refused)).toThrow(
      /no saved state of component store can be used \(checksum\)/,
    );
    const empty = await world.restart();
    const fresh = empty.bind(new Store(), { name: 'store', startEmpty: true });
    expect(fresh.values.size).toBe(0);
    const rebuilding = await world.restart();
    const rebuilt = rebuilding.bind(new Store(), {
      name: 'store',
      rebuild: async () => ({ values: new Map([['a', 7]]), log: [] }),
    });
    const early = run(rebuilt, () => rebuilt.values.get('a'));
    await rebuilding.engine.ready();
    expect([await early, [...rebuilt.values]]).toEqual([7, [['a', 7]]]);
    expect(rebuilding.store.disk.generations.length).toBe(2);
  });
});

describe('a new version', () => {
  it('migrates the state once', async () => {
    const world = await World.open();
    const store = bind(world);
    await run(store, () => void store.values.set('a', 1).set('b', 2));
    const options = {
      name: 'store',
      version: 2,
      migrate: ({ values, log }: { values: Map<string, number>; log: number[] }, from: number) => ({
        values: new Map([...values].map(([key, value]) => [key, value * 100])),
        log: [...log, from],
      }),
    } as const;
    const second = await world.restart();
    const migrated = second.bind(new Store(), options as never);
    expect([[...migrated.values], [...migrated.log]]).toEqual([
      [
        ['a', 100],
        ['b', 200],
      ],
      [1],
    ]);
    await second.engine.ready();
    const third = (await second.restart()).bind(new Store(), options as never);
    expect([...third.values.values()]).toEqual([100, 200]);
  });

  it('needs a migration, and older code refuses it', async () => {
    const world = await World.open();
    const store = world.bind(new Store(), { name: 'store', version: 2 });
    await run(store, () => void store.values.set('a', 1));
    await world.engine.save();
    const older = await world.restart();
    expect(() => bind(older)).toThrow(/kept in version 2, and this code has 1/);
    const newer = await world.restart();
    expect(() => newer.bind(new Store(), { name: 'store', version: 3 })).toThrow(
      /give @CheckpointComponent a migrate/,
    );
  });
});
