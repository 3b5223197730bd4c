// What goes in comes back as it went, or is refused; and nobody changes what is kept from outside.
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { DurableList } from '../../../lib/checkpoint/collections/durable-list.js';
import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import { DurableSet } from '../../../lib/checkpoint/collections/durable-set.js';
import { DurableValue } from '../../../lib/checkpoint/collections/durable-value.js';
import type { ClassCodec, ClassCodecs } from '../../../lib/checkpoint/value/class-registry.js';
import { v8Codec } from '../../../lib/checkpoint/value/codec.js';
import { difference } from '../../../lib/checkpoint/value/same.js';
import { UnsupportedValueError } from '../../../lib/checkpoint/value/unsupported-value.error.js';
import { run, World } from './world.js';

class Box {
  readonly value = new DurableValue<unknown>(undefined);
  readonly map = new DurableMap<never, unknown>();
  readonly set = new DurableSet<never>();
  readonly list = new DurableList<unknown>();
}

class Money {
  constructor(
    readonly amount: bigint,
    readonly since: Date,
  ) {}
}

class Unknown {
  readonly x = 1;
}

const classes: ClassCodecs = {
  money: {
    type: Money,
    encode: ({ amount, since }: Money) => ({ amount, since }),
    decode: (data: unknown) => {
      const { amount, since } = data as Money;
      return new Money(amount, since);
    },
  } satisfies ClassCodec<Money>,
};

const open = async (): Promise<{ world: World; box: Box }> => {
  const world = await World.open(undefined, { classes });
  return { world, box: world.bind(new Box(), { name: 'box' }) };
};

const reborn = async (world: World): Promise<Box> =>
  (await world.restart({ classes })).bind(new Box(), { name: 'box' });

/** Through the journal, then through a saved state. */
async function thereAndBack(value: unknown): Promise<unknown[]> {
  const { world, box } = await open();
  await run(box, () => {
    box.value.set(value);
    box.list.push(value);
  });
  const seen = [box.value.get()];
  const again = await reborn(world);
  seen.push(again.value.get(), again.list.at(0));
  await world.engine.save();
  seen.push((await reborn(world)).value.get());
  return seen;
}

const shared = { once: 1 };

describe('#106 what comes back is what went', () => {
  it.each<[string, unknown]>([
    ['a Date', new Date(12)],
    [
      'a Map',
      new Map<unknown, unknown>([
        ['a', { b: 1 }],
        [{ key: 1 }, new Date(1)],
      ]),
    ],
    ['a Set', new Set<unknown>([1, '1', { a: 1 }])],
    ['a BigInt', 2n ** 80n],
    ['NaN', Number.NaN],
    ['-0', -0],
    ['-0 in an array', [-0]],
    ['undefined', undefined],
    ['a field that is undefined', { a: undefined, b: [undefined] }],
    ['null', null],
    ['Infinity', [Infinity, -Infinity]],
    ['bytes', new Uint8Array([1, 2, 3])],
    ['a part of bytes', new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
    ['floats', new Float64Array([Number.NaN, -0, 1.5])],
    ['big integers in bytes', new BigInt64Array([-1n])],
    ['an ArrayBuffer', new Uint8Array([1, 2]).buffer],
    ['a Buffer', Buffer.from('abc')],
    ['a view', new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1)],
    ['a lone surrogate', { '\ud800': '\udfff' }],
    ['a text with zeros', 'a\0b'],
    ['keys that look like numbers', { 2: 'b', 1: 'a', '01': 'c', '-1': 'd' }],
    ['an instance of a registered class', new Money(5n, new Date(7))],
    ['registered instances further in', { list: [new Map([['a', new Money(1n, new Date(1))]])] }],
    ['what has our own mark', { '$bulwark:class': 'money', data: { '$bulwark:class': '' } }],
    ['one object in two places', [shared, shared]],
    ['100 levels', Array.from({ length: 99 }).reduce<unknown>((inner) => ({ inner }), {})],
  ])('%s', async (_name, value) => {
    for (const seen of await thereAndBack(value)) expect(seen).toStrictEqual(value);
  });

  it('an invalid Date', async () => {
    for (const seen of await thereAndBack(new Date(Number.NaN)))
      expect((seen as Date).getTime()).toBeNaN();
  });

  it('whatever it is, or it is refused', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
        }),
        async (value) => {
          let seen: unknown[];
          try {
            seen = await thereAndBack(value);
          } catch (error) {
            expect(error).toBeInstanceOf(UnsupportedValueError);
            return;
          }
          for (const one of seen) expect(difference(value, one, 'value')).toBeUndefined();
        },
      ),
      { numRuns: 150 },
    );
  });
});

const circle: { self?: unknown } = {};
circle.self = [circle];
const holey: unknown[] = [1];
holey[2] = 3;
const deep = Array.from({ length: 5_000 }).reduce<unknown>((inner) => [inner], []);
const dateWithMore = Object.assign(new Date(0), { zone: 'UTC' });
const noted = Object.assign(new Float64Array([NaN, -0]), { note: 1 });
const signed = Object.assign(new Uint8Array([7]), { [Symbol('by')]: 1 });
const bufferWithMore = Object.assign(new ArrayBuffer(2), { note: 1 });

describe('#106 what would not come back is refused with its place, and changes nothing', () => {
  it.each<[string, unknown, RegExp]>([
    ['a function', { a: [() => 1] }, /box\.value\.a\[0\]: got a function/],
    ['a symbol', { a: Symbol('s') }, /box\.value\.a: got/],
    ['a symbol for a field', { [Symbol('s')]: 1 }, /box\.value\[Symbol\(s\)\]: a symbol names/],
    ['an Error', { e: new Error('x') }, /box\.value\.e: got an instance of Error/],
    ['an instance of some class', [new Unknown()], /box\.value\[0\]: got an instance of Unknown/],
    ['a class that extends a built-in', new (class Bag extends Map {})(), /an instance of Bag/],
    ['a class that extends Array', new (class Row extends Array {})(), /an instance of Row/],
    ['a null prototype', { a: Object.create(null) }, /box\.value\.a: got an instance of no class/],
    ['a cycle', circle, /box\.value\.self\[0\]: refers back to itself/],
    ['a hole', { a: holey }, /box\.value\.a: an array with holes/],
    ['a field on an array', Object.assign([1], { more: 1 }), /with fields of its own/],
    [
      'an accessor',
      {
        get a() {
          return 1;
        },
      },
      /box\.value\.a: an accessor/,
    ],
    ['a hidden field', Object.defineProperty({}, 'a', { value: 1 }), /a: is not enumerable/],
    ['a field on a Date', { at: dateWithMore }, /box\.value\.at\.zone: a field on a built-in/],
    ['a field on bytes', { of: noted }, /box\.value\.of\.note: a field on a built-in/],
    ['a symbol on bytes', [signed], /box\.value\[0\]\[Symbol\(by\)\]: a field on a built-in/],
    ['a field on a buffer', bufferWithMore, /box\.value\.note: a field on a built-in/],
    ['too many levels', deep, /nested deeper than 100/],
    ['a promise', Promise.resolve(1), /got an instance of Promise/],
    ['a RegExp', /x/, /got an instance of RegExp/],
    ['a wrapped number', Object(1), /got an instance of Number/],
    ['a WeakMap', new WeakMap(), /got an instance of WeakMap/],
    ['shared memory', new Uint8Array(new SharedArrayBuffer(2)), /got an instance of Uint8Array/],
    ['a function in a Map', new Map([['k', () => 1]]), /box\.value\["k"\]: got a function/],
    [
      'an Error as a member',
      new Set([new Error('x')]),
      /box\.value member: got an instance of Error/,
    ],
    ['an instance as a key', new Map([[new Unknown(), 1]]), /box\.value key .*: got an instance/],
  ])('%s', async (_name, value, message) => {
    const { world, box } = await open();
    await run(box, () => box.value.set('before'));
    const call = run(box, () => box.value.set(value));
    await expect(call).rejects.toThrow(UnsupportedValueError);
    await expect(call).rejects.toThrow(message);
    expect(box.value.get()).toBe('before');
    expect((await reborn(world)).value.get()).toBe('before');
  });

  it.each<[string, unknown]>([
    ['an object', {}],
    ['an array', []],
    ['a Date', new Date(0)],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
  ])('%s as a key', async (_name, key) => {
    const { box } = await open();
    await expect(run(box, () => box.map.set(key as never, 1))).rejects.toThrow(/box\.map key: got/);
    await expect(run(box, () => box.set.add(key as never))).rejects.toThrow(/box\.set key: got/);
  });

  it('nothing is frozen by a value that is refused', async () => {
    const { box } = await open();
    const value = { good: { a: 1 }, bad: () => 1 };
    await expect(run(box, () => box.value.set(value))).rejects.toThrow(UnsupportedValueError);
    value.good.a = 2;
    expect(value.good.a).toBe(2);
  });

  it('an instance whose class is registered no more', async () => {
    const { world, box } = await open();
    await run(box, () => box.value.set(new Money(1n, new Date(1))));
    const without = (await world.restart()).bind(new Box(), { name: 'box' });
    expect(() => without.value.get()).toThrow(/class "money": was kept, and is not in/);
  });
});

it('keys come back as they went, each of its kind', async () => {
  const keys = [
    '1',
    1,
    1n,
    true,
    'true',
    Number.NaN,
    0,
    '',
    '\ud800',
    '__proto__',
    'constructor',
    null,
  ];
  const { world, box } = await open();
  await run(box, () => {
    for (const key of keys) box.map.set(key as never, String(key));
    box.set.addAll(keys as never[]);
  });
  const again = await reborn(world);
  expect([...again.map.keys()]).toStrictEqual(keys);
  expect([...again.set]).toStrictEqual(keys);
  expect(again.map.get(Number.NaN as never)).toBe('NaN');
});

describe('#107 #108 #109 nothing kept becomes more than data', () => {
  const hostile = (depth: number): unknown =>
    JSON.parse(
      `${'{"a":['.repeat(depth)}{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"prototype":{"x":1},"$$typeof":"x","then":"_$$ND_FUNC$$_function(){}()"}${']}'.repeat(depth)}`,
    );
  // a field called constructor confuses the matchers of jest
  const textOf = (value: unknown): string => JSON.stringify(value);
  const names = ['__proto__', 'constructor', 'prototype', 'toString'] as never[];

  it.each([0, 1, 2, 5])(
    'keys that name prototypes are plain fields, %i levels down',
    async (depth) => {
      for (const value of [hostile(depth), { bytes: new Uint8Array(1), more: hostile(depth) }]) {
        for (const seen of await thereAndBack(value)) expect(textOf(seen)).toBe(textOf(value));
        expect(({} as { x?: unknown }).x).toBeUndefined();
        expect(Object.keys(Object.prototype)).toEqual([]);
      }
    },
  );

  it('as keys of a map, and members of a set', async () => {
    const { world, box } = await open();
    await run(box, () => {
      for (const name of names) box.map.set(name, { x: 1 });
      box.set.addAll(names);
    });
    await world.engine.save();
    const again = await reborn(world);
    expect([...again.map.keys()]).toEqual(names);
    expect([...again.set]).toEqual(names);
    expect(again.map.get('hasOwnProperty' as never)).toBeUndefined();
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it('with the prototypes frozen as well', async () => {
    // a realm of its own, for no later test is to find its prototypes frozen
    const data: unknown = runInNewContext(
      `Object.freeze(Object.prototype); Object.freeze(Array.prototype);
       JSON.parse('{"__proto__":{"x":1},"list":[{"constructor":{"x":1}}]}')`,
    );
    const plain = JSON.parse('{"__proto__":{"x":1},"list":[{"constructor":{"x":1}}]}') as unknown;
    for (const seen of await thereAndBack(data))
      expect(JSON.stringify(seen)).toBe(JSON.stringify(plain));
  });

  it('a name of a class is looked up among those of the registry only', async () => {
    const forged = { '$bulwark:class': 'constructor', data: {} };
    for (const seen of await thereAndBack(forged)) expect(seen).toStrictEqual(forged);
  });
});

describe('what is kept cannot be changed from outside', () => {
  it('a write in place throws, at every depth', async () => {
    const { box } = await open();
    await run(box, () => box.value.set({ a: [{ b: 1 }] }));
    const value = box.value.get() as { a: { b: number }[] };
    expect(() => (value.a[0]!.b = 2)).toThrow(TypeError);
    expect(() => value.a.push({ b: 3 })).toThrow(TypeError);
    expect(() => delete (value as { a?: unknown }).a).toThrow(TypeError);
  });

  it('after a restart, too', async () => {
    const { world, box } = await open();
    await run(box, () => box.value.set({ a: [{ b: 1 }], at: new Date(1) }));
    const value = (await reborn(world)).value.get() as { a: { b: number }[] };
    expect(() => (value.a[0]!.b = 2)).toThrow(TypeError);
  });

  it('a caller’s own Date, Map or bytes are not the kept ones', async () => {
    const { world, box } = await open();
    const own = { at: new Date(1), bytes: new Uint8Array([1]), names: new Map([['a', [1]]]) };
    await run(box, () => box.value.set(own));
    own.at.setTime(2);
    own.bytes[0] = 2;
    own.names.get('a')!.push(2);
    own.names.clear();
    const kept = { at: new Date(1), bytes: new Uint8Array([1]), names: new Map([['a', [1]]]) };
    expect(box.value.get()).toEqual(kept);
    expect((await reborn(world)).value.get()).toEqual(kept);
  });

  it('what is given out is not the kept one', async () => {
    const { box } = await open();
    await run(box, () => box.value.set({ at: new Date(1), names: new Set(['a']) }));
    const given = box.value.get() as { at: Date; names: Set<string> };
    given.at.setTime(2);
    given.names.add('b');
    expect(box.value.get()).toEqual({ at: new Date(1), names: new Set(['a']) });
    await run(box, () => {
      (box.value.get() as { at: Date }).at.setTime(3);
      expect((box.value.get() as { at: Date }).at).toEqual(new Date(1));
    });
  });

  it('a call’s own object is frozen once it is kept', async () => {
    const { box } = await open();
    const mine = { a: 1 };
    await run(box, () => box.value.set(mine));
    expect(() => (mine.a = 2)).toThrow(TypeError);
  });
});

/** An object that is reached by 2 to the 40th ways. */
function manyWays(end: object): unknown {
  let value: unknown = end;
  for (let i = 0; i < 40; i += 1) value = { left: value, right: value };
  return value;
}

describe('what is referred to from many places is looked at once', () => {
  it('where it is frozen', async () => {
    const end = { a: 1 };
    const [seen, journaled, saved] = (await thereAndBack(manyWays(end))) as { left: unknown }[];
    expect(Object.isFrozen(end)).toBe(true);
    for (const value of [seen, journaled, saved]) {
      let part = value as { left?: unknown; right?: unknown; a?: number };
      for (; part.a === undefined; part = part.left as typeof part) {
        expect(part.left).toBe(part.right);
        expect(Object.isFrozen(part)).toBe(true);
      }
      expect(part.a).toBe(1);
    }
  });

  it('where it is copied', async () => {
    const { world, box } = await open();
    await run(box, () => box.value.set(manyWays({ at: new Date(5) })));
    for (const value of [box.value.get(), (await reborn(world)).value.get()]) {
      let part = value as { left?: unknown; right?: unknown; at?: Date };
      for (; part.at === undefined; part = part.left as typeof part)
        expect(part.left).toBe(part.right);
      expect(part.at).toEqual(new Date(5));
    }
  });

  it('and what is wrong with it is told with a way to it', async () => {
    const { box } = await open();
    const call = run(box, () => box.value.set(manyWays({ f: () => 1 })));
    await expect(call).rejects.toThrow(/^box\.value(\.left){40}\.f: got function f/);
  });

  it('in an entry too small for the native writer: one stays one', () => {
    const one = { a: 1 };
    const back = v8Codec.decode(v8Codec.encode([one, one])) as unknown[];
    expect(back[0]).toBe(back[1]);
  });
});
