import { deserialize, serialize } from 'node:v8';
import { v8Codec } from '../../../lib/checkpoint/value/codec.js';
import { PlainReader } from '../../../lib/checkpoint/value/plain-reader.js';
import { PlainWriter } from '../../../lib/checkpoint/value/plain-writer.js';
import { difference } from '../../../lib/checkpoint/value/same.js';
import { seededRandom } from '../../../lib/testing/index.js';

const NUMBERS = [NaN, -0, 0, Infinity, 2 ** 31, -(2 ** 31), 2 ** 31 - 1, 2 ** 32, 2 ** 53, 1e300];
const HIGHEST = [0x7f, 0xff, 0x3000, 0xffff];

/** Makes plain data by the dice. */
function plainData(seed: number): () => unknown {
  const random = seededRandom(seed);
  const upTo = (n: number): number => Math.floor(random() * n);
  const text = (): string => {
    const highest = HIGHEST[upTo(HIGHEST.length)]!;
    const codes = Array.from({ length: upTo(2) * upTo(80) + upTo(6) }, () => upTo(highest + 1));
    return String.fromCharCode(...codes);
  };
  const field = (): string => [text(), String(upTo(30)), '__proto__'][upTo(3)]!;
  const value = (depth: number): unknown => {
    switch (upTo(depth > 3 ? 7 : 9)) {
      case 0:
        return text();
      case 1:
        return upTo(2 ** 31) * (upTo(2) * 2 - 1);
      case 2:
        return random() * 1e9;
      case 3:
        return NUMBERS[upTo(NUMBERS.length)];
      case 4:
        return upTo(2) === 1;
      case 5:
        return null;
      case 6:
        return undefined;
      case 7:
        return Array.from({ length: upTo(5) }, () => value(depth + 1));
      default:
        return Object.fromEntries(
          Array.from({ length: upTo(5) }, () => [field(), value(depth + 1)]),
        );
    }
  };
  return () => value(0);
}

describe('bytes of data', () => {
  it('are of one format, whether we write them or Node does', () => {
    const writer = new PlainWriter();
    const next = plainData(11);
    for (let i = 0; i < 5_000; i += 1) {
      const data = next();
      const bytes = writer.write(data)!;
      // a batch puts it anywhere
      const inside = Buffer.concat([Buffer.alloc(1), bytes]).subarray(1);
      expect(difference(data, deserialize(bytes), 'data')).toBeUndefined();
      expect(difference(data, deserialize(inside), 'data')).toBeUndefined();
      expect(difference(deserialize(serialize(data)), deserialize(bytes), 'data')).toBeUndefined();
    }
  });

  it('are read as Node reads them, whoever wrote them', () => {
    const reader = new PlainReader();
    const next = plainData(12);
    let read = 0;
    for (let i = 0; i < 5_000; i += 1) {
      const data = next();
      for (const bytes of [new PlainWriter().write(data)!, serialize(data)]) {
        const inside = Buffer.concat([Buffer.alloc(1), bytes]).subarray(1);
        const plain = reader.read(inside);
        if (plain === undefined) continue;
        read += 1;
        expect(difference(deserialize(bytes), plain.data, 'data')).toBeUndefined();
        expect(difference(data, plain.data, 'data')).toBeUndefined();
      }
    }
    // the rest has a field called __proto__, or one with a number for its name
    expect(read).toBeGreaterThan(5_000);
  });

  it('that are damaged are read as Node reads them, or not at all', () => {
    const reader = new PlainReader();
    const random = seededRandom(13);
    const next = plainData(14);
    let refused = 0;
    for (let i = 0; i < 5_000; i += 1) {
      const bytes = Buffer.from(new PlainWriter().write([next(), next()])!);
      bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
      const cut = random() < 0.3 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
      const plain = reader.read(cut);
      if (plain === undefined) refused += 1;
      else expect(difference(deserialize(cut), plain.data, 'data')).toBeUndefined();
    }
    expect(refused).toBeGreaterThan(500);
    expect(refused).toBeLessThan(4_500);
  });

  it.each([
    ['many bytes', 'x'.repeat(20_000)],
    ['many levels', Array.from({ length: 70 }).reduce((inner: unknown) => [inner], 5)],
    ['a date', new Date(5)],
    ['one object in two places', ((one) => [one, one])({})],
    ['a field called __proto__', JSON.parse('{"__proto__":5}')],
    ['a field that every object has', { toString: 5 }],
  ])('are left to Node to read for %s', (_what, data: unknown) => {
    expect(new PlainReader().read(serialize([data]))).toBeUndefined();
    expect(difference([data], v8Codec.decode(serialize([data])), 'data')).toBeUndefined();
  });

  it('are read as they were where somebody hardened the prototype of all objects', () => {
    const bytes = v8Codec.encode({ owner: 'ada' });
    // oxlint-disable-next-line eslint/no-extend-native -- taken away again at once
    Object.defineProperty(Object.prototype, 'owner', { value: 'nobody', configurable: true });
    try {
      expect(Object.entries(v8Codec.decode(bytes) as object)).toEqual([['owner', 'ada']]);
    } finally {
      delete (Object.prototype as { owner?: string }).owner;
    }
  });

  it('with more behind them are left to Node', () => {
    expect(new PlainReader().read(Buffer.concat([serialize(5), Buffer.alloc(1)]))).toBeUndefined();
    expect(new PlainReader().read(Buffer.alloc(12_000))).toBeUndefined();
  });

  it('of an entry are those that were always written', () => {
    const entry = [1, [['ledger', 'balances', 'map', [false, [], [['alice', 5]], []]]], [], []];
    const written =
      'ff0f410449024101410422066c6564676572220862616c616e63657322036d617041044641002400' +
      '00410141022205616c696365490a240002240001410024000024000424000424000141002400004100240000240004';
    expect(new PlainWriter().write(entry)).toEqual(v8Codec.encode(entry));
    expect(Buffer.from(v8Codec.encode(entry)).toString('hex')).toBe(written);
  });

  it.each([
    ['a date', new Date(5)],
    ['a map', new Map([['a', 1]])],
    ['a bigint', 5n],
    ['bytes', new Uint8Array([1, 2])],
    ['an array with holes', Object.assign(Array.from({ length: 0 }), { 2: 3 })],
    ['an object of no class', Object.create(null)],
  ])('are left to Node for %s', (_what, data: unknown) => {
    expect(new PlainWriter().write([data])).toBeUndefined();
    expect(
      difference(deserialize(serialize([data])), v8Codec.decode(v8Codec.encode([data])), ''),
    ).toBe(undefined);
  });

  it('are left to Node where there is much, or what refers back to itself', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(new PlainWriter().write(circle)).toBeUndefined();
    const much = Array.from({ length: 100 }, (_, i) => ({ i }));
    expect(new PlainWriter().write(much)).toBeUndefined();
    expect(v8Codec.decode(v8Codec.encode(much))).toEqual(much);
  });

  it('are the taker’s own: the next do not write over them', () => {
    const first = v8Codec.encode({ a: 'first' });
    v8Codec.encode({ a: 'other' });
    expect(v8Codec.decode(first)).toEqual({ a: 'first' });
  });

  it('of a large text are all there', () => {
    const text = 'x'.repeat(300_000);
    const wide = 'ж'.repeat(300_000);
    expect(v8Codec.decode(v8Codec.encode([text, wide, text]))).toEqual([text, wide, text]);
  });
});
