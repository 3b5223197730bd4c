import { clean } from '../../../../lib/errors/record/clean.js';
import { ErrorReader, factsOf, headline } from '../../../../lib/errors/record/facts.js';
import type { ErrorFacts } from '../../../../lib/errors/error-context.js';

const trap = (): never => {
  throw new Error('trap');
};
const everyTrap = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((name) => [name, trap]),
);

function chain(length: number): Error {
  let error = new Error('0');
  for (let i = 1; i < length; i += 1) error = new Error(String(i), { cause: error });
  return error;
}

function sizeOf(facts: ErrorFacts): number {
  const { name, message, code = '', stack = '', cause } = facts;
  return [name, message, code, stack].join('').length + (cause === undefined ? 0 : sizeOf(cause));
}

const depthOf = ({ cause }: ErrorFacts): number => (cause === undefined ? 0 : 1 + depthOf(cause));

describe('the facts of an error', () => {
  it('are its name, message, code, status and cause', () => {
    const cause = Object.assign(new RangeError('deep'), { code: 7, statusCode: 404 });
    const error = Object.assign(new TypeError('down', { cause }), { code: 'E1', status: 503 });

    expect(factsOf(error)).toEqual({
      name: 'TypeError',
      message: 'down',
      code: 'E1',
      status: 503,
      cause: { name: 'RangeError', message: 'deep', code: '7', status: 404 },
    });
  });

  it('#161 come from these fields and no others, each read at most once', () => {
    const reads: string[] = [];
    const error = new Proxy(Object.assign(new Error('down'), { config: 1, response: 2 }), {
      get(target, key) {
        reads.push(String(key));
        return Reflect.get(target, key) as unknown;
      },
      ownKeys: trap,
      has: trap,
      getOwnPropertyDescriptor: trap,
      getPrototypeOf: trap,
    });
    factsOf(error, { stack: true });

    expect(reads.sort()).toEqual([
      'cause',
      'code',
      'message',
      'name',
      'stack',
      'status',
      'statusCode',
    ]);
  });

  it('#160 have nothing of what else an error carries', () => {
    const canary = 'CANARY-e2';
    const error = Object.assign(new Error('Request failed'), {
      config: { headers: { Authorization: canary } },
      command: { name: 'AUTH', args: [canary] },
      parameters: [canary],
      request: canary,
      response: { data: canary },
      detail: canary,
      toJSON: () => canary,
      toString: () => canary,
    });

    expect(JSON.stringify(factsOf(error, { stack: true }))).not.toContain(canary);
  });

  it('have no stack unless it is asked for', () => {
    let reads = 0;
    const stack = (): string => {
      reads += 1;
      return 'Error: x\n    at a (b.js:1:2)\n    at c (d.js:3:4)';
    };
    const error = Object.defineProperty(new Error('x'), 'stack', { get: stack });

    expect(factsOf(error)).not.toHaveProperty('stack');
    expect(reads).toBe(0);
    expect(factsOf(error, { stack: true }).stack).toBe('at a (b.js:1:2) | at c (d.js:3:4)');
    expect(reads).toBe(1);
  });

  it('have the frames of a stack also behind a message of 5 MB, and of a changed one', () => {
    const error = new Error('m'.repeat(5_000_000));
    const short = new Error('short');
    short.message = 'm'.repeat(5_000_000);

    expect(factsOf(error, { stack: true }).stack).toMatch(/^at .*facts\.spec/);
    expect(factsOf(short, { stack: true }).stack).toMatch(/^at .*facts\.spec/);
  });

  it('#164 are bounded: 2 KB of message, 20 frames, 8 KB of stack, 12 KB in all', () => {
    const frames = Array.from({ length: 50 }, (_, i) => `\n    at f${i} (${'p'.repeat(600)})`);
    let error: Error | undefined;
    for (let i = 0; i < 8; i += 1) {
      error = new Error('m'.repeat(9_000), { cause: error });
      Object.assign(error, { name: 'n'.repeat(9_000), code: 'c'.repeat(9_000) });
    }
    error!.stack = frames.join('');
    const facts = factsOf(error, { stack: true });
    const short = Object.assign(new Error(''), { stack: '\n    at f'.repeat(50) });
    const long = Object.assign(new Error(''), { stack: frames.join('') });

    expect([facts.name.length, facts.message.length, facts.code!.length]).toEqual([
      100, 2_048, 100,
    ]);
    expect(sizeOf(facts)).toBeLessThanOrEqual(12_288);
    expect(factsOf(short, { stack: true }).stack!.split(' | ')).toHaveLength(20);
    expect(factsOf(long, { stack: true }).stack).toHaveLength(8_192);
  });

  it('#161 go five causes deep', () => {
    expect(depthOf(factsOf(chain(6)))).toBe(5);
    expect(depthOf(factsOf(chain(7)))).toBe(5);
  });

  it('#163 follow no cause in a circle', () => {
    const a = new Error('a');
    const b = new Error('b', { cause: a });
    a.cause = b;
    const self = new Error('self');
    self.cause = self;

    expect(factsOf(a)).toEqual({
      name: 'Error',
      message: 'a',
      cause: { name: 'Error', message: 'b' },
    });
    expect(factsOf(self)).toEqual({ name: 'Error', message: 'self' });
  });

  it.each<[string, unknown, ErrorFacts]>([
    ['undefined', undefined, { name: 'undefined', message: '' }],
    ['null', null, { name: 'null', message: '' }],
    ['a text', 'text', { name: 'string', message: 'text' }],
    ['a number', 7, { name: 'number', message: '7' }],
    ['true', true, { name: 'boolean', message: 'true' }],
    ['a symbol', Symbol('s'), { name: 'symbol', message: 'Symbol(s)' }],
    ['a long bigint', 10n ** 5_000n, { name: 'bigint', message: 'a bigint' }],
    ['an object', { a: 1 }, { name: 'object', message: '' }],
    ['an object without a prototype', Object.create(null), { name: 'object', message: '' }],
    [
      'an object that speaks',
      { message: 'm', code: 'c' },
      { name: 'object', message: 'm', code: 'c' },
    ],
    ['a function', Object.assign(() => {}, { message: 'm' }), { name: 'function', message: 'm' }],
    ['a proxy that throws', new Proxy({}, everyTrap), { name: 'object', message: '' }],
    ['a proxy of a function', new Proxy(() => {}, everyTrap), { name: 'function', message: '' }],
    [
      'a cause that is a text',
      new Error('a', { cause: 'b' }),
      { name: 'Error', message: 'a', cause: { name: 'string', message: 'b' } },
    ],
    ['a cause that is null', new Error('a', { cause: null }), { name: 'Error', message: 'a' }],
    [
      'fields of odd kinds',
      { name: 1, message: {}, code: {}, status: 'x', statusCode: NaN },
      { name: 'object', message: '' },
    ],
    ['empty fields', { name: '', message: '', code: '' }, { name: 'object', message: '' }],
    [
      'a status of either name',
      { status: 'x', statusCode: 4 },
      { name: 'object', message: '', status: 4 },
    ],
    ['a message that is a number', { message: 5 }, { name: 'object', message: '5' }],
  ])('#163 of %s', (_, thrown, expected) => {
    expect(factsOf(thrown)).toEqual(expected);
  });

  it('#163 are read without calling anything of the error', () => {
    const bad = { toString: trap, toJSON: trap, valueOf: trap, [Symbol.toPrimitive]: trap };
    const error = Object.assign(new Error('m'), bad, { code: bad, status: bad });

    expect(factsOf(error)).toEqual({ name: 'Error', message: 'm' });
  });

  it('#163 are as many as can be read', () => {
    const error = Object.assign(new Error('m'), { code: 'C' });
    for (const key of ['stack', 'cause', 'name']) Object.defineProperty(error, key, { get: trap });

    expect(factsOf(error, { stack: true })).toEqual({ name: 'object', message: 'm', code: 'C' });
  });

  it('#163 of a chain of 10,000 causes and of 10^6 members are few', () => {
    const members = Array.from({ length: 1_000_000 }, (_, i) => i);
    const facts = factsOf(new AggregateError(members, 'all failed'));

    expect(depthOf(factsOf(chain(10_000)))).toBe(5);
    expect(facts.message).toBe('all failed (1000000 errors: number: 0; number: 1; number: 2; ...)');
  });

  it('say what the members of an AggregateError say, for it may say nothing itself', () => {
    const error = new AggregateError([new Error('::1'), new TypeError('127.0.0.1')]);

    expect(factsOf(error).message).toBe('(2 errors: Error: ::1; TypeError: 127.0.0.1)');
  });

  it('#164 of an AggregateError with long members are bounded', () => {
    const members = Array.from({ length: 9 }, () => new Error('m'.repeat(5_000)));
    const error = new AggregateError(members, 'x'.repeat(1_900));

    expect(factsOf(error).message).toHaveLength(2_048);
    expect(factsOf(new AggregateError(members)).message.length).toBeLessThan(700);
  });

  it.each([
    ['not a list', 'text'],
    ['a list that cannot be read', new Proxy([], everyTrap)],
    ['a revoked list', revoked()],
    [
      'a list of an odd length',
      new Proxy([], { get: (_, key) => (key === 'length' ? {} : trap()) }),
    ],
  ])('#163 of an AggregateError whose errors are %s', (_, errors) => {
    const error = Object.assign(new AggregateError([], 'm'), { errors });

    expect(factsOf(error).message).toMatch(/^m/);
  });

  it('#161 have no members of any other error: these may be what a user typed', () => {
    expect(factsOf(Object.assign(new Error('m'), { errors: ['typed'] })).message).toBe('m');
  });

  it('go through the function given', () => {
    const facts = factsOf(Object.assign(new Error('m'), { code: 'c' }), { clean: (t) => `<${t}>` });

    expect(facts).toEqual({ name: '<Error>', message: '<m>', code: '<c>' });
  });

  it('#167 are on one line', () => {
    const error = Object.assign(new Error('a\nb'), { name: 'N\n', code: 'C\u2028' });
    error.stack = 'N: a\nb\n    at f (x)\n    at \u001b[2J';

    const facts = factsOf(error, { stack: true });
    expect(facts).toEqual({
      name: 'N\\u000a',
      message: 'a\\u000ab',
      code: 'C\\u2028',
      stack: 'at f (x) | at \\u001b[2J',
    });
  });

  it('can have the stack later', () => {
    const error = new Error('m');
    const reader = new ErrorReader(error, clean);

    expect(reader.facts).toEqual({ name: 'Error', message: 'm' });
    expect(reader.withStack().stack).toMatch(/^at /);
  });

  it('make a headline', () => {
    expect(headline({ name: 'E', message: 'm' })).toBe('E: m');
    expect(headline({ name: 'E', message: '' })).toBe('E');
  });
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
}
