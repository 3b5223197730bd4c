import { DurableList } from '../../../lib/checkpoint/collections/durable-list.js';
import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import { DurableSet } from '../../../lib/checkpoint/collections/durable-set.js';
import { DurableValue } from '../../../lib/checkpoint/collections/durable-value.js';
import { currentView, views } from '../../../lib/checkpoint/collections/state-view.js';
import { run, World } from './world.js';

class Ledger {
  readonly balances = new DurableMap<string, number>();
  readonly log = new DurableList<string>();
  readonly names = new DurableSet<string>();
  readonly total = new DurableValue(0);
}

class Counter {
  count = 0;
  captureState(): number {
    return this.count;
  }
  restoreState(count: number): void {
    this.count = count;
  }
  applyEntry(by: unknown): void {
    this.count += by as number;
  }
}

const add = (ledger: Ledger, name: string, amount: number): Promise<void> =>
  run(ledger, () => {
    ledger.balances.update(name, (balance) => (balance ?? 0) + amount);
    ledger.log.push(name);
    ledger.names.add(name);
    ledger.total.update((total) => total + amount);
  });

const contentOf = (ledger: Ledger): unknown => [
  [...ledger.balances],
  ledger.log.slice(),
  [...ledger.names],
  ledger.total.get(),
];

const breathe = async (): Promise<void> => {};

async function worldWith(...amounts: number[]): Promise<{ world: World; ledger: Ledger }> {
  const world = await World.open();
  const ledger = world.bind(new Ledger(), { name: 'ledger' });
  await world.engine.ready();
  for (const amount of amounts) await add(ledger, `n${amount}`, amount);
  return { world, ledger };
}

afterEach(() => {
  expect(views.open).toBe(0);
});

describe('a view', () => {
  test('shows the state of its moment to those inside, while calls go on', async () => {
    const { world, ledger } = await worldWith(1, 2);
    const before = contentOf(ledger);

    const view = await world.engine.present(breathe);
    await add(ledger, 'later', 5);

    expect(view.run(() => contentOf(ledger))).toEqual(before);
    expect(ledger.total.get()).toBe(8);
    await view.run(async () => {
      await Promise.resolve();
      expect(contentOf(ledger)).toEqual(before);
    });
    view.close();
    expect(view.run(() => ledger.total.get())).toBe(8);
  });

  test('is to look at: nothing can be changed in it, by a call or without', async () => {
    const { world, ledger } = await worldWith(1);
    const view = await world.engine.present(breathe);

    await expect(view.run(() => add(ledger, 'x', 1))).rejects.toMatchObject({
      code: 'CHECKPOINT_UNAVAILABLE',
    });
    expect(() => view.run(() => ledger.total.set(7))).toThrow(/no @Checkpoint method/);
    view.close();

    expect(contentOf(ledger)).toEqual([[['n1', 1]], ['n1'], ['n1'], 1]);
    await add(ledger, 'n1', 1);
    expect(ledger.total.get()).toBe(2);
  });

  test('shows nobody the changes of a call in whose context it is opened', async () => {
    const { world, ledger } = await worldWith(1);

    await run(ledger, async () => {
      ledger.total.set(50);
      const view = await world.engine.present(breathe);
      expect(view.run(() => ledger.total.get())).toBe(1);
      view.close();
      expect(ledger.total.get()).toBe(50);
    });

    expect(ledger.total.get()).toBe(50);
  });

  test('what it starts and leaves behind sees the present when it is closed', async () => {
    const { world, ledger } = await worldWith(1);
    const view = await world.engine.present(breathe);
    let go!: () => void;
    const wait = new Promise<void>((resolve) => (go = resolve));
    const later = view.run(async () => {
      await wait;
      return [ledger.total.get(), currentView()];
    });
    await add(ledger, 'b', 1);
    view.close();
    go();
    expect(await later).toEqual([2, undefined]);
  });
});

describe('a trial', () => {
  test('shows a checkpoint with the first so many calls since, and changes nothing', async () => {
    const { world, ledger } = await worldWith(1, 2);
    await world.engine.create('two');
    await add(ledger, 'n3', 3);
    await add(ledger, 'n4', 4);
    const before = contentOf(ledger);

    const totals = await world.engine.look(async ({ trial, look }) => {
      const found = await trial('two');
      expect([found.count, found.replayable]).toEqual([2, 2]);
      expect(found.callsAfter(1).map(({ components }) => components)).toEqual([['ledger']]);
      const seen: number[] = [];
      for (const replayed of [0, 1, 2])
        seen.push(
          await look(await found.after(replayed), async (view) =>
            view.run(() => ledger.total.get()),
          ),
        );
      return seen;
    });

    expect(totals).toEqual([3, 6, 10]);
    expect(contentOf(ledger)).toEqual(before);
  });
});

describe('a replacement', () => {
  test('puts a state in place, for good and over a restart', async () => {
    const { world, ledger } = await worldWith(1, 2);
    await world.engine.create('two');
    await add(ledger, 'n3', 3);
    await add(ledger, 'n4', 4);

    await world.engine.replace(async (hands) => {
      const trial = await hands.trial('two');
      const aside = { calls: trial.callsAfter(1), carried: new Map([['pool', { a: 1 }]]) };
      await hands.layAside('broken', aside);
      const { plans, view } = await trial.after(1);
      view.close();
      await hands.adopt(plans, async () => expect(ledger.total.get()).toBe(6));
    });
    expect(ledger.total.get()).toBe(6);
    await add(ledger, 'n5', 5);

    const next = await world.restart();
    const again = next.bind(new Ledger(), { name: 'ledger' });
    await next.engine.ready();
    expect(again.log.slice()).toEqual(['n1', 'n2', 'n3', 'n5']);
    await next.engine.restore('broken');
    expect(again.total.get()).toBe(10);
  });

  test('of a state that is not sound leaves the one before, in memory and on disk', async () => {
    const { world, ledger } = await worldWith(1, 2);
    await world.engine.create('two');
    await add(ledger, 'n3', 3);
    const before = contentOf(ledger);

    const replaced = world.engine.replace(async (hands) => {
      const { plans, view } = await (await hands.trial('two')).after(0);
      view.close();
      await hands.adopt(plans, async () => {
        expect(ledger.total.get()).toBe(3);
        throw new Error('not sound');
      });
    });

    await expect(replaced).rejects.toThrow('not sound');
    expect(contentOf(ledger)).toEqual(before);
    const next = await world.restart();
    const again = next.bind(new Ledger(), { name: 'ledger' });
    await next.engine.ready();
    expect(contentOf(again)).toEqual(before);
  });

  test('can be tried out with captured state too', async () => {
    const world = await World.open(undefined, { verify: false });
    const counter = world.bind(new Counter(), { name: 'counter' });
    await world.engine.ready();
    const count = (): Promise<number> =>
      run(counter, () => (counter.count += 1), { journal: () => 1, rollback: true });
    await count();
    await world.engine.create('one');
    await count();

    const seen = await world.engine.replace(async (hands) => {
      expect(hands.hasCaptured).toBe(true);
      return hands.tryOut(await (await hands.trial('one')).after(0), async () => counter.count);
    });

    expect(seen).toBe(1);
    expect(counter.count).toBe(2);
  });

  test('refuses calls while it lasts, and calls off those that run', async () => {
    const { world, ledger } = await worldWith(1);
    const late = run(ledger, () => new Promise(() => {}));
    const refused: unknown[] = [];
    void late.catch((error: unknown) => refused.push(error));

    await world.engine.replace(async () => {
      await expect(add(ledger, 'x', 1)).rejects.toMatchObject({ code: 'CHECKPOINT_UNAVAILABLE' });
    });

    expect(refused).toMatchObject([{ code: 'CHECKPOINT_UNAVAILABLE' }]);
    await add(ledger, 'y', 1);
    expect(ledger.total.get()).toBe(2);
  });
});
