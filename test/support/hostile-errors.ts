const throwing = (): never => {
  throw new Error('gotcha');
};

/** A chain of that many errors, made without recursion. */
function chain(length: number): Error {
  let error = new Error('innermost');
  for (let i = 1; i < length; i += 1) error = new Error('x', { cause: error });
  return error;
}

const TRAPS = [
  'get',
  'has',
  'getPrototypeOf',
  'ownKeys',
  'getOwnPropertyDescriptor',
  'apply',
  'isExtensible',
] as const;

/** #163: what a method may throw to harm whoever looks at it. Each is made anew. */
export const HOSTILE: readonly (readonly [name: string, make: () => unknown])[] = [
  [
    'an error whose getters throw',
    () =>
      Object.defineProperties(
        new Error('x'),
        Object.fromEntries(
          ['stack', 'name', 'message', 'code', 'status', 'cause', 'response', 'constructor'].map(
            (key) => [key, { get: throwing }],
          ),
        ),
      ),
  ],
  [
    'a Proxy that throws on every trap',
    () => new Proxy(new Error('x'), Object.fromEntries(TRAPS.map((trap) => [trap, throwing]))),
  ],
  [
    'a revoked Proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
  ],
  ['an object without a prototype', () => Object.create(null)],
  [
    'a cyclic cause',
    () => {
      const error = new Error('x');
      error.cause = new Error('y', { cause: error });
      return error;
    },
  ],
  ['a cause 10,000 deep', () => chain(10_000)],
  [
    'a toJSON that throws',
    () => Object.assign(new Error('x'), { toJSON: throwing, toString: throwing }),
  ],
  ['an AggregateError of a million', () => new AggregateError(new Array(1_000_000).fill('x'))],
  [
    'an AggregateError of itself',
    () => {
      const error = new AggregateError([]);
      error.errors.push(error, error);
      return error;
    },
  ],
  [
    'AggregateErrors nested without end',
    () => {
      const nest: object = {
        name: 'AggregateError',
        get errors() {
          return Array.from({ length: 1_000 }, () => nest);
        },
      };
      return nest;
    },
  ],
  ['a message of 5 MB', () => new Error('all too much '.repeat(400_000))],
  ['a Symbol', () => Symbol('x')],
  ['undefined', () => undefined],
  ['null', () => null],
  ['a number', () => Number.NaN],
  ['a function', () => throwing],
  [
    'an object whose every property is itself',
    () => {
      const self: object = new Proxy(() => self, { get: () => self });
      return Object.create(self) as object;
    },
  ],
];
