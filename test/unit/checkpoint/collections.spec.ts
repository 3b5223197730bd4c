// The durable collections beside the plain ones of the language: the same programs, the same sights.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { DurableList } from '../../../lib/checkpoint/collections/durable-list.js';
import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import { DurableSet } from '../../../lib/checkpoint/collections/durable-set.js';
import { DurableValue } from '../../../lib/checkpoint/collections/durable-value.js';
import { run, World } from './world.js';

class Store {
  readonly map = new DurableMap<number | string, unknown>([['first', 0]]);
  readonly set = new DurableSet<number | string>(['first']);
  readonly list = new DurableList<unknown>(['first']);
  readonly value = new DurableValue<unknown>('first');
}

/** The same with what the language has. */
class Plain {
  map = new Map<number | string, unknown>([['first', 0]]);
  set = new Set<number | string>(['first']);
  list: unknown[] = ['first'];
  value: unknown = 'first';

  copy(): Plain {
    const copy = new Plain();
    copy.map = new Map(this.map);
    copy.set = new Set(this.set);
    copy.list = [...this.list];
    copy.value = this.value;
    return copy;
  }
}

const key = fc.constantFrom<number | string>(1, 2, 3, '1', 'first', -0, Number.NaN);
const item = fc.oneof(
  fc.integer({ min: 0, max: 9 }),
  fc.record({ a: fc.integer() }, { noNullPrototype: true }),
);
const items = fc.array(item, { maxLength: 4 });
const place = fc.integer({ min: -4, max: 6 });
const keys = fc.array(key, { maxLength: 3 });
const does = fc.constantFrom(
  ...([
    ...(['map.set', 'map.delete', 'map.update', 'map.setAll', 'map.deleteAll'] as const),
    ...(['map.clear', 'map.walk', 'map.walk', 'set.add', 'set.addAll', 'set.delete'] as const),
    ...(['set.deleteAll', 'set.clear', 'set.walk', 'list.push', 'list.pop', 'list.shift'] as const),
    ...(['list.unshift', 'list.set', 'list.update', 'list.splice', 'list.splice'] as const),
    ...(['list.slice', 'list.clear', 'list.walk', 'value.set', 'value.update'] as const),
  ] as const),
);
const step = fc.record(
  {
    does,
    key,
    keys,
    item,
    items,
    place,
    entries: fc.array(fc.tuple(key, item), { maxLength: 3 }),
    /** At which item of a walk something happens. */
    on: fc.nat(3),
    come: keys,
    clears: fc.boolean(),
    gone: fc.option(fc.nat(4), { nil: undefined }),
    to: fc.option(place, { nil: undefined }),
  },
  { noNullPrototype: true },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface MapLike<V> {
  set(key: number | string, value: V): unknown;
  delete(key: number | string): boolean;
  clear(): void;
}

/** Changes what it walks along. */
function walk(
  each: Iterable<unknown>,
  { on, keys: gone, come, clears }: Step,
  change: Pick<MapLike<number>, 'delete' | 'clear'> & { come(key: number | string): void },
): unknown[] {
  const seen: unknown[] = [];
  for (const one of each) {
    seen.push(one);
    if (seen.length > 20) break;
    if (seen.length !== on + 1) continue;
    for (const k of gone) change.delete(k);
    if (clears) change.clear();
    for (const k of come) change.come(k);
  }
  return seen;
}

/** What a step answers of the durable ones, and of the plain ones. */
function both(store: Store, plain: Plain, s: Step): [unknown, unknown] {
  switch (s.does) {
    case 'map.set':
      store.map.set(s.key, s.item);
      plain.map.set(s.key, s.item);
      return [store.map.get(s.key), plain.map.get(s.key)];
    case 'map.delete':
      return [store.map.delete(s.key), plain.map.delete(s.key)];
    case 'map.update': {
      const change = (old: unknown): unknown => ({ old: typeof old, new: s.item });
      const made = change(plain.map.get(s.key));
      plain.map.set(s.key, made);
      return [store.map.update(s.key, change), made];
    }
    case 'map.setAll':
      store.map.setAll(s.entries);
      for (const [k, v] of s.entries) plain.map.set(k, v);
      return [0, 0];
    case 'map.deleteAll':
      return [store.map.deleteAll(s.keys), s.keys.filter((k) => plain.map.delete(k)).length];
    case 'map.clear':
      return [store.map.clear(), plain.map.clear()];
    case 'map.walk': {
      const [a, b] = [store.map, plain.map];
      return [
        walk(a, s, {
          delete: (k) => a.delete(k),
          clear: () => a.clear(),
          come: (k) => a.set(k, 1),
        }),
        walk(b, s, {
          delete: (k) => b.delete(k),
          clear: () => b.clear(),
          come: (k) => b.set(k, 1),
        }),
      ];
    }
    case 'set.add':
      return [store.set.add(s.key).has(s.key), plain.set.add(s.key).has(s.key)];
    case 'set.addAll':
      store.set.addAll(s.keys);
      for (const k of s.keys) plain.set.add(k);
      return [0, 0];
    case 'set.delete':
      return [store.set.delete(s.key), plain.set.delete(s.key)];
    case 'set.deleteAll':
      return [store.set.deleteAll(s.keys), s.keys.filter((k) => plain.set.delete(k)).length];
    case 'set.clear':
      return [store.set.clear(), plain.set.clear()];
    case 'set.walk': {
      const [a, b] = [store.set, plain.set];
      return [
        walk(a, s, { delete: (k) => a.delete(k), clear: () => a.clear(), come: (k) => a.add(k) }),
        walk(b, s, { delete: (k) => b.delete(k), clear: () => b.clear(), come: (k) => b.add(k) }),
      ];
    }
    case 'list.push':
      return [store.list.push(...s.items), plain.list.push(...s.items)];
    case 'list.pop':
      return [store.list.pop(), plain.list.pop()];
    case 'list.shift':
      return [store.list.shift(), plain.list.shift()];
    case 'list.unshift':
      return [store.list.unshift(...s.items), plain.list.unshift(...s.items)];
    case 'list.set':
    case 'list.update': {
      const { place: at, item: made } = s;
      const there = at >= 0 && at < plain.list.length;
      const change = (): unknown =>
        s.does === 'list.set' ? store.list.set(at, made) : store.list.update(at, () => made);
      if (there) change();
      else expect(change).toThrow(RangeError);
      if (there) plain.list[at] = made;
      return [store.list.at(at), plain.list.at(at)];
    }
    case 'list.splice':
      return s.gone === undefined
        ? [store.list.splice(s.place), plain.list.splice(s.place)]
        : [
            store.list.splice(s.place, s.gone, ...s.items),
            plain.list.splice(s.place, s.gone, ...s.items),
          ];
    case 'list.slice':
      return [store.list.slice(s.place, s.to), plain.list.slice(s.place, s.to)];
    case 'list.clear':
      return [store.list.clear(), void (plain.list = [])];
    case 'list.walk': {
      const go = (list: DurableList<unknown> | unknown[]): unknown[] => {
        const seen: unknown[] = [];
        for (const one of list) {
          seen.push(one);
          if (seen.length > 20) break;
          if (seen.length === s.on + 1) list.splice(s.place, s.gone ?? 0, ...s.items);
        }
        return seen;
      };
      return [go(store.list), go(plain.list)];
    }
    case 'value.set':
      return [store.value.set(s.item), void (plain.value = s.item)];
    default: {
      const change = (old: unknown): unknown => ({ old: typeof old, new: s.item });
      return [store.value.update(change), (plain.value = change(plain.value))];
    }
  }
}

const ASKED = [1, 2, 3, '1', 'first', 0, Number.NaN, 'never'];

/** All that can be seen of the collections. */
const sight = ({ map, set, list }: Store | Plain, value: unknown): unknown => [
  [[...map], [...map.keys()], [...map.values()], map.size],
  [[...set], [...set.entries()], set.size],
  [[...list], [...list.entries()], list.length, list.at(0), list.at(-1), list.at(-3), list.at(9)],
  ASKED.map((k) => [map.has(k), map.get(k), set.has(k)]),
  value,
];

/** The matchers of jest are slow, and needed only to show what differs. */
function expectEqual(durable: unknown, ordinary: unknown): void {
  if (!isDeepStrictEqual(durable, ordinary)) expect(durable).toStrictEqual(ordinary);
}

const expectSame = (store: Store, plain: Plain): void =>
  expectEqual(sight(store, store.value.get()), sight(plain, plain.value));

/** One call, with one that joins it in the middle and may fail for itself. */
const call = fc.record({
  first: fc.array(step, { maxLength: 6 }),
  joined: fc.array(step, { maxLength: 4 }),
  joinedFails: fc.boolean(),
  then: fc.array(step, { maxLength: 4 }),
  fails: fc.boolean(),
  after: fc.constantFrom('nothing', 'nothing', 'restart', 'save', 'save and restart'),
});

const bind = (world: World): Store => world.bind(new Store(), { name: 'store' });

it('programs of calls that end well or not, with restarts between them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 5 }), async (calls) => {
      let world = await World.open();
      let store = bind(world);
      let plain = new Plain();
      const steps = (list: readonly Step[], twin: Plain): void => {
        for (const s of list) {
          const [durable, ordinary] = both(store, twin, s);
          expectEqual(durable, ordinary);
          expectSame(store, twin);
        }
      };
      for (const { first, joined, joinedFails, then, fails, after } of calls) {
        let twin = plain.copy();
        const outer = run(store, async () => {
          steps(first, twin);
          const before = twin.copy();
          const inner = run(store, () => {
            steps(joined, twin);
            if (joinedFails) throw new Error('joined');
          });
          if (joinedFails) {
            await expect(inner).rejects.toThrow('joined');
            twin = before;
          }
          await inner.catch(() => {});
          expectSame(store, twin);
          steps(then, twin);
          if (fails) throw new Error('no');
        });
        if (fails) await expect(outer).rejects.toThrow('no');
        else plain = (await outer, twin);
        expectSame(store, plain);
        if (after.includes('save')) await world.engine.save();
        if (!after.includes('restart')) continue;
        world = await world.restart();
        store = bind(world);
        expectSame(store, plain);
      }
    }),
    { numRuns: 200 },
  );
});

it('without a store, too', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const [store, plain] = [new Store(), new Plain()];
      for (const s of steps) {
        const [durable, ordinary] = both(store, plain, s);
        expectEqual(durable, ordinary);
        expectSame(store, plain);
      }
    }),
    { numRuns: 200 },
  );
});

it('every function of an array that only reads answers as that of the array', () => {
  const [list, plain] = [new DurableList([3, 1, 2]), [3, 1, 2]];
  const isSmall = (n: number): boolean => n < 3;
  expect(list.find(isSmall)).toBe(plain.find(isSmall));
  expect(list.findIndex((n) => n > 5)).toBe(-1);
  expect([list.some(isSmall), list.every(isSmall)]).toEqual([true, false]);
  expect(list.map((n, i) => n * i)).toEqual(plain.map((n, i) => n * i));
  expect(list.filter(isSmall)).toEqual(plain.filter(isSmall));
  expect(list.reduce((a, b) => a + b, 0)).toBe(6);
  const seen: unknown[] = [];
  list.forEach((n, i) => seen.push([i, n]));
  expect(seen).toEqual([...plain.entries()]);
  expect([list.at(-1.5), list.at(0.5), list.slice(-1.5)]).toEqual([
    plain.at(-1.5),
    plain.at(0.5),
    plain.slice(-1.5),
  ]);
  expect(list.splice(-1.5)).toEqual(plain.splice(-1.5));
  expect(list.splice(0, undefined as never)).toEqual(plain.splice(0, undefined as never));
  expect(list.splice(1, undefined as never, 'x' as never)).toEqual([]);
  plain.splice(1, undefined as never, 'x' as never);
  expect([...list]).toEqual(plain);
});

it('a walk in one call does not see what another has not finished', async () => {
  const world = await World.open();
  const store = bind(world);
  let goOn!: () => void;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const slow = run(store, async () => {
    store.map.set('unfinished', 1);
    await gate;
  });
  expect([...store.map.keys()]).toEqual(['first']);
  goOn();
  await slow;
  expect([...store.map.keys()]).toEqual(['first', 'unfinished']);
});

it('takes 200,000 items at once, and one of 5 MB', async () => {
  const world = await World.open();
  const store = bind(world);
  await run(store, () => {
    store.list.push('x'.repeat(5_000_000));
    for (let i = 0; i < 20; i += 1) store.list.push(...Array.from({ length: 10_000 }, () => i));
  });
  await world.engine.save();
  const again = bind(await world.restart());
  expect([again.list.length, (again.list.at(1) as string).length]).toEqual([200_002, 5_000_000]);
});
