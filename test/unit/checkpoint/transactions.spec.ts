import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import { attempt, gate, run, World } from './world.js';

class Store {
  readonly values = new DurableMap<string, number>();
}

interface Pair {
  readonly world: World;
  readonly a: Store;
  readonly b: Store;
}

/** Each of the two has an entry that says what fields it has. */
async function pair(maxPending?: number): Promise<Pair> {
  const world = await World.open();
  const more = maxPending === undefined ? {} : { maxPending };
  const a = world.bind(new Store(), { name: 'a', ...more });
  const b = world.bind(new Store(), { name: 'b', ...more });
  return { world, a, b };
}

describe('a call made inside another', () => {
  it('joins it: one entry of the journal for both', async () => {
    const { world, a, b } = await pair();
    await run(a, async () => {
      a.values.set('x', 1);
      await run(b, () => void b.values.set('x', 2));
      a.values.set('y', 3);
    });
    expect(world.store.disk.entries).toHaveLength(2 + 1);
    expect([a.values.get('x'), b.values.get('x'), a.values.get('y')]).toEqual([1, 2, 3]);
  });

  it('is gone with the call around it', async () => {
    const { world, a, b } = await pair();
    const failing = run(a, async () => {
      await run(b, () => void b.values.set('x', 2));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(b.values.size).toBe(0);
    expect(world.store.disk.entries).toHaveLength(2);
  });

  it('takes back only what it did itself when it fails and the call around it goes on', async () => {
    const { a, b } = await pair();
    await run(a, async () => {
      a.values.set('x', 1);
      const failing = run(b, () => {
        a.values.set('x', 99);
        b.values.set('x', 99);
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      await run(b, () => void b.values.set('y', 2));
    });
    expect([a.values.get('x'), b.values.has('x'), b.values.get('y')]).toEqual([1, false, 2]);
  });

  it('dooms the whole if it fails beside another, for their changes cannot be told apart', async () => {
    const { world, a, b } = await pair();
    const hold = gate();
    const outer = run(a, async () => {
      const slow = run(b, async () => {
        b.values.set('x', 1);
        await hold.wait;
      });
      await expect(
        run(a, () => {
          throw new Error('beside');
        }),
      ).rejects.toThrow('beside');
      hold.open();
      await slow;
    });
    await expect(outer).rejects.toThrow('beside');
    expect(world.store.disk.entries).toHaveLength(2);
    expect(b.values.size).toBe(0);
  });

  it('must be awaited', async () => {
    const { world, a, b } = await pair();
    const hold = gate();
    let inner!: Promise<void>;
    const outer = run(a, () => {
      a.values.set('x', 1);
      inner = run(b, async () => {
        await hold.wait;
        b.values.set('x', 1);
      });
      inner.catch(() => {});
    });
    await expect(outer).rejects.toThrow(/still running; await it/);
    hold.open();
    await expect(inner).rejects.toThrow(/its call has ended/);
    expect(world.store.disk.entries).toHaveLength(2);
  });

  it('voided, leaves the rest of the call whole', async () => {
    const { a, b } = await pair();
    const hold = gate();
    await run(a, async () => {
      a.values.set('x', 1);
      const inner = attempt(b, async () => {
        b.values.set('x', 1);
        await hold.wait;
        b.values.set('y', 1);
      });
      inner.call.void(new Error('timed out'));
      hold.open();
      await expect(inner.result).rejects.toThrow(/nobody waits/);
    });
    expect([a.values.get('x'), b.values.size]).toEqual([1, 0]);
  });

  it('frees its component only with the call around it', async () => {
    const { a, b } = await pair();
    const hold = gate();
    const outer = run(a, async () => {
      await run(b, () => void b.values.set('x', 1));
      await hold.wait;
    });
    const order: string[] = [];
    const other = run(b, () => void order.push(`other sees ${b.values.get('x')}`));
    await Promise.resolve();
    order.push('outer goes on');
    hold.open();
    await Promise.all([outer, other]);
    expect(order).toEqual(['outer goes on', 'other sees 1']);
  });
});

describe('two calls that wait for each other', () => {
  it('the younger gets an error, and the older goes on', async () => {
    const { a, b } = await pair();
    const [hasA, hasB] = [gate(), gate()];
    const older = run(a, async () => {
      hasA.open();
      await hasB.wait;
      await run(b, () => void b.values.set('older', 1));
    });
    const younger = run(b, async () => {
      hasB.open();
      await hasA.wait;
      await run(a, () => void a.values.set('younger', 1));
    });
    await expect(younger).rejects.toMatchObject({ code: 'COMPONENT_DEADLOCK' });
    await older;
    expect([b.values.get('older'), a.values.has('younger')]).toEqual([1, false]);
  });

  it('the younger is found when it waited first, too', async () => {
    const { a, b } = await pair();
    const [hasA, hasB, waits] = [gate(), gate(), gate()];
    const older = run(a, async () => {
      hasA.open();
      await hasB.wait;
      await waits.wait;
      await run(b, () => void b.values.set('older', 1));
    });
    const younger = run(b, async () => {
      hasB.open();
      await hasA.wait;
      const nested = run(a, () => void a.values.set('younger', 1));
      waits.open();
      await nested;
    });
    await expect(younger).rejects.toMatchObject({ code: 'COMPONENT_DEADLOCK' });
    await older;
    expect(b.values.get('older')).toBe(1);
  });
});

describe('the line of a component', () => {
  it('is bounded', async () => {
    const { a } = await pair(1);
    const hold = gate();
    const first = run(a, () => hold.wait);
    const second = run(a, () => 2);
    await expect(run(a, () => 3)).rejects.toMatchObject({ code: 'COMPONENT_BUSY', status: 503 });
    hold.open();
    expect(await Promise.all([first, second])).toEqual([undefined, 2]);
  });

  it('is first come first served, and a place that is left is nobody’s', async () => {
    const { a } = await pair();
    const hold = gate();
    const order: number[] = [];
    const first = run(a, () => hold.wait);
    const calls = [1, 2, 3].map((n) => attempt(a, () => void order.push(n)));
    calls[1]!.call.void(new Error('left'));
    hold.open();
    await Promise.all([first, calls[0]!.result, calls[2]!.result]);
    expect(order).toEqual([1, 3]);
  });

  it('tells of calls that keep others waiting', async () => {
    const { world, a } = await pair();
    await run(a, () => world.clock.advance(51), {}, []);
    await run(a, () => world.clock.advance(50), {}, []);
    expect(world.events.slice(1)).toEqual([
      { type: 'slow-checkpoint-call', target: 'Store.method', duration: 51 },
    ]);
  });
});

describe('a call that hangs', () => {
  it('is told of while it runs, and again when it has ended', async () => {
    const { world, a, b } = await pair();
    let goOn!: () => void;
    const hanging = run(a, () => new Promise<void>((resolve) => (goOn = resolve)));
    const joined = run(b, () => run(b, () => world.clock.advance(30)));
    await joined;
    expect(world.events.slice(1)).toEqual([]);
    await world.clock.advance(70);
    const told = { type: 'slow-checkpoint-call', target: 'Store.method' };
    expect(world.events.slice(1)).toEqual([{ ...told, duration: 51 }]);
    expect(world.clock.pending).toBe(0);
    await world.clock.advance(4_900);
    goOn();
    await hanging;
    expect(world.events.slice(2)).toEqual([{ ...told, duration: 5_000 }]);
  });

  it('is told of by the timer of a call before it', async () => {
    const { world, a } = await pair();
    await run(a, () => world.clock.advance(20));
    void run(a, () => new Promise(() => {}));
    await world.clock.advance(200);
    const durations = world.events.slice(1).map((event) => 'duration' in event && event.duration);
    expect(durations).toEqual([82]);
    expect(world.clock.pending).toBe(0);
  });
});

describe('a call with a name', () => {
  const named = { idempotencyKey: (id: string) => id } as never;

  it('is carried out once: the same name gets the same answer', async () => {
    const { world, a } = await pair();
    let times = 0;
    const pay = (id: string): Promise<unknown> =>
      run(
        a,
        () => {
          times += 1;
          a.values.update('sum', (sum) => (sum ?? 0) + 1);
          return { id, at: new Date(times) };
        },
        named,
        [id],
      );
    const first = await pay('p1');
    expect(await pay('p1')).toEqual(first);
    await pay('p2');
    expect([times, a.values.get('sum')]).toEqual([2, 2]);
    const again = await world.restart();
    const reborn = again.bind(new Store(), { name: 'a' });
    again.bind(new Store(), { name: 'b' });
    expect(await run(reborn, () => 'anew', named, ['p1'])).toEqual(first);
    await again.engine.save();
    const third = await again.restart();
    const saved = third.bind(new Store(), { name: 'a' });
    third.bind(new Store(), { name: 'b' });
    expect(await run(saved, () => 'anew', named, ['p1'])).toEqual(first);
  });

  it('waits for the call with the same name that is on its way', async () => {
    const { world, a } = await pair();
    world.store.syncs = false;
    const first = run(a, () => 'first', named, ['p1']);
    let answer: unknown;
    const second = run(a, () => 'second', named, ['p1']).then((value) => (answer = value));
    await world.clock.advance(0);
    expect(answer).toBeUndefined();
    world.store.sync();
    expect(await Promise.all([first, second])).toEqual(['first', 'first']);
  });

  it('that failed may be tried again', async () => {
    const { a } = await pair();
    const failing = run(
      a,
      () => {
        throw new Error('no');
      },
      named,
      ['p1'],
    );
    await expect(failing).rejects.toThrow('no');
    expect(await run(a, () => 'now', named, ['p1'])).toBe('now');
  });

  it('keeps nothing if its answer cannot be kept', async () => {
    const { a } = await pair();
    const odd = run(
      a,
      () => {
        a.values.set('x', 1);
        return { answer: () => {} };
      },
      named,
      ['p1'],
    );
    await expect(odd).rejects.toThrow(/Store\.method answer\.answer: got function answer/);
    expect(a.values.size).toBe(0);
  });

  it('must have one', async () => {
    const { a } = await pair();
    await expect(run(a, () => 1, named, [''])).rejects.toThrow(
      /expected a string that is not empty/,
    );
    expect(await run(a, () => 2)).toBe(2);
  });
});
