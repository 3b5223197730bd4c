import {
  checkOptions,
  either,
  integer,
  number,
  oneOf,
  ratio,
  ResilienceConfigError,
  show,
  text,
} from '../../../lib/kernel/check.js';
import { hours, minutes, seconds } from '../../../lib/kernel/duration.js';
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
    [ratio, [0.01, 1], [0, -1, 1.01, Number.NaN, '0.5']],
    [text, ['a'], ['', '  ', 1, null]],
    [oneOf('a', 'b'), ['a', 'b'], ['c', 1]],
    [either(integer(1), text), [1, 'a'], [0, '']],
  ])('rule %#: accepts the good, refuses the bad', (rule, good, bad) => {
    for (const value of good) expect(rule(value)).toBeUndefined();
    for (const value of bad) expect(rule(value)).toEqual(expect.any(String));
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
    ['a'.repeat(100), `"${'a'.repeat(60)}…"`],
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
  class Known extends Error {}
  class NotAnError {}
  const match = (
    option: Parameters<typeof compileMatcher>[0],
    error: unknown,
  ): boolean | undefined => compileMatcher(option, 'x', false, () => {})?.(error);

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
    ['a list', ['A', Known], new Known(), true],
    ['an empty list', [], new Known(), false],
  ])('%s', (_name, option, error, expected) => {
    expect(match(option, error)).toBe(expected);
  });

  it('an option that was not given is no matcher', () => {
    expect(compileMatcher(undefined, 'x', true, () => {})).toBeUndefined();
  });

  it.each([5, {}, '', [5], [''], new Array(1)])('%p is not understood', (value) => {
    expect(errorMatchers(value)).toEqual(expect.any(String));
  });
});

describe('rejections', () => {
  it('are recognised by brand, also from another copy of the package', () => {
    const foreign = Object.create({ [Symbol.for('bulwark:rejection')]: true }) as object;

    expect(isResilienceRejection(new CircuitOpenError('x', 'open'))).toBe(true);
    expect(isResilienceRejection(foreign)).toBe(true);
    expect([new Error('x'), null, undefined, 'x'].map(isResilienceRejection)).toEqual([
      false,
      false,
      false,
      false,
    ]);
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
      compileMatcher(option, 'on', false, () => {})!(error);

    expect(match(CircuitOpenError, new Foreign('CircuitOpenError'))).toBe(true);
    expect(match(ResilienceRejection as never, new Foreign('CircuitOpenError'))).toBe(true);
    expect(match(CircuitOpenError, new Foreign('BulkheadFullError'))).toBe(false);
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
    expect(Object.keys(new CircuitOpenError('x', 'open'))).not.toContain('retryAfter');
  });
});

it('durations are milliseconds', () => {
  expect([seconds(1.5), minutes(2), hours(1)]).toEqual([1_500, 120_000, 3_600_000]);
});
