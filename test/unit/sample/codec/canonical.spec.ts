import {
  canonical,
  NotCanonicalError,
} from '../../../../sample/banking-stage/src/codec/canonical.js';
import { digest } from '../../../../sample/banking-stage/src/codec/digest.js';

describe('canonical encoding', () => {
  it('is the same whatever the order of the keys', () => {
    expect(canonical({ b: 1, a: [true, null, 'x'] })).toBe('{"a":[true,null,"x"],"b":1}');
    expect(canonical({ a: [true, null, 'x'], b: 1 })).toBe('{"a":[true,null,"x"],"b":1}');
  });

  it('sorts keys by code unit, not by locale', () => {
    expect(canonical({ ä: 1, z: 2, Z: 3, a: 4 })).toBe('{"Z":3,"a":4,"z":2,"ä":1}');
  });

  it('writes minus zero as zero', () => {
    expect(canonical(-0)).toBe('0');
  });

  it('reads back as the value it was made from', () => {
    const value = { text: 'tab\t"quote" é 😀', list: [1, -2, []], nothing: null };

    expect(JSON.parse(canonical(value))).toEqual(value);
  });

  it.each([
    ['a fraction', { a: 1.5 }, '.a is not a safe integer'],
    ['not a number', { a: Number.NaN }, '.a is not a safe integer'],
    ['infinity', [Infinity], '[0] is not a safe integer'],
    ['an integer that JSON would round', 2 ** 53, 'value is not a safe integer'],
    ['undefined', { a: { b: undefined } }, '.a.b has no canonical form (undefined)'],
    // oxlint-disable-next-line no-sparse-arrays
    ['a hole', [1, , 3], '[1] has no canonical form (undefined)'],
    ['a bigint', [1n], '[0] has no canonical form (bigint)'],
    ['a date', { at: new Date(0) }, '.at has no canonical form (object)'],
    ['a map', new Map(), 'value has no canonical form (object)'],
    ['half of a surrogate pair', ['\ud800'], '[0] is not well-formed Unicode'],
  ])('refuses %s and says where it is', (_, value, message) => {
    expect(() => canonical(value)).toThrow(NotCanonicalError);
    expect(() => canonical(value)).toThrow(message);
  });
});

describe('digest', () => {
  it('is a sha-256 over the kind and the canonical form', () => {
    expect(digest('test', { b: 1, a: 2 })).toMatch(/^[0-9a-f]{64}$/);
    expect(digest('test', { b: 1, a: 2 })).toBe(digest('test', { a: 2, b: 1 }));
  });

  it('differs by kind, so that one thing cannot be passed off as another', () => {
    expect(digest('payment', { a: 1 })).not.toBe(digest('block', { a: 1 }));
  });

  it('stays what it was: chains on disk will depend on it', () => {
    expect(digest('golden', { amount: 1, to: 'é' })).toBe(
      'aa41b21fd0df6685952da085ec37a807a08d5f1f229b09c1025e265bdc9d7f39',
    );
  });
});
