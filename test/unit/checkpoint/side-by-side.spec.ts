import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import { attempt, gate, run, World } from './world.js';

class Store {
  readonly values = new DurableMap<string, number>();
}

/** Its state takes a while to be put back. */
class Slow {
  state: string[] = [];
  hold = Promise.resolve();
  captureState(): string[] {
    return this.state;
  }
  async restoreState(state: string[]): Promise<void> {
    await this.hold;
    this.state = state;
  }
  applyEntry(entry: string): void {
    this.state.push(entry);
  }
}

async function one(): Promise<{ readonly world: World; readonly a: Store }> {
  const world = await World.open();
  return { world, a: world.bind(new Store(), { name: 'a' }) };
}

describe('a joined call that fails and is caught', () => {
  it('takes back only what it did, however deep it is', async () => {
    const { a } = await one();
    await run(a, async () => {
      a.values.set('outer', 1);
      await run(a, async () => {
        a.values.set('middle', 1);
        const failing = run(a, () => {
          a.values.set('inner', 1);
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
      });
    });
    expect([...a.values.keys()]).toEqual(['outer', 'middle']);
  });

  it('does not take with it what a call did that came and went while it ran', async () => {
    const { a } = await one();
    const hold = gate();
    const outer = run(a, async () => {
      const failing = run(a, async () => {
        await hold.wait;
        throw new Error('late');
      });
      await run(a, () => void a.values.set('beside', 1));
      hold.open();
      await expect(failing).rejects.toThrow('late');
    });
    await expect(outer).rejects.toThrow('late');
    expect(a.values.size).toBe(0);
  });

  it('does not take with it what its caller did meanwhile', async () => {
    const { a } = await one();
    const hold = gate();
    const outer = run(a, async () => {
      const failing = run(a, async () => {
        await hold.wait;
        throw new Error('late');
      });
      a.values.set('meanwhile', 1);
      hold.open();
      await expect(failing).rejects.toThrow('late');
    });
    await expect(outer).rejects.toThrow('late');
    expect(a.values.size).toBe(0);
  });

  it('does not take with it the answer of a call around it that ended before', async () => {
    const { a } = await one();
    const hold = gate();
    let failing!: Promise<void>;
    const outer = run(a, async () => {
      const named = attempt(
        a,
        () => {
          failing = run(a, async () => {
            await hold.wait;
            throw new Error('late');
          });
          return 'answer';
        },
        { idempotencyKey: () => 'k' },
      );
      await expect(named.result).resolves.toBe('answer');
      hold.open();
      await expect(failing).rejects.toThrow('late');
    });
    await expect(outer).rejects.toThrow('late');
  });

  it('does not take with it what others do while its state is put back', async () => {
    const { world, a } = await one();
    const slow = world.bind(new Slow(), { name: 'slow' });
    await world.engine.ready();
    const hold = gate();
    slow.hold = hold.wait;
    const add = (what: string, fails: boolean): Promise<void> =>
      attempt(
        slow,
        () => {
          slow.state.push(what);
          if (fails) throw new Error('no');
        },
        { rollback: true, journal: () => what },
      ).result;
    const outer = run(a, async () => {
      const failing = add('bad', true);
      await Promise.resolve();
      await add('good', false);
      hold.open();
      await expect(failing).rejects.toThrow('no');
    });
    await expect(outer).rejects.toThrow('no');
    await run(slow, () => {});
    expect(slow.state).toEqual([]);
  });
});
