// The engine under attack: code that throws or hangs, and everything at the same time.
import { AsyncLocalStorage } from 'node:async_hooks';
import { DurableList } from '../../../lib/checkpoint/collections/durable-list.js';
import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import { claimOf } from '../../../lib/checkpoint/component/claims.js';
import { CheckpointCall } from '../../../lib/checkpoint/transaction/checkpoint-call.js';
import { CheckpointEngine } from '../../../lib/checkpoint/engine/checkpoint-engine.js';
import { MemoryCheckpointStore } from '../../../lib/checkpoint/stores/memory-checkpoint-store.js';
import { FakeClock, settle } from '../../../lib/testing/fake-clock.js';
import { attempt, gate, run, World } from './world.js';

class Store {
  readonly values = new DurableMap<string, number>();
}

/** State that is changed in place, with functions that fail as the test says. */
class Counter {
  state = { count: 0 };
  capture: () => unknown = () => this.state;
  restore: (state: { count: number }) => void | Promise<void> = (state) => {
    this.state = state;
  };

  captureState(): unknown {
    return this.capture();
  }

  restoreState(state: never): void | Promise<void> {
    return this.restore(state);
  }

  applyEntry(by: number): void {
    this.state.count += by;
  }

  add(by: number): number {
    this.state.count += by;
    return by;
  }
}

const journaled = { rollback: true, journal: (result: number) => result } as never;
const named = { idempotencyKey: (id: string) => id } as never;

const bind = (world: World, name = 'store', more: object = {}): Store =>
  world.bind(new Store(), { name, ...more });
const bindCounter = (world: World, more: object = {}): Counter =>
  world.bind(new Counter(), { name: 'counter', ...more });

describe('captureState that throws', () => {
  it('fails a save, and the component goes on', async () => {
    const world = await World.open();
    const counter = bindCounter(world, { serial: false });
    const hold = gate();
    const running = run(counter, async () => {
      await hold.wait;
      counter.add(1);
    });
    counter.capture = () => {
      throw new Error('cannot');
    };
    const saved = [world.engine.save(), world.engine.create('named')];
    hold.open();
    await running;
    for (const save of saved) await expect(save).rejects.toThrow('cannot');
    expect(await run(counter, () => 'on it goes')).toBe('on it goes');
  });

  it('is not asked again at once by a save that was due', async () => {
    const world = await World.open();
    const store = bind(world, 'store', { snapshot: { calls: 2 } });
    const counter = bindCounter(world);
    let asked = 0;
    counter.capture = () => {
      asked += 1;
      if (asked > 50) throw new Error('again and again');
      throw new Error('cannot');
    };
    for (let i = 0; i < 5; i += 1) await run(store, () => void store.values.set('a', i));
    await world.clock.advance(0);
    expect(asked).toBeLessThanOrEqual(4);
    counter.capture = () => counter.state;
    for (let i = 0; i < 2; i += 1) await run(store, () => void store.values.set('a', 9));
    await world.clock.advance(0);
    expect(world.store.disk.generations.length).toBeGreaterThan(0);
  });

  it('before a call refuses that call, and the next has its turn', async () => {
    const world = await World.open();
    const counter = bindCounter(world);
    counter.capture = () => {
      throw new Error('cannot');
    };
    await expect(run(counter, () => counter.add(1), journaled)).rejects.toThrow('cannot');
    counter.capture = () => counter.state;
    expect(await run(counter, () => counter.add(2), journaled)).toBe(2);
    expect(counter.state.count).toBe(2);
  });
});

describe('a component that never came to rest', () => {
  it('is no part of the next save as if it had been saved', async () => {
    const world = await World.open();
    const counter = bindCounter(world, { serial: false });
    const hold = gate();
    const running = run(counter, () => hold.wait);
    for (let i = 0; i < 2; i += 1) {
      const saved = world.engine.save();
      await world.clock.advance(1_000);
      expect((await saved).components).toEqual([]);
    }
    hold.open();
    await running;
    expect((await world.engine.save()).components).toHaveLength(1);
  });

  it('stays as it was saved, though a save fails meanwhile', async () => {
    const world = await World.open();
    const counter = bindCounter(world, { serial: false });
    counter.state.count = 7;
    await world.engine.save();
    void run(counter, () => new Promise(() => {}));
    const save = async (): Promise<unknown> => {
      const saved = world.engine.save();
      const settled = Promise.allSettled([saved]);
      await world.clock.advance(1_000);
      return settled;
    };
    world.store.breaksSnapshots = new Error('ENOSPC');
    await save();
    world.store.breaksSnapshots = undefined;
    await save();
    expect(bindCounter(await world.restart()).state.count).toBe(7);
  });
});

describe('a rollback', () => {
  const fails = (counter: Counter): Promise<unknown> =>
    run(
      counter,
      () => {
        counter.add(5);
        throw new Error('no');
      },
      journaled,
    );

  it('that takes time is over before the next call begins', async () => {
    const world = await World.open();
    const counter = bindCounter(world);
    const hold = gate();
    counter.restore = async (state) => {
      await hold.wait;
      counter.state = state;
    };
    await expect(fails(counter)).rejects.toThrow('no');
    const next = run(counter, () => counter.state.count, journaled);
    await settle();
    hold.open();
    expect(await next).toBe(0);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('cannot');
      },
    ],
    ['rejects', () => Promise.reject(new Error('cannot'))],
  ] as const)('that %s: the state comes from the disk', async (_, restore) => {
    const world = await World.open();
    const counter = bindCounter(world);
    await world.engine.ready();
    await run(counter, () => counter.add(1), journaled);
    await world.engine.save();
    await run(counter, () => counter.add(10), journaled);
    const good = counter.restore;
    counter.restore = restore;
    await expect(fails(counter)).rejects.toThrow('no');
    await settle();
    await expect(run(counter, () => 1)).rejects.toMatchObject({ code: 'CHECKPOINT_UNAVAILABLE' });
    expect(world.typesOfEvents()).toContain('store-fenced');
    counter.restore = good;
    await world.clock.advance(10_000);
    expect(await run(counter, () => counter.state.count)).toBe(11);
  });

  it('of a joined call is over before the call around it goes on', async () => {
    const world = await World.open();
    const counter = bindCounter(world);
    const good = counter.restore;
    counter.restore = async (state) => {
      await settle();
      await good(state);
    };
    const seen: number[] = [];
    const outer = run(
      counter,
      async () => {
        counter.add(1);
        await fails(counter).catch(() => {});
        seen.push(counter.state.count);
        return 1;
      },
      journaled,
    );
    await outer;
    expect([seen, counter.state.count]).toEqual([[1], 1]);
  });
});

describe('calls that wait for each other', () => {
  it('in two circles at once: both are broken', async () => {
    const world = await World.open();
    const [a, b, c] = [bind(world, 'a'), bind(world, 'b'), bind(world, 'c')];
    const [first, second] = [gate(), gate()];
    const older = run(a, async () => {
      await run(b, () => 1);
      first.open();
      await second.wait;
      await run(c, () => 1);
    });
    const younger = run(c, async () => {
      await first.wait;
      const both = Promise.allSettled([run(a, () => 1), run(b, () => 1)]);
      second.open();
      return both;
    });
    await older;
    expect(await younger).toMatchObject([
      { reason: { code: 'COMPONENT_DEADLOCK' } },
      { reason: { code: 'COMPONENT_DEADLOCK' } },
    ]);
  });

  it('in a circle that closes when a turn is given', async () => {
    const world = await World.open();
    const [a, d, e] = [bind(world, 'a'), bind(world, 'd'), bind(world, 'e')];
    const [holds, ready] = [gate(), gate()];
    const one = run(a, () => holds.wait);
    const two = run(d, async () => {
      await ready.wait;
      await run(a, () => 1);
    });
    const three = run(e, async () => {
      const both = Promise.allSettled([run(a, () => 1), run(d, () => 1)]);
      ready.open();
      return both;
    });
    await settle();
    holds.open();
    await Promise.all([one, two]);
    expect(await three).toMatchObject([
      { status: 'fulfilled' },
      { reason: { code: 'COMPONENT_DEADLOCK' } },
    ]);
  });

  it('a victim that catches it and goes on is kept without it', async () => {
    const world = await World.open();
    const [a, b] = [bind(world, 'a'), bind(world, 'b')];
    const [hasA, hasB] = [gate(), gate()];
    const older = run(a, async () => {
      hasA.open();
      await hasB.wait;
      await run(b, () => void b.values.set('older', 1));
    });
    const younger = run(b, async () => {
      hasB.open();
      await hasA.wait;
      b.values.set('younger', 1);
      await run(a, () => void a.values.set('younger', 1)).catch(() => {});
    });
    await Promise.all([older, younger]);
    expect([[...a.values.keys()], [...b.values.keys()]]).toEqual([[], ['younger', 'older']]);
  });
});

describe('a call that has its turn and has not begun', () => {
  it.each(['restore', 'fence', 'close'])('is refused by a %s', async (what) => {
    const world = await World.open();
    const store = bind(world);
    await world.engine.ready();
    await world.engine.create('empty');
    // as the pipeline does: the turn is a promise, and the method begins in a later microtask
    const facts = { target: 'x', options: {}, args: [], committed: () => {} };
    const late = new CheckpointCall({ ...claimOf(store)!, ...facts });
    expect(
      late.enter(
        () => {},
        () => {},
      ),
    ).toBe(true);
    const ended =
      what === 'restore'
        ? world.engine.restore('empty')
        : what === 'close'
          ? world.engine.close()
          : Promise.resolve(world.store.fail());
    while (world.engine.state === 'open') await Promise.resolve();
    const begun = late.run(() => void store.values.set('lost', 1));
    await expect(begun).rejects.toMatchObject({ code: 'CHECKPOINT_UNAVAILABLE' });
    await ended;
    expect(store.values.size).toBe(0);
  });
});

describe('the same key', () => {
  it('twice in one call around them: carried out once', async () => {
    const world = await World.open();
    const store = bind(world);
    let times = 0;
    const pay = (): Promise<number> => run(store, () => (times += 1), named, ['p1']);
    expect(await run(store, async () => [await pay(), await pay()])).toEqual([1, 1]);
    expect(await pay()).toBe(1);
  });

  it('side by side in one call: nothing is kept', async () => {
    const world = await World.open();
    const store = bind(world);
    const pay = (): Promise<void> =>
      run(store, async () => void store.values.update('sum', (s) => (s ?? 0) + 1), named, ['p1']);
    const outer = run(store, () => Promise.all([pay(), pay()]));
    await expect(outer).rejects.toThrow(/same idempotencyKey side by side/);
    expect(store.values.size).toBe(0);
  });

  it('of a call that a restore took back is free again', async () => {
    const world = await World.open();
    const store = bind(world);
    await world.engine.create('before');
    expect(await run(store, () => 'first', named, ['p1'])).toBe('first');
    await world.engine.restore('before');
    expect(await run(store, () => 'second', named, ['p1'])).toBe('second');
  });

  it('in another method is another', async () => {
    const world = await World.open();
    const store = bind(world);
    await attempt(store, () => 'pay', named, ['p1'], 'Store.pay').result;
    expect(await attempt(store, () => 'refund', named, ['p1'], 'Store.refund').result).toBe(
      'refund',
    );
  });

  it.each([[1], [undefined], [{}], ['']])('%p is none, and the next has its turn', async (key) => {
    const world = await World.open();
    const store = bind(world);
    await expect(run(store, () => 1, named, [key])).rejects.toThrow(/expected a string/);
    expect(await run(store, () => 2)).toBe(2);
  });

  it('the last 10,000 are known, and no more', async () => {
    const world = await World.open(undefined, { verify: false });
    const store = bind(world);
    const calls = Array.from({ length: 10_001 }, (_, i) => `k${i}`);
    for (const key of calls) await run(store, () => key, named, [key]);
    const { answers } = world.engine.components.get('store')!;
    expect(answers.entries()).toHaveLength(10_000);
    expect(await run(store, () => 'anew', named, ['k1'])).toBe('k1');
    expect(await run(store, () => 'anew', named, ['k0'])).toBe('anew');
  });
});

describe('a save, a restore and a fence at the same time', () => {
  const slowly = async (world: World): Promise<{ counter: Counter; store: Store; go(): void }> => {
    const [store, counter] = [bind(world), bindCounter(world, { dependsOn: ['store'] })];
    await world.engine.ready();
    await run(store, () => void store.values.set('a', 1));
    await world.engine.create('before');
    await run(store, () => void store.values.set('a', 2));
    await run(counter, () => counter.add(2), journaled);
    const good = counter.restore;
    const hold = gate();
    counter.restore = async (state) => {
      await hold.wait;
      await good(state);
    };
    return { counter, store, go: () => hold.open() };
  };

  it('no save has half of a restore', async () => {
    const world = await World.open();
    const { store, go } = await slowly(world);
    const restored = world.engine.restore('before');
    await settle();
    const saved = world.engine.save();
    await settle();
    const crashed = await world.restart();
    expect(bind(crashed).values.get('a')).toBe(2);
    expect(bindCounter(crashed).state.count).toBe(2);
    go();
    await Promise.all([restored, saved]);
    expect(store.values.get('a')).toBe(1);
  });

  it('a fence in the middle of a restore ends in what is on disk', async () => {
    const world = await World.open();
    const { store, counter, go } = await slowly(world);
    const restored = world.engine.restore('before');
    const failed = expect(restored).rejects.toMatchObject({ code: 'CHECKPOINT_UNAVAILABLE' });
    await settle();
    world.store.fail();
    await settle();
    expect(world.engine.state).toBe('fenced');
    go();
    await failed;
    await world.clock.advance(0);
    expect([world.engine.state, store.values.get('a'), counter.state.count]).toEqual([
      'open',
      2,
      2,
    ]);
    await run(store, () => void store.values.set('a', 3));
    expect(store.values.get('a')).toBe(3);
  });

  it('two restores: one is refused, and the other is whole', async () => {
    const world = await World.open();
    const { store, go } = await slowly(world);
    const first = world.engine.restore('before');
    await settle();
    await expect(world.engine.restore('before')).rejects.toThrow(/being restored/);
    go();
    await first;
    expect(store.values.get('a')).toBe(1);
  });

  it('the end of the application waits for what is being created', async () => {
    const world = await World.open();
    const store = bind(world);
    await run(store, () => void store.values.set('a', 1));
    const created = world.engine.create('last');
    const closed = world.engine.close();
    await Promise.all([created, closed]);
    expect(world.store.disk.named.has('last')).toBe(true);
  });

  it('a fence while it closes does not keep it from its end', async () => {
    const world = await World.open();
    const store = bind(world);
    const hanging = run(store, () => new Promise(() => {}));
    const closed = world.engine.close();
    world.store.fail();
    await expect(hanging).rejects.toMatchObject({ code: 'CHECKPOINT_UNAVAILABLE' });
    await world.clock.advance(10_000);
    await closed;
    expect([world.engine.state, world.clock.pending]).toEqual(['closed', 0]);
  });
});

describe('the start', () => {
  it('fails with the store, rather than without what a component begins with', async () => {
    class Genesis {
      readonly blocks = new DurableList([{ height: 0 }]);
    }
    const world = await World.open();
    world.store.syncs = false;
    const genesis = world.bind(new Genesis(), { name: 'chain' });
    world.store.fail();
    await world.clock.advance(60_000);
    await expect(world.engine.ready()).rejects.toThrow(/failed while the application started/);
    expect(genesis.blocks.length).toBe(1);
  });

  it('takes more to begin with than an entry of the journal can have', async () => {
    class Big {
      readonly rows = new DurableList(
        Array.from({ length: 30 }, (_, i) => `${i}`.padEnd(1024 * 1024, 'x')),
      );
    }
    const world = await World.open(undefined, { verify: false });
    world.bind(new Big(), { name: 'big' });
    await world.engine.ready();
    expect(Math.max(0, ...world.store.disk.entries.map(({ length }) => length))).toBeLessThan(
      2 ** 21,
    );
    class Small {
      readonly rows = new DurableList<string>();
    }
    const again = (await world.restart({ verify: false })).bind(new Small(), { name: 'big' });
    expect(again.rows.length).toBe(30);
  });

  it('refuses names that differ in their case only', async () => {
    const world = await World.open();
    bind(world, 'Ledger');
    expect(() => bind(world, 'ledger')).toThrow(/got "ledger" beside "Ledger"/);
  });

  it('refuses dependencies on nobody, and in a circle', async () => {
    const world = await World.open();
    bind(world, 'a', { dependsOn: ['b'] });
    bind(world, 'b', { dependsOn: ['a', 'nobody'] });
    await expect(world.engine.ready()).rejects.toThrow(/component a dependsOn: leads back/);
    await expect(world.engine.ready()).rejects.toThrow(/got "nobody", expected names/);
  });
});

it('what was journaled before a restart is in the next save, though nothing has changed since', async () => {
  const store = new MemoryCheckpointStore();
  const start = async (): Promise<{ engine: CheckpointEngine; one: Store }> => {
    const engine = new CheckpointEngine({ store, clock: new FakeClock(), emit: () => {} });
    await engine.open();
    const one = new Store();
    engine.bind(one, { options: { name: 'one' }, durable: ['values'], label: 'Store' });
    await engine.ready();
    return { engine, one };
  };
  const first = await start();
  await first.engine.save();
  await run(first.one, () => void first.one.values.set('a', 1));
  await store.close();
  const second = await start();
  await second.engine.save();
  await store.close();
  expect([...(await start()).one.values]).toEqual([['a', 1]]);
});

describe('saves that are due', () => {
  it('after so long, whichever component was first to change', async () => {
    const world = await World.open();
    const slow = bind(world, 'slow', { snapshot: { time: 3_600_000 } });
    const quick = bind(world, 'quick', { snapshot: { time: 1_000 } });
    await world.engine.ready();
    await run(slow, () => void slow.values.set('a', 1));
    await run(quick, () => void quick.values.set('a', 1));
    await world.clock.advance(1_000);
    expect(world.store.disk.generations).toHaveLength(1);
    await world.engine.close();
    expect(world.clock.pending).toBe(0);
  });

  it('after so many calls of captured state without a journal', async () => {
    const world = await World.open();
    const counter = bindCounter(world, { snapshot: { calls: 3 } });
    for (let i = 0; i < 3; i += 1) await run(counter, () => counter.add(1));
    await world.clock.advance(0);
    expect(bindCounter(await world.restart()).state.count).toBe(3);
  });

  it('run in nobody’s async context', async () => {
    const world = await World.open();
    const counter = bindCounter(world, { snapshot: { calls: 1, time: 1_000 } });
    const user = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    counter.capture = () => {
      seen.push(user.getStore());
      return counter.state;
    };
    await user.run('alice', () => run(counter, () => counter.add(1)));
    await world.clock.advance(2_000);
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });
});
