import {
  aFunction,
  boolean,
  checkOptions,
  either,
  integer,
  isOptionsObject,
  type Mistake,
  number,
  oneOf,
  type OptionRule,
  type OptionRules,
  show,
  span,
} from '../../kernel/check.js';
import type { ErrorCategory } from '../../kernel/classifier.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { type ErrorMatchers, errorMatchers } from '../../kernel/matcher.js';

/**
 * How often, and how far apart. What is not given comes first from the built-in plan of the error's
 * category (transient, communication, dependency: `maxDelay` 5 s; timeout: `delay` 1 s, `linear`;
 * resource: 6 attempts, `delay` 1 s, `maxDelay` 30 s), then from the defaults named here.
 */
export interface RetryPlanOptions {
  /** Attempts in total, the first included. From 1. Default 3. */
  maxAttempts?: number;
  /** The first delay, before jitter, in milliseconds. From 0. Default 100. */
  delay?: Milliseconds;
  /**
   * How delays grow: `exponential` (× `multiplier`), `linear` (+ `delay`), `constant`, `fibonacci`
   * (× 1, 2, 3, 5, 8 …), or a function of the failed attempts so far and the last error, which
   * answers milliseconds. An answer that is negative, infinite or no number, or a throw, is
   * reported and `delay` stands in for it. Default `exponential`.
   */
  backoff?: 'exponential' | 'linear' | 'constant' | 'fibonacci' | BackoffFunction;
  /** Growth of the exponential back-off. From 1. Default 2. */
  multiplier?: number;
  /**
   * No delay of ours is longer, jitter included, in milliseconds; only a dependency may ask for
   * more (see `maxRetryAfter`). From 0, at least `delay`. Default: the larger of 10 s and `delay`.
   */
  maxDelay?: Milliseconds;
  /**
   * Chance in the delays, so that callers do not return in step: `full` (between 0 and the computed
   * delay), `equal` (between half of it and all of it), a number from 0 to 1 (that share more or
   * less), `decorrelated` (between `delay` and three times the delay before; it grows by itself,
   * instead of `backoff`), or `none`. Default `full`; `none` for a back-off function.
   */
  jitter?: 'full' | 'equal' | 'decorrelated' | 'none' | number;
}

/** Milliseconds to wait after `attempt` failed attempts, the last of them with `error`. */
export type BackoffFunction = (attempt: number, error: unknown) => Milliseconds;

/** Gets the arguments of the call. */
// oxlint-disable-next-line typescript/no-explicit-any -- the parameters of any method
export type MessageIdFunction = (...args: any[]) => string | undefined;

/** What is said of each kind of error: its own plan, or `false` for not retried. */
export type RetryByCategory = Partial<Record<ErrorCategory, RetryPlanOptions | false>>;

/** What `beforeRetry` hears. */
export interface BeforeRetry {
  /** The attempt that is about to start, counted from 1: so 2 before the first retry. */
  readonly attempt: number;
  /** Why the attempt before failed; undefined if its result was not good enough. */
  readonly error: unknown;
  /** What was waited for, in milliseconds. */
  readonly delay: Milliseconds;
  /** What the method is called with. */
  readonly args?: readonly unknown[];
}

/** Options of a retry. Whatever is given here, also by a preset or `defaults`, wins over the built-in plan of an error's category. */
export interface RetryOptions extends RetryPlanOptions {
  /**
   * Milliseconds for the whole call with all its attempts and delays. From 1, more than `delay`. At
   * its end the attempt on its way is aborted; no attempt is planned to start after it. Default: none.
   */
  totalTimeout?: Milliseconds;
  /** Decorated calls made further in inherit the deadline of this one. Default false. */
  propagateDeadline?: boolean;
  /** Errors that are retried; no others are. Default: what the classifier calls retryable. */
  retryOn?: ErrorMatchers;
  /** Errors that are not retried. Wins over everything else. */
  abortOn?: ErrorMatchers;
  /**
   * Answers `true` for a result that is not good enough and worth another attempt. After the last
   * attempt the caller gets the result as it is. A throw is reported and counts as `false`.
   */
  retryOnResult?: (value: unknown) => boolean;
  /**
   * What a dependency says of when to come back (`Retry-After` and its like, or `retryAfter` of our
   * own refusals) is waited for where it is longer than our delay: never early. Default true.
   */
  respectRetryAfter?: boolean;
  /**
   * The longest announced wait that is waited for, in milliseconds; it may be longer than
   * `maxDelay`. If more is asked for, there is no retry, for any would be too early. From 0 (then no
   * announced wait is waited for). Default 60 s.
   */
  maxRetryAfter?: Milliseconds;
  /**
   * How many retries may run at once: the larger of `minimum` (from 0, default 3) and `ratio` (0 to
   * 1, default 0.2) of the calls in flight, counted per breaker name, else per method; the first
   * method of a breaker name fixes it for all. When that is
   * used up the last error is rethrown. It keeps retries from tripling the load on a dependency
   * that is down. `false`: no limit.
   */
  budget?: { ratio?: number; minimum?: number } | false;
  /**
   * The method may run again while an earlier attempt that we timed out is still running. Default
   * false: after our own timeout of running work there is no retry, for it could happen twice.
   */
  idempotent?: boolean;
  /**
   * A plan for each category of error, or `false` for not retried. Wins over the options above and
   * over the built-in plan of the category; what a plan leaves out comes from these, in this order.
   * A plan makes errors of its category retried that otherwise would not be, unless `retryOn` is
   * given; never our own refusals, nor cancelled calls.
   */
  byCategory?: RetryByCategory;
  /**
   * Gets the arguments of the call, with the instance as `this`; answers the id of the message that
   * it is about, at most 1,024 characters, or undefined. A message whose calls fail for the third
   * time within an hour, without one between them that succeeded, is `poison`: its errors are of
   * that category, and are not retried unless `retryOn` or `byCategory` asks for it. Errors that blame somebody else (communication, dependency,
   * resource, timeout) do not count, nor do refusals of ours and cancelled calls. The last 1,000
   * messages that failed are remembered. Default: none.
   */
  messageId?: MessageIdFunction;
  /**
   * Also retries an error that has used up a retry further in. Default false, so that nested
   * retries do not multiply: three times three attempts stay three.
   */
  retryNested?: boolean;
  /** A stream is retried also after it has delivered a value: values may come twice. Default false. */
  retryAfterEmit?: boolean;
  /** Called after the delay and waited for, before each attempt but the first. */
  beforeRetry?: (info: BeforeRetry) => void | Promise<void>;
  /**
   * Each attempt gets its own structured clone of the arguments, so that none sees what an earlier
   * one wrote into them. Default false: every attempt gets the very arguments of the call.
   */
  cloneArgs?: boolean;
}

export const RETRY_DEFAULTS = {
  maxAttempts: 3,
  delay: 100,
  backoff: 'exponential',
  multiplier: 2,
  maxDelay: 10_000,
  jitter: 'full',
  propagateDeadline: false,
  respectRetryAfter: true,
  maxRetryAfter: 60_000,
  idempotent: false,
  retryNested: false,
  retryAfterEmit: false,
  cloneArgs: false,
} as const;

export const RETRY_BUDGET_DEFAULTS = { ratio: 0.2, minimum: 3 } as const;

const anObject = (otherwise: string): OptionRule => {
  return (v) => (v === false || isOptionsObject(v) ? undefined : `${otherwise} or false`);
};

const PLAN_RULES: OptionRules<RetryPlanOptions> = {
  maxAttempts: integer(1, 1_000_000),
  delay: span(0),
  backoff: either(oneOf('exponential', 'linear', 'constant', 'fibonacci'), aFunction),
  multiplier: number(1, 1_000_000),
  maxDelay: span(0),
  jitter: either(oneOf('full', 'equal', 'decorrelated', 'none'), number(0, 1)),
};

const RULES: OptionRules<RetryOptions> = {
  ...PLAN_RULES,
  totalTimeout: span(1),
  propagateDeadline: boolean,
  retryOn: errorMatchers,
  abortOn: errorMatchers,
  retryOnResult: aFunction,
  respectRetryAfter: boolean,
  maxRetryAfter: span(0),
  budget: anObject('{ ratio, minimum }'),
  idempotent: boolean,
  byCategory: (v) => (isOptionsObject(v) ? undefined : 'plans by category of error'),
  messageId: aFunction,
  retryNested: boolean,
  retryAfterEmit: boolean,
  beforeRetry: aFunction,
  cloneArgs: boolean,
};

const BUDGET_RULES: OptionRules<{ ratio: number; minimum: number }> = {
  ratio: number(0, 1),
  minimum: integer(0, 1_000_000),
};

const aPlan = anObject('a plan');
const CATEGORY_RULES: OptionRules<RetryByCategory> = {
  transient: aPlan,
  permanent: aPlan,
  poison: aPlan,
  resource: aPlan,
  timeout: aPlan,
  validation: aPlan,
  communication: aPlan,
  dependency: aPlan,
};

/** Every mistake in the options, alone and against each other. */
export function checkRetry(at: string, options: RetryOptions): Mistake[] {
  const mistakes = checkOptions(at, options, RULES);
  if (mistakes.length > 0) return mistakes;
  return [
    ...checkPlan(at, options),
    ...checkTotal(at, options),
    ...checkBudget(`${at} budget`, options.budget),
    ...checkCategories(`${at} byCategory`, options),
  ];
}

/** What one plan says, against itself. */
function checkPlan(at: string, plan: RetryPlanOptions): Mistake[] {
  const { delay, maxDelay, backoff, jitter } = plan;
  const mistakes: Mistake[] = [];
  if (delay !== undefined && maxDelay !== undefined && maxDelay < delay) {
    mistakes.push(mistake(`${at} maxDelay`, maxDelay, `at least delay, ${delay}`));
  }
  if (jitter === 'decorrelated' && backoff !== undefined && backoff !== 'exponential') {
    const expected = `no backoff beside it (got ${show(backoff)}), for it grows by itself`;
    mistakes.push(mistake(`${at} jitter`, jitter, expected));
  }
  return mistakes;
}

function checkTotal(at: string, { delay, totalTimeout }: RetryOptions): Mistake[] {
  if (delay === undefined || totalTimeout === undefined || totalTimeout > delay) return [];
  const expected = `more than delay, ${delay}, or there is no time for a retry`;
  return [mistake(`${at} totalTimeout`, totalTimeout, expected)];
}

function checkBudget(at: string, budget: RetryOptions['budget']): Mistake[] {
  if (budget === undefined || budget === false) return [];
  const mistakes = checkOptions(at, budget, BUDGET_RULES);
  if (mistakes.length === 0 && budget.ratio === 0 && budget.minimum === 0) {
    const expected = 'one of them above 0; maxAttempts: 1 is the way to have no retries';
    mistakes.push({ at, problem: `got { ratio: 0, minimum: 0 }, expected ${expected}` });
  }
  return mistakes;
}

function checkCategories(at: string, options: RetryOptions): Mistake[] {
  const mistakes = checkOptions(at, options.byCategory ?? {}, CATEGORY_RULES);
  if (mistakes.length > 0) return mistakes;
  for (const [category, plan] of Object.entries(options.byCategory ?? {})) {
    if (plan === undefined || plan === false) continue;
    const alone = checkOptions(`${at} ${category}`, plan, PLAN_RULES);
    // what a plan leaves out comes from the options around it, so it must fit these too
    mistakes.push(
      ...(alone.length > 0 ? alone : checkPlan(`${at} ${category}`, layered(plan, options))),
    );
  }
  return mistakes;
}

/** One plan laid over another. An option that is undefined counts as not given. */
export function layered(
  over: RetryPlanOptions | undefined,
  under: RetryPlanOptions,
): RetryPlanOptions {
  if (over === undefined) return under;
  const given = Object.entries(over).filter(([, value]) => value !== undefined);
  return { ...under, ...(Object.fromEntries(given) as RetryPlanOptions) };
}

function mistake(at: string, got: unknown, expected: string): Mistake {
  return { at, problem: `got ${show(got)}, expected ${expected}` };
}
