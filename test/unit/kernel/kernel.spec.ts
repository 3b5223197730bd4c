import {
  aFunction,
  boolean,
  checkOptions,
  either,
  integer,
  number,
  oneOf,
  type OptionRule,
  ratio,
  ResilienceConfigError,
  show,
  span,
  text,
} from '../../../lib/kernel/check.js';
import { hours, MAX_TIMER, minutes, seconds } from '../../../lib/kernel/duration.js';
import { compileMatcher, type ErrorMatchers, errorMatchers } from '../../../lib/kernel/matcher.js';
import { isResilienceRejection, ResilienceRejection } from '../../../lib/kernel/rejection.js';
import { CircuitOpenError } from '../../../lib/policies/circuit-breaker/circuit-open.error.js';

/** A proxy that throws whatever is done with it. */
function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe('option checks', () => {
  it.each([
    ['a revoked proxy', revoked()],
    ['a list that throws', new Proxy([], { get: () => revoked().toString() })],
    [
      'a function without a readable name',
      Object.defineProperty(() => {}, 'name', { get: () => String(revoked()) }),
    ],
  ])('say so of %s, and do not break over it', (_, value) => {
    const mistakes = checkOptions<{ a: number }>('X @Y', { a: value }, { a: integer(1, 9) });

    expect(mistakes).toEqual([
      { at: 'X @Y a', problem: expect.stringMatching(/^got .*, expected a whole number/) },
    ]);
    expect(checkOptions('X @Y', value, { a: integer(1, 9) })).toHaveLength(1);
  });

  it('name the option, what came and what was expected', () => {
    const mistakes = checkOptions<{ a: number; b: string }>(
      'X @Y',
      { a: '5', c: 1, b: undefined },
      { a: integer(1, 9), b: text },
    );

    expect(mistakes).toEqual([
      { at: 'X @Y a', problem: 'got "5", expected a whole number from 1 to 9' },
      { at: 'X @Y c', problem: 'unknown option; known are a, b' },
    ]);
  });

  it.each([null, undefined, 5, 'x', [], () => {}])('%p is no options object', (options) => {
    expect(checkOptions('X', options, {})).toEqual([
      { at: 'X', problem: expect.stringContaining('expected an options object') },
    ]);
  });

  it('an option named like a member of Object is unknown, not a crash', () => {
    const options = JSON.parse('{"constructor":1,"__proto__":2,"toString":3}') as object;

    expect(checkOptions('X', options, { a: text })).toHaveLength(3);
  });

  it.each([
    [integer(1), [1, 5], [0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null]],
    [number(0, 1), [0, 0.5, 1], [-0.1, 1.1, Number.NaN, '1']],
    [number(0), [Number.MAX_VALUE], [Number.POSITIVE_INFINITY, Number.NaN]],
    [span(0), [MAX_TIMER], [MAX_TIMER + 1]],
    [boolean, [true, false], [0, 'true', null]],
    [aFunction, [() => {}, class {}], [{}, 'f', null]],
    [ratio, [0.01, 1], [0, -1, 1.01, Number.NaN, '0.5']],
    [text, ['a'], ['', '  ', 1, null]],
    [oneOf('a', 'b'), ['a', 'b'], ['c', 1]],
    [either(integer(1), text), [1, 'a'], [0, '']],
  ])('rule %#: accepts the good, refuses the bad', (rule, good, bad) => {
    for (const value of good) expect(rule(value)).toBeUndefined();
    for (const value of bad) expect(rule(value)).toEqual(expect.any(String));
  });

  it('an expectation reads like a sentence', () => {
    const of = (rule: OptionRule): string | undefined => rule({});

    expect(
      [span(1, 9), number(1), ratio, text, oneOf('a', 'b'), either(boolean, aFunction)].map(of),
    ).toEqual([
      'a number of milliseconds from 1 to 9',
      'a number of at least 1',
      'a number above 0 and at most 1',
      'a string that is not empty',
      "'a' or 'b'",
      'true or false, or a function',
    ]);
  });

  it.each<[string, object]>([
    ['a Map', new Map([['a', 1]])],
    ['a promise', Promise.resolve({ a: 1 })],
    ['a Date', new Date(0)],
  ])('%s is no options object: its fields would be passed over', (name, value) => {
    expect(checkOptions('X', value, { a: integer(1) })).toEqual([
      { at: 'X', problem: expect.stringMatching(/^got an? \w+, expected an options object$/) },
    ]);
    expect(show(value)).toContain(name.split(' ')[1]!.slice(1));
  });

  it('an option that is inherited is a mistake, for it would not be read', () => {
    class WithGetter {
      get a(): number {
        return 1;
      }
      method(): void {}
    }
    class Child extends WithGetter {}
    class OnlyMethods {
      method(): void {}
    }
    const check = (value: object) => checkOptions('X', value, { a: integer(1) });
    const problem = 'is inherited, so it would not be read; expected a field of the object itself';

    expect(check(Object.create({ a: 1 }))).toEqual([{ at: 'X a', problem }]);
    expect(check(new WithGetter())).toEqual([{ at: 'X a', problem }]);
    expect(check(new Child())).toEqual([{ at: 'X a', problem }]);
    expect(check(new OnlyMethods())).toEqual([]);
    expect(check(Object.assign(new OnlyMethods(), { a: 1 }))).toEqual([]);
    expect(check(Object.create(null))).toEqual([]);
    expect(check(Object.create(Object.create(null)))).toEqual([]);
  });

  it('a field that throws is a mistake in its place, an object that throws is one in its own', () => {
    const getter = {
      b: 1,
      get a(): number {
        throw new Error('gotcha');
      },
    };
    const odd = {
      get a(): number {
        throw 'gotcha';
      },
    };
    const proxy = new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error('gotcha');
        },
      },
    );
    const check = (value: object) => checkOptions('X', value, { a: integer(1), b: integer(1) });

    expect(check(getter)).toEqual([{ at: 'X a', problem: 'cannot be read: gotcha' }]);
    expect(check(odd)).toEqual([{ at: 'X a', problem: 'cannot be read: "gotcha"' }]);
    expect(check(proxy)).toEqual([{ at: 'X', problem: 'cannot be read: gotcha' }]);
  });

  it('one mistake is one mistake', () => {
    const error = new ResilienceConfigError([{ at: 'A.b', problem: 'x' }]);

    expect(error.name).toBe('ResilienceConfigError');
    expect(error.message).toBe('Bulwark cannot start, 1 mistake in its configuration:\n  - A.b: x');
  });

  it('one error lists every mistake', () => {
    const error = new ResilienceConfigError([
      { at: 'A.b', problem: 'x' },
      { at: 'C.d', problem: 'y' },
    ]);

    expect(error.message).toBe(
      'Bulwark cannot start, 2 mistakes in its configuration:\n  - A.b: x\n  - C.d: y',
    );
  });

  it.each([
    ['a'.repeat(61), `"${'a'.repeat(60)}…"`],
    ['a'.repeat(60), `"${'a'.repeat(60)}"`],
    [new BigUint64Array(1), 'a BigUint64Array'],
    [null, 'null'],
    [() => {}, 'a function'],
    [function named() {}, 'function named'],
    [[1, 2], 'an array of 2'],
    [Object.create(null), 'an object'],
    [new Map(), 'a Map'],
    [new Error('x'), 'an Error'],
    [
      Object.defineProperty({}, Symbol.toStringTag, {
        get() {
          throw new Error('x');
        },
      }),
      'an object',
    ],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
  ])('show is safe and short: %#', (value, shown) => {
    expect(show(value)).toBe(shown);
  });
});

describe('error matchers', () => {
  const unasked = (): never => {
    throw new Error('nobody named a category');
  };
  class Known extends Error {}
  class NotAnError {}
  function OldError(): boolean {
    return true;
  }
  OldError.prototype = Object.create(Error.prototype) as object;
  const match = (
    option: Parameters<typeof compileMatcher>[0],
    error: unknown,
  ): boolean | undefined => compileMatcher(option, 'x', false, () => {})?.(error, () => 'timeout');

  it.each<[string, Parameters<typeof compileMatcher>[0], unknown, boolean]>([
    ['a class', Known, new Known(), true],
    ['another class', Known, new Error('x'), false],
    ['Error itself', Error, new Known(), true],
    ['a class that is no error', NotAnError, new NotAnError(), true],
    ['a code', 'ECONNRESET', Object.assign(new Error('x'), { code: 'ECONNRESET' }), true],
    ['a name', 'TypeError', new TypeError('x'), true],
    ['a code of nothing', 'X', undefined, false],
    ['a predicate', (e: unknown) => e === 'x', 'x', true],
    ['a function predicate', Object, {}, true],
    ['Error itself, of what is no error', Error, 'x', false],
    ['a constructor from before classes', OldError, new TypeError('x'), false],
    ['a predicate that mentions a class', (e: unknown) => e === 'class x', 'class x', true],
    ['a code, of a function of that name', 'named', function named() {}, false],
    ['a code, of text', 'length', 'length', false],
    ['a list', ['A', Known], new Known(), true],
    ['an empty list', [], new Known(), false],
    ['a category', { category: 'timeout' }, new Known(), true],
    ['another category', { category: 'poison' }, new Known(), false],
    ['categories', { category: ['poison', 'timeout'] }, 'x', true],
    ['a list with a category', ['A', { category: 'timeout' }], 'x', true],
  ])('%s', (_name, option, error, expected) => {
    expect(match(option, error)).toBe(expected);
  });

  it.each([null, undefined, 'x', 5])('%p has neither code nor name, which is no fault', (error) => {
    const report: unknown[] = [];
    const matcher = compileMatcher(['X'], 'x', true, (...heard) => report.push(heard))!;

    expect([matcher(error, unasked), report]).toEqual([false, []]);
  });

  it('a predicate that throws is reported by the name of its option, and answers otherwise', () => {
    const report: unknown[] = [];
    const fault = new Error('gotcha');
    const matcher = compileMatcher(
      () => {
        throw fault;
      },
      'failOn',
      true,
      (...heard) => report.push(heard),
    )!;

    expect([matcher(1, unasked), report]).toEqual([true, [['failOn', fault]]]);
  });

  it('an error that cannot be looked at is of no class and has no code, which is no fault', () => {
    const throwing = (): never => {
      throw new Error('gotcha');
    };
    const traps = new Proxy({}, { get: throwing, getPrototypeOf: throwing });
    const half = Object.defineProperty(new Error('x'), 'code', { get: throwing });
    const report: unknown[] = [];
    const matcher = compileMatcher(['X', Known], 'x', true, (...heard) => report.push(heard))!;

    expect([matcher(traps, unasked), matcher(half, unasked), report]).toEqual([false, false, []]);
    expect(match('Error', half)).toBe(true);
  });

  it('an option that was not given is no matcher', () => {
    expect(compileMatcher(undefined, 'x', true, () => {})).toBeUndefined();
  });

  it.each([5, {}, '', [5], [''], ['A', 5], [null, Known], new Array(1)])(
    '%p is not understood',
    (value) => {
      expect(errorMatchers(value)).toBe(
        'an error class, a code or name, { category }, a predicate, or a list of these',
      );
    },
  );

  it.each([
    [{ category: 'timeuot' }],
    [['A', { category: ['timeout', 'x'] }]],
    [{ category: [] }],
    [{ category: undefined }],
    [{ category: new Array(1) }],
  ])('%j names no category', (value) => {
    expect(errorMatchers(value)).toMatch(
      /^{ category } with one or a list of transient, permanent/,
    );
  });

  it.each([{ category: 'timeout', x: 1 }, { code: 'X' }, new Map()])(
    '%p is no matcher by category',
    (value) => {
      expect(errorMatchers(value)).toMatch(/^an error class/);
    },
  );

  it.each([{ category: 'timeout' }, ['A', { category: ['timeout', 'poison'] }]])(
    '%j is understood',
    (value) => {
      expect(errorMatchers(value)).toBeUndefined();
    },
  );
});

describe('rejections', () => {
  it('are recognised by brand, also from another copy of the package', () => {
    const foreign = Object.create({ [Symbol.for('bulwark:rejection')]: true }) as object;

    expect(isResilienceRejection(new CircuitOpenError('x', 'open'))).toBe(true);
    expect(isResilienceRejection(foreign)).toBe(true);
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('gotcha');
        },
      },
    );
    for (const other of [new Error('x'), null, undefined, 'x', 5, hostile])
      expect(isResilienceRejection(other)).toBe(false);
  });

  it('of another copy of the package are matched by their classes', () => {
    const brand = Symbol.for('bulwark:rejection');
    class Foreign extends Error {
      constructor(override readonly name: string) {
        super('refused');
      }
    }
    Object.defineProperty(Foreign.prototype, brand, { value: true });
    const match = (option: ErrorMatchers, error: unknown): boolean =>
      compileMatcher(option, 'on', false, () => {})!(error, () => 'timeout');

    expect(match(CircuitOpenError, new Foreign('CircuitOpenError'))).toBe(true);
    expect(match(ResilienceRejection as never, new Foreign('CircuitOpenError'))).toBe(true);
    expect(match(CircuitOpenError, new Foreign('BulkheadFullError'))).toBe(false);
    expect(new Foreign('CircuitOpenError')).toBeInstanceOf(CircuitOpenError);
    expect(new Foreign('CircuitOpenError')).toBeInstanceOf(ResilienceRejection);
    expect(new Foreign('BulkheadFullError')).not.toBeInstanceOf(CircuitOpenError);
    class Open extends CircuitOpenError {}
    expect(new CircuitOpenError('x', 'open')).not.toBeInstanceOf(Open);
    expect(new Open('x', 'open')).toBeInstanceOf(CircuitOpenError);
    for (const thing of [null, undefined, 'x', {}, new Error('down')])
      expect(thing instanceof ResilienceRejection).toBe(false);
    expect(match(Error, 'text')).toBe(false);
    class CircuitOpenErrorOfMine extends Error {}
    expect(match(CircuitOpenErrorOfMine, new Foreign('CircuitOpenErrorOfMine'))).toBe(false);
  });

  it('are real errors without a stack unless asked for, and leave the stack limit as it was', () => {
    const limit = Error.stackTraceLimit;
    const bare = new CircuitOpenError('Fees.quote', 'open', 12.3);

    expect(bare).toBeInstanceOf(ResilienceRejection);
    expect(bare).toBeInstanceOf(Error);
    expect(bare.name).toBe('CircuitOpenError');
    expect(bare.message).toBe('circuit breaker Fees.quote is open; next probe in 13 ms');
    expect(bare.stack).not.toContain('    at ');
    expect(new CircuitOpenError('x', 'open', 1, true).stack).toContain('kernel.spec');
    expect(Error.stackTraceLimit).toBe(limit);
  });

  it('carry what Nest needs to answer without a filter, and keep the message to themselves', () => {
    expect(new CircuitOpenError('x', 'open')).toMatchObject({
      status: 503,
      statusCode: 503,
      expose: false,
    });
    expect('retryAfter' in new CircuitOpenError('x', 'open')).toBe(false);
  });
});

it('durations are milliseconds', () => {
  expect([seconds(1.5), minutes(2), hours(1)]).toEqual([1_500, 120_000, 3_600_000]);
});
