import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import { attempt, gate, run, World } from './world.js';

class Store {
  readonly values = new DurableMap<string, number>();
}

const bind = (world: World): Store => world.bind(new Store(), { name: 'store' });

it('a call into a component of another store is a call of its own, kept there', async () => {
  const [one, two] = [await World.open(), await World.open()];
  const [a, b] = [bind(one), bind(two)];
  const outer = run(a, async () => {
    a.values.set('mine', 1);
    await run(b, () => void b.values.set('theirs', 2));
    expect([b.values.get('theirs'), a.values.has('theirs')]).toEqual([2, false]);
    throw new Error('no');
  });
  await expect(outer).rejects.toThrow('no');
  expect([...bind(await one.restart()).values]).toEqual([]);
  expect([...bind(await two.restart()).values]).toEqual([['theirs', 2]]);
});

it('and cannot change what the call around it has', async () => {
  const [one, two] = [await World.open(), await World.open()];
  const [a, b] = [bind(one), bind(two)];
  const outer = run(a, () => run(b, () => void a.values.set('x', 1)));
  await expect(outer).rejects.toThrow(/no @Checkpoint method of component store is running here/);
  expect(a.values.size).toBe(0);
});

it('and back again joins the call that it is part of, and does not wait for it', async () => {
  const [one, two] = [await World.open(), await World.open()];
  const [a, b] = [bind(one), bind(two)];
  const there = (fails: boolean): Promise<void> =>
    run(b, async () => {
      b.values.update('calls', (calls) => (calls ?? 0) + 1);
      await run(a, () => void a.values.set('and back', 1));
      if (fails) throw new Error('no');
    });
  await run(a, async () => {
    a.values.set('mine', 1);
    await there(false);
  });
  expect([...a.values.keys()]).toEqual(['mine', 'and back']);
  const failing = run(a, async () => {
    await there(true).catch(() => {});
    a.values.clear();
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect([a.values.size, b.values.get('calls')]).toEqual([2, 1]);
});

it('and back again, when nobody waits for the call in between any more, is a call of its own', async () => {
  const [one, two] = [await World.open(), await World.open()];
  const [a, b] = [bind(one), bind(two)];
  const hold = gate();
  let late!: Promise<void>;
  await run(a, async () => {
    const between = attempt(b, async () => {
      await hold.wait;
      late = run(a, () => void a.values.set('late', 1));
      await late;
    });
    between.call.void(new Error('timed out'));
    hold.open();
    await hold.wait;
    a.values.set('mine', 1);
  });
  await late;
  expect([...a.values.keys()]).toEqual(['mine', 'late']);
});
