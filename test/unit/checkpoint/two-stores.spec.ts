import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import { run, World } from './world.js';

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
