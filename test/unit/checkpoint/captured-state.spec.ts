import { CheckpointUnavailableError } from '../../../lib/checkpoint/transaction/checkpoint-rejections.js';
import { attempt, run, World } from './world.js';

/** State in one object, that is changed in place. */
class Counter {
  state = { count: 0, names: new Map<string, Date>() };

  captureState(): unknown {
    return this.state;
  }

  restoreState(state: never): void {
    this.state = state;
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

const bind = (world: World, options: object = {}): Counter =>
  world.bind(new Counter(), { name: 'counter', ...options });

it('journaled calls are there after a restart, on top of what was saved', async () => {
  const world = await World.open();
  const counter = bind(world);
  await run(counter, () => counter.add(1), journaled);
  await world.engine.save();
  await run(counter, () => counter.add(10), journaled);
  expect(bind(await world.restart()).state.count).toBe(11);
});

it('a failed call is taken back', async () => {
  const world = await World.open();
  const counter = bind(world);
  const failing = run(
    counter,
    () => {
      counter.add(5);
      throw new Error('no');
    },
    journaled,
  );
  await expect(failing).rejects.toThrow('no');
  expect(counter.state.count).toBe(0);
});

it('a voided attempt keeps its component until it has ended, and is taken back then', async () => {
  const world = await World.open();
  const counter = bind(world);
  let goOn!: () => void;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const zombie = attempt(
    counter,
    async () => {
      counter.add(5);
      await gate;
      return counter.add(5);
    },
    journaled,
  );
  zombie.call.void(new Error('timed out'));
  const next = run(counter, () => counter.add(1), journaled);
  goOn();
  await Promise.all([zombie.result, next]);
  expect(counter.state.count).toBe(1);
  expect(bind(await world.restart()).state.count).toBe(1);
});

it('a save in the middle of a call has the state before it', async () => {
  const world = await World.open();
  const counter = bind(world);
  await run(counter, () => counter.add(1), journaled);
  let goOn!: () => void;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const running = run(
    counter,
    async () => {
      counter.add(5);
      await gate;
      return 5;
    },
    journaled,
  );
  await world.engine.save();
  expect(bind(await world.restart()).state.count).toBe(1);
  goOn();
  await running;
  expect(bind(await world.restart()).state.count).toBe(6);
});

it('without a journal it is as it was saved last, and is saved between calls', async () => {
  const world = await World.open();
  const counter = bind(world, { serial: false });
  let goOn!: () => void;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const running = run(counter, async () => {
    counter.add(1);
    await gate;
    counter.add(1);
  });
  const saved = world.engine.save();
  await Promise.resolve();
  const late = run(counter, () => counter.add(100));
  goOn();
  await Promise.all([running, saved, late]);
  expect(bind(await world.restart()).state.count).toBe(2);
  expect(counter.state.count).toBe(102);
});

it('one that does not come to rest is left as it was saved, and does not stop the others', async () => {
  const world = await World.open();
  const counter = bind(world, { serial: false });
  await world.engine.save();
  void run(counter, async () => {
    counter.add(1);
    await new Promise(() => {});
  });
  const saved = world.engine.save();
  await world.clock.advance(1_000);
  await saved;
  expect(bind(await world.restart()).state.count).toBe(0);
});

it('what comes back are fresh objects of the same kinds', async () => {
  const world = await World.open();
  const counter = bind(world);
  const date = new Date(5);
  counter.state.names.set('a', date);
  await world.engine.save();
  const { state } = bind(await world.restart());
  expect(state.names).toEqual(new Map([['a', new Date(5)]]));
  expect(state.names.get('a')).not.toBe(date);
});

it('state that cannot be kept is refused with its place', async () => {
  const world = await World.open();
  const counter = bind(world);
  (counter.state as { logger?: unknown }).logger = () => {};
  await expect(world.engine.save()).rejects.toThrow(/Counter state\.logger: got a function/);
  expect(world.typesOfEvents()).toContain('checkpoint-failed');
});

it('a restore that one component cannot carry out changes none', async () => {
  const world = await World.open();
  const first = bind(world);
  const second = world.bind(new Counter(), { name: 'second', dependsOn: ['counter'] });
  await world.engine.create('empty');
  first.add(1);
  second.add(1);
  let breaks = true;
  second.restoreState = function restoreState(this: Counter, state: never) {
    if (breaks) {
      breaks = false;
      throw new Error('cannot');
    }
    this.state = state;
  };
  await expect(world.engine.restore('empty')).rejects.toThrow('cannot');
  expect([first.state.count, second.state.count]).toEqual([1, 1]);
});

it('calls wait for a state that takes time to restore', async () => {
  class Slow extends Counter {
    goOn!: () => void;

    override async restoreState(state: never): Promise<void> {
      await new Promise<void>((resolve) => (this.goOn = resolve));
      this.state = state;
    }
  }
  const world = await World.open();
  await run(world.bind(new Slow(), { name: 'slow' }), () => 1);
  const [slow] = [...world.engine.components.values()].map(({ instance }) => instance as Slow);
  slow!.add(3);
  await world.engine.save();
  const again = await world.restart();
  const restored = again.bind(new Slow(), { name: 'slow' });
  const call = run(restored, () => restored.state.count);
  const ready = again.engine.ready();
  restored.goOn();
  expect(await call).toBe(3);
  await ready;
});

describe('a state that never comes back', () => {
  class Hanging {
    count = 0;
    hangs = false;
    goOn: (() => void) | undefined;

    captureState(): number {
      return this.count;
    }

    async restoreState(count: number): Promise<void> {
      if (this.hangs) await new Promise<void>((resolve) => (this.goOn = resolve));
      this.count = count;
    }
  }

  const hanging = async (): Promise<{ world: World; it: Hanging }> => {
    const world = await World.open();
    const it = world.bind(new Hanging(), { name: 'hanging', restoreTimeout: 500 });
    await world.engine.ready();
    await world.engine.save();
    return { world, it };
  };

  it('fails the start', async () => {
    const { world } = await hanging();
    const again = await world.restart();
    const late = again.bind(Object.assign(new Hanging(), { hangs: true }), { name: 'hanging' });
    const ready = again.engine.ready();
    const refused = expect(ready).rejects.toThrow(
      /Hanging: restoreState has not ended within 60000 ms/,
    );
    await again.clock.advance(60_000);
    await refused;
    expect(late.count).toBe(0);
  });

  it('leaves the store fenced until it has ended, and then it heals', async () => {
    const { world, it: late } = await hanging();
    late.count = 7;
    late.hangs = true;
    world.store.fail();
    await world.clock.advance(500);
    expect(world.engine.state).toBe('fenced');
    await world.clock.advance(120_000);
    expect(world.engine.state).toBe('fenced');
    expect(await run(late, () => 1).catch((error: unknown) => error)).toMatchObject({
      code: 'CHECKPOINT_UNAVAILABLE',
    });
    late.hangs = false;
    late.goOn!();
    await world.clock.advance(40_000);
    expect([world.engine.state, late.count]).toEqual(['open', 0]);
    expect(await run(late, () => 1)).toBe(1);
  });

  it('refuses a restore, and does not keep the application from its end', async () => {
    const { world, it: late } = await hanging();
    late.hangs = true;
    const refused = expect(world.engine.restore('1')).rejects.toMatchObject({
      code: 'CHECKPOINT_FENCED',
    });
    await world.clock.advance(1_000);
    await refused;
    expect(world.engine.state).toBe('fenced');
    const closed = world.engine.close();
    await world.clock.advance(20_000);
    await closed;
    expect(world.engine.state).toBe('closed');
  });
});

it('a component is one of the two', async () => {
  const world = await World.open();
  expect(() => world.bind({}, { name: 'nothing' })).toThrow(/declares no state/);
  bind(world);
  expect(() => bind(world)).toThrow(/"counter" a second time/);
});

it('is closed for calls before it is opened', async () => {
  const world = await World.open();
  const counter = bind(world);
  await world.engine.close();
  await expect(run(counter, () => 1)).rejects.toThrow(CheckpointUnavailableError);
});

it('a call that a voided attempt makes is refused, and does not wait for what the attempt holds', async () => {
  const world = await World.open();
  const counter = bind(world);
  const other = world.bind(new Counter(), { name: 'other' });
  let goOn!: () => void;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const zombie = attempt(
    counter,
    async () => {
      await run(other, () => other.add(1), journaled);
      await gate;
      return run(other, () => other.add(1), journaled);
    },
    journaled,
  );
  await Promise.resolve();
  zombie.call.void(new Error('timed out'));
  const next = run(other, () => other.add(10), journaled);
  goOn();
  await expect(zombie.result).rejects.toThrow('nobody waits for this attempt any more');
  await next;
  expect([counter.state.count, other.state.count]).toEqual([0, 10]);
});

it('a call that fails after one inside it changed other state in place fails all around it', async () => {
  const world = await World.open();
  const [counter, middle, inner] = ['counter', 'middle', 'inner'].map((name) =>
    world.bind(new Counter(), { name }),
  ) as [Counter, Counter, Counter];
  const failing = async (): Promise<never> => {
    await run(inner, () => inner.add(1), journaled);
    throw new Error('too late');
  };
  const outermost = run(
    counter,
    async () => {
      await run(middle, failing, { rollback: true }).catch(() => {});
      return counter.add(1);
    },
    journaled,
  );
  await expect(outermost).rejects.toThrow('too late');
  expect([counter, middle, inner].map(({ state }) => state.count)).toEqual([0, 0, 0]);

  // where nothing else was changed, the call around it may go on
  await run(
    counter,
    async () => {
      const caught = run(inner, () => Promise.reject(new Error('no')), journaled);
      await caught.catch(() => {});
      return counter.add(1);
    },
    journaled,
  );
  expect([counter.state.count, inner.state.count]).toEqual([1, 0]);
});

it('a good call with rollback and without a journal stays', async () => {
  const world = await World.open();
  const counter = bind(world);
  await run(counter, () => counter.add(1), { rollback: true });
  expect(counter.state.count).toBe(1);
  await world.engine.save();
  expect(bind(await world.restart()).state.count).toBe(1);
});

it('a fence before the first save of its own brings back what the constructor gave, and entries once', async () => {
  const world = await World.open();
  const counter = bind(world);
  await world.engine.ready();
  await run(counter, () => counter.add(1), journaled);
  await run(counter, () => counter.add(10)); // not journaled: lost
  world.store.fail();
  await world.clock.advance(60_000);
  expect([world.engine.state, counter.state.count]).toEqual(['open', 1]);
});

it('entries go on from what the constructor gave at the time, not from what it gives now', async () => {
  const world = await World.open();
  const counter = bind(world);
  await world.engine.ready();
  await run(counter, () => counter.add(1), journaled);
  const later = Object.assign(new Counter(), { state: { count: 100, names: new Map() } });
  const next = await world.restart();
  next.bind(later, { name: 'counter' });
  expect(later.state.count).toBe(1);
});

it('a restore that answers with something like a promise is waited for', async () => {
  class Lazy extends Counter {
    override restoreState(state: never): never {
      const then = (done: () => void): void =>
        void setImmediate(() => {
          this.state = state;
          done();
        });
      return { then } as never;
    }
  }
  const world = await World.open();
  const lazy = world.bind(new Lazy(), { name: 'counter' });
  await world.engine.ready();
  const { id } = await world.engine.save();
  await run(lazy, () => lazy.add(5), journaled);
  await world.engine.restore(id);
  expect(lazy.state.count).toBe(0);
});

it('a call inside a call goes on while a save waits for the call around it', async () => {
  const world = await World.open();
  const counter = bind(world);
  await world.engine.ready();
  let goOn!: () => void;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const running = run(counter, async () => {
    counter.add(1);
    await gate;
    await run(counter, () => counter.add(10));
  });
  const saved = world.engine.save();
  await new Promise((resolve) => setImmediate(resolve));
  goOn();
  // on a clock that stands still: nothing waits for the save to give up
  await Promise.all([running, saved]);
  expect(bind(await world.restart()).state.count).toBe(11);
});
