import { DurableList } from '../../../lib/checkpoint/collections/durable-list.js';
import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import { DurableSet } from '../../../lib/checkpoint/collections/durable-set.js';
import { DurableValue } from '../../../lib/checkpoint/collections/durable-value.js';
import { AttemptVoidError } from '../../../lib/checkpoint/transaction/attempt-void.error.js';
import { attempt, run, World } from './world.js';

class Ledger {
  readonly balances = new DurableMap<string, number>();
  readonly owners = new DurableSet<string>();
  readonly log = new DurableList<{ what: string }>();
  readonly height = new DurableValue(0);
}

const ledgerOf = (world: World, name = 'ledger'): Ledger => world.bind(new Ledger(), { name });

it('a plain instance without a store just works', () => {
  const ledger = new Ledger();
  ledger.balances.set('a', 1).set('b', 2);
  ledger.owners.add('a');
  ledger.log.push({ what: 'x' });
  ledger.height.update((height) => height + 1);
  expect([...ledger.balances]).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
  expect([ledger.owners.size, ledger.log.length, ledger.height.get()]).toEqual([1, 1, 1]);
});

it('what a call changed is there after a restart', async () => {
  const world = await World.open();
  const ledger = ledgerOf(world);
  await run(ledger, () => {
    ledger.balances.set('a', 1).set('b', 2);
    ledger.balances.delete('a');
    ledger.owners.add('a').add('b');
    ledger.log.push({ what: 'x' }, { what: 'y' });
    ledger.height.set(7);
  });
  const again = ledgerOf(await world.restart());
  expect([...again.balances]).toEqual([['b', 2]]);
  expect([...again.owners]).toEqual(['a', 'b']);
  expect([...again.log]).toEqual([{ what: 'x' }, { what: 'y' }]);
  expect(again.height.get()).toBe(7);
});

it('a call sees its own changes before anybody else does', async () => {
  const world = await World.open();
  const ledger = ledgerOf(world);
  let goOn!: () => void;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const seen: unknown[] = [];
  const call = run(ledger, async () => {
    ledger.balances.set('a', 1);
    await gate;
    seen.push(ledger.balances.get('a'), ledger.balances.size);
  });
  expect([ledger.balances.get('a'), ledger.balances.size]).toEqual([undefined, 0]);
  goOn();
  await call;
  expect(seen).toEqual([1, 1]);
  expect(ledger.balances.get('a')).toBe(1);
});

it('a failed call leaves no trace', async () => {
  const world = await World.open();
  const ledger = ledgerOf(world);
  await run(ledger, () => ledger.balances.set('a', 1));
  const failing = run(ledger, () => {
    ledger.balances.set('a', 2).set('b', 2);
    ledger.log.push({ what: 'x' });
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect([...ledger.balances]).toEqual([['a', 1]]);
  expect([...ledgerOf(await world.restart()).balances]).toEqual([['a', 1]]);
});

it('nothing can be changed outside of a call', async () => {
  const world = await World.open();
  const ledger = ledgerOf(world);
  expect(() => ledger.balances.set('a', 1)).toThrow(AttemptVoidError);
  expect(() => ledger.log.push({ what: 'x' })).toThrow(/ledger\.log: cannot be changed/);
});

it('what a call leaves running cannot change anything after its end', async () => {
  const world = await World.open();
  const ledger = ledgerOf(world);
  let goOn!: () => void;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  let late!: Promise<unknown>;
  await run(ledger, () => {
    ledger.balances.set('a', 1);
    late = gate.then(() => ledger.balances.set('a', 2));
  });
  goOn();
  await expect(late).rejects.toThrow(AttemptVoidError);
  expect(ledger.balances.get('a')).toBe(1);
});

it('a component of another name is not changed by a call of this one', async () => {
  const world = await World.open();
  const ledger = ledgerOf(world);
  const other = ledgerOf(world, 'other');
  const call = run(ledger, () => other.balances.set('a', 1));
  await expect(call).rejects.toThrow(/no @Checkpoint method of component other is running here/);
});

it('the next call begins when the one before is appended; its answer waits for the sync', async () => {
  const world = await World.open();
  const ledger = ledgerOf(world);
  world.store.syncs = false;
  const order: string[] = [];
  const first = run(ledger, () => void ledger.balances.set('a', 1)).then(() => order.push('first'));
  const second = run(ledger, () => {
    order.push(`second sees ${ledger.balances.get('a')}`);
    ledger.balances.set('a', 2);
  }).then(() => order.push('second'));
  await Promise.resolve();
  await world.clock.advance(0);
  expect(order).toEqual(['second sees 1']);
  world.store.sync();
  await Promise.all([first, second]);
  expect(order).toEqual(['second sees 1', 'first', 'second']);
});

it('a call that only reads waits until what it read is durable', async () => {
  const world = await World.open();
  const ledger = ledgerOf(world);
  world.store.syncs = false;
  const write = run(ledger, () => void ledger.balances.set('a', 1));
  let answer: unknown;
  const read = run(ledger, () => ledger.balances.get('a')).then((value) => (answer = value));
  await world.clock.advance(0);
  expect(answer).toBeUndefined();
  world.store.sync();
  await Promise.all([write, read]);
  expect(answer).toBe(1);
});

it('a voided attempt changes nothing, and its component is free at once', async () => {
  const world = await World.open();
  const ledger = ledgerOf(world);
  let goOn!: () => void;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const zombie = attempt(ledger, async () => {
    ledger.balances.set('a', 1);
    await gate;
    ledger.balances.set('b', 1);
  });
  zombie.call.void(new Error('timed out'));
  await run(ledger, () => void ledger.balances.set('a', 2));
  goOn();
  await expect(zombie.result).rejects.toThrow(/nobody waits for this attempt any more/);
  expect([...ledger.balances]).toEqual([['a', 2]]);
  expect([...ledgerOf(await world.restart()).balances]).toEqual([['a', 2]]);
});

it('once it is appended it cannot be called off', async () => {
  const world = await World.open();
  const ledger = ledgerOf(world);
  world.store.syncs = false;
  const call = attempt(ledger, () => void ledger.balances.set('a', 1));
  await world.clock.advance(0);
  expect(call.isCommitted).toBe(true);
  call.call.void(new Error('too late'));
  world.store.sync();
  await call.result;
  expect(ledger.balances.get('a')).toBe(1);
});

it('state that the constructor made is kept like any other', async () => {
  class Genesis {
    readonly blocks = new DurableList([{ height: 0 }]);
  }
  const world = await World.open();
  world.bind(new Genesis(), { name: 'chain' });
  await world.engine.ready();
  class Later {
    readonly blocks = new DurableList([{ height: 100 }]);
  }
  const later = (await world.restart()).bind(new Later(), { name: 'chain' });
  expect([...later.blocks]).toEqual([{ height: 0 }]);
});

it('saved states and the journal since are one state', async () => {
  const world = await World.open();
  const ledger = ledgerOf(world);
  for (let i = 0; i < 10; i += 1)
    await run(ledger, () => void ledger.balances.set(`k${i}`, i).set('last', i));
  await world.engine.save();
  await run(ledger, () => void ledger.balances.delete('k3'));
  const again = ledgerOf(await world.restart());
  expect([...again.balances]).toEqual([...ledger.balances]);
  expect(again.balances.has('k3')).toBe(false);
});

it('is saved after so many calls', async () => {
  const world = await World.open();
  const ledger = world.bind(new Ledger(), { name: 'ledger', snapshot: { calls: 3 } });
  for (let i = 0; i < 7; i += 1) {
    await run(ledger, () => void ledger.height.set(i));
    await world.clock.advance(0);
  }
  expect(world.store.disk.generations).toHaveLength(2);
});

it('is saved after so long, if it has changed', async () => {
  const world = await World.open();
  const ledger = world.bind(new Ledger(), { name: 'ledger', snapshot: { time: 1_000 } });
  await world.clock.advance(5_000);
  expect(world.store.disk.generations).toHaveLength(0);
  await run(ledger, () => void ledger.height.set(1));
  await world.clock.advance(5_000);
  expect(world.store.disk.generations).toHaveLength(1);
});

it.each(['manual', { interval: 100 }] as const)(
  'a component that promises less (%p) does not wait for the sync, and flush does',
  async (durability) => {
    const world = await World.open();
    const ledger = world.bind(new Ledger(), { name: 'ledger', durability });
    world.store.syncs = false;
    await run(ledger, () => void ledger.height.set(7));
    expect(world.store.disk.entries).toHaveLength(1);
    await world.engine.flush();
    expect(world.store.disk.entries).toHaveLength(2);
  },
);
