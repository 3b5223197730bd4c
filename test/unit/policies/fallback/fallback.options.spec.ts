import { checkFallback } from '../../../../lib/policies/fallback/fallback.options.js';

const check = (plan: unknown): string[] =>
  checkFallback('X.y @Fallback', plan as never, (name) => name === 'known').map(
    ({ at, problem }) => `${at}: ${problem}`,
  );
const key = (): string => 'all';

it.each<[string, unknown]>([
  ['a function', () => 1],
  ['a handler', { handler: () => 1, on: RangeError, except: ['X'] }],
  ['a method', { method: 'known' }],
  ['an undefined value', { value: undefined }],
  ['a cache', { cache: { ttl: 1, key } }],
  [
    'a cache with all its options',
    { cache: { ttl: 1e12, key, maxEntries: 1, clone: true }, on: 'X' },
  ],
  ['a cache with options that are not given', { cache: { ttl: 1, key, maxEntries: undefined } }],
  ['an alternative', { alternative: () => 1 }],
  ['alternatives', { alternative: [() => 1, () => 2] }],
  ['a list of all', [{ alternative: () => 1 }, { cache: { ttl: 1, key } }, { value: 1 }]],
])('%s is a good plan', (_, plan) => {
  expect(check(plan)).toEqual([]);
});

it.each<[string, unknown, RegExp]>([
  ['a hole in the list', new Array(1), /^X.y @Fallback: got undefined, expected a function or/],
  [
    'a hole in the alternatives',
    { alternative: new Array(1) },
    /alternative: got an array of 1, expected a function, or a list of at least one/,
  ],
  [
    'no ttl',
    { cache: { key } },
    /^X.y @Fallback cache ttl: got undefined, expected a number of mill/,
  ],
  ['ttl 0', { cache: { ttl: 0, key } }, /^X.y @Fallback cache ttl: got 0, expected .* at least 1$/],
  ['ttl NaN', { cache: { ttl: Number.NaN, key } }, /cache ttl: got NaN/],
  ['ttl Infinity', { cache: { ttl: Infinity, key } }, /cache ttl: got Infinity/],
  ['a word as key', { cache: { ttl: 1, key: 'id' } }, /cache key: got "id", expected a function/],
  ['maxEntries 0', { cache: { ttl: 1, key, maxEntries: 0 } }, /cache maxEntries: got 0/],
  ['clone as a word', { cache: { ttl: 1, key, clone: 'yes' } }, /cache clone: got "yes"/],
  [
    'an unknown option of the cache',
    { cache: { ttl: 1, key, max: 1 } },
    /cache max: unknown option/,
  ],
  [
    'a cache that is a number',
    { cache: 5 },
    /^X.y @Fallback cache: got 5, expected an options object$/,
  ],
  ['a cache that is undefined', { cache: undefined }, /cache: got undefined, expected an options/],
  ['a cache that is null', { cache: null }, /cache: got null, expected an options object/],
  [
    'no alternative',
    { alternative: [] },
    /alternative: got an array of 0, expected a function, or/,
  ],
  ['a URL as alternative', { alternative: ['http://b'] }, /alternative: got an array of 1/],
  ['a URL among alternatives', { alternative: [() => 1, 'http://b'] }, /got an array of 2/],
  ['an empty list', [], /^X.y @Fallback: got an empty list, expected at least one fallback$/],
  ['a Map', new Map(), /^X.y @Fallback: got a Map, expected an options object$/],
  [
    'an object of no kind',
    {},
    /^X.y @Fallback: got none of them, expected exactly one of handler,/,
  ],
  ['a word in a list', [{ value: 1 }, 'value'], /^X.y @Fallback \[1\]: got "value"/],
  [
    'an undefined handler',
    { handler: undefined },
    /^X.y @Fallback handler: got undefined, expected a function$/,
  ],
  [
    'an error class that is not made yet',
    { value: 1, on: undefined },
    /^X.y @Fallback on: got undefined, expected an error class, a code or name/,
  ],
  [
    'a method that the class has not',
    { method: 'unknown' },
    /^X.y @Fallback method: got "unknown", expected a method of the class$/,
  ],
  ['no name of a method', { method: '' }, /^X.y @Fallback method: got "", expected a string/],
  [
    'two kinds',
    { cache: { ttl: 1, key }, value: 1 },
    /got value and cache, expected exactly one of/,
  ],
  ['a word', 'value', /got "value", expected a function or one of { handler }, .*{ queue }/],
  [
    'two caches',
    [{ cache: { ttl: 1, key } }, { cache: { ttl: 2, key } }],
    /^X.y @Fallback: got 2 times cache, expected it once in a list$/,
  ],
  [
    'a queue: it comes with the store of dead letters',
    { queue: 'orders', receipt: 1 },
    /^X.y @Fallback queue: got "orders", expected .*no dead-letter store configured$/,
  ],
])('%s is one mistake', (_, plan, message) => {
  expect(check(plan)).toEqual([expect.stringMatching(message)]);
});

it('a method needs a class to be looked for in', () => {
  expect(checkFallback('X.y', { method: 'known' })).toEqual([
    {
      at: 'X.y method',
      problem: 'got "known", expected a handler or a value: there is no class here',
    },
  ]);
});

it('#81 a cache without a key is refused: callers would get each other’s answers', () => {
  expect(check({ cache: { ttl: 1 } })).toEqual([
    "X.y @Fallback cache key: got undefined, expected a function of the call's arguments that names all its answer depends on, its caller included; () => 'all' where every caller may see the same",
  ]);
  expect(check([{ value: 1 }, { cache: { ttl: 1, key: undefined } }])).toHaveLength(1);
});
