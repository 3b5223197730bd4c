import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { structuralKey } from '../../../lib/pipeline/structural-key.js';

const same = (a: unknown, b: unknown): boolean => structuralKey(a) === structuralKey(b);

describe('#82 a structural key', () => {
  it.each<[unknown, unknown]>([
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [[{ x: { b: 1, a: [1, 2] } }], [{ x: { a: [1, 2], b: 1 } }]],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [new Date(5), new Date(5)],
    [Number.NaN, Number.NaN],
    [structuredClone({ a: [1] }), { a: [1] }],
  ])('#82 is the same for %j and %j', (a, b) => {
    expect(same(a, b)).toBe(true);
  });

  it.each<[unknown, unknown]>([
    [['a', 'b'], 'a,b'],
    [['a', 'b'], ['a,b']],
    [
      ['a', 'b'],
      ['b', 'a'],
    ],
    [
      ['a', ['b']],
      [['a'], 'b'],
    ],
    [['"a"'], ['a']],
    [1, '1'],
    [1n, 1],
    [1n, '1n'],
    [1n, 2n],
    [null, ''],
    [[null], []],
    [true, 'true'],
    [null, undefined],
    [null, 'null'],
    [undefined, 'undefined'],
    [[], {}],
    [[], [undefined]],
    [{}, { a: undefined }],
    [
      { a: 1, b: 2 },
      { a: 2, b: 1 },
    ],
    [{ 'a":1,"b': 2 }, { a: 1, b: 2 }],
    [JSON.parse('{"__proto__":{"admin":true}}'), {}],
    [JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":2}')],
    [new Date(5), 5],
    [new Date(5), '@5'],
    [new Date(5), new Date(6)],
    ['\ud800', '\ud801'],
    ['\ud800', '\ufffd'],
    ['é', 'e\u0301'],
    [Object.defineProperty({}, 'hidden', { value: 1 }), {}],
  ])('#82 differs for %j and %j', (a, b) => {
    expect(same(a, b)).toBe(false);
  });

  it('#82 has 43 characters, for a string of 1 MB too', () => {
    const big = 'x'.repeat(1 << 20);

    expect(structuralKey([big])).toHaveLength(43);
    expect(same([big], [`${big.slice(1)}y`])).toBe(false);
    expect(structuralKey([])).toMatch(/^[\w-]{43}$/);
  });

  it('#82 two data have the same key if and only if they are equal', () => {
    const data = fc.anything({
      withBigInt: true,
      withDate: true,
      withNullPrototype: true,
      key: fc.oneof(fc.string({ maxLength: 2 }), fc.constantFrom('__proto__', '0', 'a,b')),
      values: [
        fc.constantFrom('', ',', '"', '[]', '1', 'null', '\ud800', '@1', '1n'),
        fc.integer({ min: -1, max: 3 }),
        fc.boolean(),
        fc.constantFrom(null, undefined),
      ],
      maxDepth: 2,
      maxKeys: 2,
    });
    // what prototype an object has is nothing that a key tells
    const plain = (value: unknown): unknown => {
      if (typeof value !== 'object' || value === null || value instanceof Date) return value;
      if (Array.isArray(value)) return value.map(plain);
      const entries = Object.keys(value).map((k) => [k, plain((value as never)[k])]);
      return new Map(
        entries.toSorted(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)) as [],
      );
    };
    fc.assert(
      fc.property(data, data, (a, b) => {
        expect(same(a, b)).toBe(isDeepStrictEqual(plain(a), plain(b)));
        expect(same(a, structuredClone(a))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('#82 no key is made of what cannot be told apart in full', () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = [cyclic];
  class Dto {
    constructor(readonly id: string) {}
  }
  class List extends Array {}
  class Zoned extends Date {}
  class Sly {
    hasOwnProperty(): boolean {
      return true;
    }
  }
  let deep: unknown = 1;
  for (let i = 0; i < 101; i += 1) deep = [deep];
  const extra = Object.assign(['a'], { index: 0 });
  const holes = ['a', 'b'];
  delete holes[0];

  it.each<[string, unknown, string]>([
    ['a cycle', { a: cyclic }, 'the data["a"]["self"]["0"] contains itself'],
    ['a function', [() => 1], 'the data["0"] is a function'],
    ['a symbol', { s: Symbol('x') }, 'the data["s"] is a symbol'],
    ['a URL, whose parts are hidden', [new URL('http://a')], 'is an instance of URL'],
    ['a Map', new Map(), 'the data is an instance of Map'],
    ['an instance of a class', new Dto('1'), 'is an instance of Dto'],
    ['what inherits from data', Object.create({ id: 1 }), 'is an instance of Object'],
    [
      'what inherits from nothing much',
      Object.create(Object.create(null)),
      'an instance of a class',
    ],
    ['a kind of array', List.from(['a']), 'is an instance of List'],
    ['an array with a property', extra, 'holes or with properties'],
    ['an array with a hole', holes, 'holes or with properties'],
    ['a date with a property', Object.assign(new Date(1), { zone: 'x' }), 'is an instance of Date'],
    ['a kind of date', new Zoned(1), 'is an instance of Zoned'],
    ['a class that looks like Object', new Sly(), 'is an instance of Sly'],
    ['a symbol as a key', { [Symbol('tenant')]: 1 }, 'has a symbol as a key'],
    ['depth', deep, 'is nested deeper than 100'],
  ])('#82 %s is refused, with its place', (_, data, message) => {
    expect(() => structuralKey(data)).toThrow(TypeError);
    expect(() => structuralKey(data)).toThrow(message);
  });

  it('#82 the same object twice is no cycle', () => {
    const once = { id: 1 };

    expect(same([once, once], [{ id: 1 }, { id: 1 }])).toBe(true);
  });

  it('#82 data that is 100 deep has a key', () => {
    expect(structuralKey((deep as unknown[])[0])).toHaveLength(43);
  });
});
