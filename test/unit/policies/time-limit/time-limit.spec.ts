import { minutes } from '../../../../lib/kernel/duration.js';
import { CallTimeoutError } from '../../../../lib/policies/time-limit/call-timeout.error.js';
import {
  compileTimeLimit,
  FALLBACK_LIMIT,
  timeLimitOf,
  wasBlocked,
} from '../../../../lib/policies/time-limit/time-limit.js';
import {
  checkTimeLimit,
  type TimeLimitOptions,
} from '../../../../lib/policies/time-limit/time-limit.options.js';

const silent = (): void => {
  throw new Error('reported');
};

describe('options', () => {
  it.each<[TimeLimitOptions | number]>([
    [1],
    [2 ** 31 - 1],
    [{ ms: 100 }],
    [{ ms: (attempt, id: string) => attempt * id.length }],
    [{ ms: 100, idle: 50, propagateDeadline: false }],
    [{ idle: 50 }],
    [{ propagateDeadline: true }],
  ])('%j is good', (options) => {
    expect(checkTimeLimit('A.b', options)).toEqual([]);
  });

  const or = 'a number of milliseconds from 1 to 2147483647, or a function';
  it.each([
    ['ms', { ms: 0 }, `got 0, expected ${or}`],
    ['ms', { ms: '1s' }, `got "1s", expected ${or}`],
    ['ms', { ms: null }, `got null, expected ${or}`],
    ['idle', { ms: 1, idle: 0 }, expect.any(String)],
    ['idle', { ms: 1, idle: () => 5 }, expect.any(String)],
    ['propagateDeadline', { ms: 1, propagateDeadline: 'yes' }, expect.any(String)],
    ['limit', { ms: 1, limit: 1 }, expect.any(String)],
    ['ms', {}, expect.stringContaining('got nothing')],
    ['ms', { ms: undefined, idle: undefined }, expect.stringContaining('got nothing')],
    ['ms', { propagateDeadline: false }, expect.stringContaining('got nothing')],
    ['ms', () => 5, 'got a function, expected a number of milliseconds from 1 to 2147483647'],
  ])('#18 #66 a bad %s is named: %j', (option, options, problem) => {
    expect(checkTimeLimit('A.b @TimeLimit', options as never)).toEqual([
      { at: `A.b @TimeLimit ${option}`, problem },
    ]);
  });
});

describe('the limit of an attempt', () => {
  it('is a number, given bare or by name', () => {
    expect(compileTimeLimit(100)(1, [], silent)).toBe(100);
    expect(compileTimeLimit({ ms: 100 })(7, ['x'], silent)).toBe(100);
    expect([timeLimitOf(100), timeLimitOf({ ms: 100 })]).toEqual([100, 100]);
  });

  it('is none where only gaps or an inherited deadline bound the call', () => {
    expect(compileTimeLimit({ idle: 50 })(1, [], silent)).toBeUndefined();
    expect(timeLimitOf({ propagateDeadline: true })).toBeUndefined();
  });

  it('is what the function says of the attempt and the arguments', () => {
    const options: TimeLimitOptions = {
      ms: (attempt, id: string, size: number) => attempt * 100 + id.length + size,
    };

    expect(compileTimeLimit(options)(2, ['abc', 10], silent)).toBe(213);
    expect(timeLimitOf(options)).toBeUndefined();
  });

  it.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '100', undefined, null, {}])(
    '#42 #66 %p is none: that is reported and means 5 min',
    (answer) => {
      const reports: unknown[][] = [];
      const limitFor = compileTimeLimit({ ms: () => answer as number });

      expect(limitFor(1, [], (...report) => reports.push(report))).toBe(minutes(5));
      expect(reports).toEqual([['ms', expect.any(RangeError)]]);
      expect((reports[0]![1] as Error).message).toMatch(
        /^got .+, expected a number of milliseconds/,
      );
    },
  );

  it('#42 a function that throws is reported and means 5 min', () => {
    const thrown = new Error('no');
    const reports: unknown[][] = [];
    const limitFor = compileTimeLimit({
      ms: () => {
        throw thrown;
      },
    });

    expect(limitFor(1, [], (...report) => reports.push(report))).toBe(FALLBACK_LIMIT);
    expect(reports).toEqual([['ms', thrown]]);
  });
});

it.each([
  [1_000, 499, false],
  [1_000, 500, true],
  [10, 5, false],
  [10, 19, false],
  [10, 20, true],
  [40, 20, true],
  [41, 20, false],
])('a timer of %p ms that fires %p ms late was blocked: %p', (limit, late, blocked) => {
  expect(wasBlocked(limit, late)).toBe(blocked);
});

describe('the error', () => {
  it.each([
    [true, {}, 'A.b took longer than 100 ms'],
    [false, {}, 'A.b waited in the queue for longer than 100 ms'],
    [true, { idle: true }, 'A.b sent nothing for 100 ms'],
    [
      true,
      { inherited: true },
      'A.b reached the deadline of the call around it, 100 ms after it began',
    ],
    [true, { blocked: true }, 'A.b took longer than 100 ms, as the event loop was blocked'],
    [
      true,
      { idle: true, blocked: true },
      'A.b sent nothing for 100 ms, as the event loop was blocked',
    ],
  ])('started %p, %j: says %p', (started, facts, message) => {
    const error = new CallTimeoutError('time-limit', 'A.b', 100, started, false, facts);

    expect(error).toMatchObject({
      message,
      code: 'CALL_TIMEOUT',
      policy: 'time-limit',
      status: 504,
      limit: 100,
      started,
      blocked: false,
      idle: false,
      ...facts,
    });
  });

  it('of old has nothing to add', () => {
    expect(new CallTimeoutError('retry', 'A.b', 100, true)).toMatchObject({
      policy: 'retry',
      blocked: false,
      idle: false,
    });
  });
});
