import { CircuitOpenError } from '../../../../lib/policies/circuit-breaker/circuit-open.error.js';
import { Retry } from '../../../../lib/policies/retry/retry.js';
import type { RetryOptions } from '../../../../lib/policies/retry/retry.options.js';
import { CallTimeoutError } from '../../../../lib/policies/time-limit/call-timeout.error.js';
import { classified, failure, mustNotAsk, no, reports, retryOf, yes } from './failed-attempts.js';

beforeEach(() => reports.splice(0));

const open = new CircuitOpenError('X', 'open', 700, false);
const timedOut = new CallTimeoutError('time-limit', 'X', 100, true, false);
describe('whether', () => {
  it('#49 three attempts are all, the first included', () => {
    const retry = retryOf({});

    expect([1, 2, 3, 4].map((attempts) => retry.decide(failure({ attempts })))).toEqual([
      yes(100),
      yes(200),
      no('exhausted'),
      no('exhausted'),
    ]);
  });

  it('the classifier decides where the options do not', () => {
    const retry = retryOf({});
    const as = classified('validation', false, 'ignored');

    expect(retry.decide(failure({ as }))).toEqual(no('not-retryable'));
  });

  it('retryOn names what is retried, and nothing else is', () => {
    const retry = retryOf({ retryOn: ['EBUSY', TypeError] });
    const as = classified('permanent', false);

    expect(retry.decide(failure({ as, error: { code: 'EBUSY' } }))).toEqual(yes(100));
    expect(retry.decide(failure({ as, error: new TypeError() }))).toEqual(yes(100));
    expect(retry.decide(failure())).toEqual(no('not-retryable'));
  });

  it('abortOn wins over everything', () => {
    const retry = retryOf({
      abortOn: () => true,
      retryOn: () => true,
      idempotent: true,
      retryNested: true,
      byCategory: { transient: {} },
    });

    expect(retry.decide(failure({ classification: mustNotAsk }))).toEqual(no('aborted-on'));
  });

  it('no result is wanted again unless the options say so', () => {
    expect(retryOf({}).wantsResult(null)).toBe(false);
    expect(retryOf({ retryOnResult: (v) => v === null }).wantsResult(null)).toBe(true);
    expect(reports).toEqual([]);
  });

  it('#42 predicates that throw are reported: retryOn counts as no, abortOn as yes', () => {
    const boom = (): never => {
      throw new Error('boom');
    };

    expect(retryOf({ retryOn: boom }).decide(failure())).toEqual(no('not-retryable'));
    expect(retryOf({ abortOn: boom }).decide(failure())).toEqual(no('aborted-on'));
    expect(reports).toEqual(['retryOn', 'abortOn']);
  });

  it('#45 our own refusals are retried only where retryOn lists them', () => {
    const refused = failure({
      error: open,
      as: classified('resource', true, 'rejected'),
    });

    expect(retryOf({}).decide(refused)).toEqual(no('not-retryable'));
    expect(retryOf({ byCategory: { resource: {} } }).decide(refused)).toEqual(no('not-retryable'));
    expect(retryOf({ retryOn: CircuitOpenError }).decide(refused)).toEqual(yes(100));
  });

  it('#53 work that we timed out and that still runs is retried only if idempotent', () => {
    const running = failure({
      error: timedOut,
      stillRunning: true,
      as: classified('timeout', false),
    });

    expect(retryOf({}).decide(running)).toEqual(no('still-running'));
    expect(retryOf({ retryOn: () => true }).decide(running)).toEqual(no('still-running'));
    expect(retryOf({ idempotent: true }).decide(running)).toEqual(yes(100));
    expect(retryOf({ idempotent: true, retryOn: 'EBUSY' }).decide(running)).toEqual(
      no('not-retryable'),
    );
    expect(retryOf({ idempotent: true, byCategory: { timeout: false } }).decide(running)).toEqual(
      no('not-retryable'),
    );
  });

  it('#53 a timeout that the dependency reported is retried', () => {
    expect(retryOf({}).decide(failure({ as: classified('timeout') }))).toEqual(yes(100));
  });

  it('#52 an error that used up a retry further in is not retried again, unless asked for', () => {
    const spent = failure({ spentFurtherIn: true });

    expect(retryOf({ retryOn: () => true }).decide(spent)).toEqual(no('spent-further-in'));
    expect(retryOf({ retryNested: true }).decide(spent)).toEqual(yes(100));
  });

  it('asks what costs something once, and only if it matters', () => {
    let asked = '';
    const counted = failure({
      attempts: 3,
      classification: () => ((asked += 'c'), classified('transient')),
      retryAfter: () => ((asked += 'r'), 1),
    });

    retryOf({ maxAttempts: 3 }).decide(counted);
    expect(asked).toBe('c');
    retryOf({ maxAttempts: 4 }).decide(counted);
    expect(asked).toBe('ccr');
    retryOf({ maxAttempts: 4, respectRetryAfter: false }).decide(counted);
    expect(asked).toBe('ccrc');
  });
});

describe('Retry-After', () => {
  const after = (options: RetryOptions, announced: number | undefined): unknown =>
    retryOf(options).decide(failure({ retryAfter: () => announced }));

  it('is waited for where it is longer than our delay, never early', () => {
    expect(after({}, 5_000)).toEqual(yes(5_000));
    expect(after({}, 100.2)).toEqual(yes(101));
    expect(after({}, 99)).toEqual(yes(100));
    expect(after({}, 0)).toEqual(yes(100));
    expect(after({}, undefined)).toEqual(yes(100));
  });

  it('jitter never makes it shorter', () => {
    const retry = new Retry({ jitter: 'full' }, () => 0, mustNotAsk);

    expect(retry.decide(failure({ retryAfter: () => 5_000 }))).toEqual(yes(5_000));
  });

  it('may be longer than maxDelay, but beyond maxRetryAfter there is no retry', () => {
    expect(after({ maxDelay: 1_000 }, 30_000)).toEqual(yes(30_000));
    expect(after({}, 60_000)).toEqual(yes(60_000));
    expect(after({}, 60_001)).toEqual(no('retry-after-too-long'));
    expect(after({ maxRetryAfter: 10 }, 500)).toEqual(no('retry-after-too-long'));
    expect(after({ maxRetryAfter: 0 }, 500)).toEqual(no('retry-after-too-long'));
    expect(after({ maxRetryAfter: 10 }, 50)).toEqual(yes(100)); // our own delay is longer still
  });

  it('#48 nonsense changes nothing, and no wait is longer than the cap', () => {
    expect(after({}, -1)).toEqual(yes(100));
    expect(after({}, Number.NaN)).toEqual(yes(100));
    expect(after({}, Number.POSITIVE_INFINITY)).toEqual(no('retry-after-too-long'));
  });

  it('is not even read where nobody respects it', () => {
    const retry = retryOf({ respectRetryAfter: false });

    expect(retry.decide(failure({ retryAfter: mustNotAsk }))).toEqual(yes(100));
  });
});

describe('results', () => {
  it('#49 are retried where retryOnResult asks for it, until the attempts are used up', () => {
    const retry = retryOf({ retryOnResult: (value) => value === null, delay: 5 });

    expect([null, 0].map((value) => retry.wantsResult(value))).toEqual([true, false]);
    expect([1, 2, 3].map((attempts) => retry.afterResult(attempts, 0))).toEqual([
      yes(5),
      yes(10),
      no('exhausted'),
    ]);
  });

  it('are good without retryOnResult', () => {
    expect(retryOf({}).wantsResult(undefined)).toBe(false);
  });

  it('#42 are good if retryOnResult throws, or answers anything but true', () => {
    const boom = (): never => {
      throw new Error('boom');
    };

    expect(retryOf({ retryOnResult: boom }).wantsResult(1)).toBe(false);
    expect(reports).toEqual(['retryOnResult']);
    const lazy = (): boolean => Promise.resolve(true) as never;
    expect(retryOf({ retryOnResult: lazy }).wantsResult(1)).toBe(false);
  });

  it('have no category: no row of the table is theirs', () => {
    const retry = retryOf({ byCategory: { transient: { delay: 7 } } }, { transient: { delay: 9 } });

    expect(retry.afterResult(1, 0)).toEqual(yes(100));
  });
});

it('says what the engine is to do, with its defaults', () => {
  const { totalTimeout, propagateDeadline, retryAfterEmit, cloneArgs, beforeRetry, budget } =
    retryOf({});
  const nothing = { totalTimeout, propagateDeadline, retryAfterEmit, cloneArgs, beforeRetry };

  expect(nothing).toEqual({
    totalTimeout: undefined,
    propagateDeadline: false,
    retryAfterEmit: false,
    cloneArgs: false,
    beforeRetry: undefined,
  });
  expect(budget).toEqual({ ratio: 0.2, minimum: 3 });
  expect(retryOf({ budget: { minimum: 0 } }).budget).toEqual({ ratio: 0.2, minimum: 0 });
  expect(retryOf({ budget: { ratio: 0.5 } }).budget).toEqual({ ratio: 0.5, minimum: 3 });
  expect(retryOf({ budget: false }).budget).toBeUndefined();
  const hook = (): void => {};
  expect(
    retryOf({
      totalTimeout: 5,
      propagateDeadline: true,
      retryAfterEmit: true,
      cloneArgs: true,
      beforeRetry: hook,
    }),
  ).toMatchObject({
    totalTimeout: 5,
    propagateDeadline: true,
    retryAfterEmit: true,
    cloneArgs: true,
    beforeRetry: hook,
  });
});
