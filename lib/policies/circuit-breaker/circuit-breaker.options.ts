import {
  aFunction,
  boolean,
  checkObject,
  checkOptions,
  either,
  integer,
  number,
  oneOf,
  type OptionRule,
  type OptionRules,
  type Mistake,
  isOptionsObject,
  ratio,
  show,
  span,
  text,
} from '../../kernel/check.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { KEY_DEFAULTS, KEY_RULES } from '../../kernel/keys.js';
import { type ErrorMatchers, errorMatchers } from '../../kernel/matcher.js';
import type { Trip } from './trip.js';

/**
 * Says how long to stay open, in milliseconds. `openings` tells how often the breaker opened since
 * it was last closed, this time included.
 */
export type OpenFor = (trip: Trip & { readonly openings: number }) => Milliseconds;

/** How a call ended, as `isFailure` sees it. */
export type Settled =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

/** How a breaker lets traffic back in after its probes succeeded. */
export interface GradualCloseOptions {
  /**
   * The share of calls that each step admits, rising, each above 0 and at most 1; 1 to 20 steps.
   * Default [0.1, 0.25, 0.5].
   */
  steps?: readonly number[];
  /** Successes at a step that lead to the next. From 1. Default 5. */
  calls?: number;
}

/**
 * Options of a circuit breaker.
 *
 * Given only `failureThreshold`, exactly that many consecutive failures open it, however far apart.
 * Given only `failureRate`, only the rate does. Given neither: half of at least 20 calls within the
 * window, or 5 failures in a row within the window, 30 s if none is given, while there are fewer
 * than 20 calls. A rule for slow calls stands beside any of these.
 */
export interface CircuitBreakerOptions {
  /** Consecutive failures that open the breaker. From 1. Default 5 where neither rule is given, see above. */
  failureThreshold?: number;
  /**
   * Share of failed calls in the window that opens the breaker, compared with ≥. Above 0, at most 1.
   * Default 0.5 where neither rule is given, see above.
   */
  failureRate?: number;
  /**
   * A call that takes longer than this is slow, compared with >. Milliseconds, above 0. Slow
   * failures are slow too; a slow success still ends a run of failures. A slow probe is a failed
   * probe. Default: calls are not measured.
   */
  slowCallDuration?: Milliseconds;
  /** Share of slow calls in the window that opens the breaker, compared with ≥. Above 0, at most 1. Default 1. */
  slowCallRate?: number;
  /**
   * How long an outcome counts: milliseconds (10 buckets; an outcome is forgotten after the window
   * and at most a tenth of it more), or `{ calls: n }` for the last n calls. Default 10 s. A bare
   * `failureThreshold` forgets by time only if a time window is given.
   */
  window?: Milliseconds | { calls: number };
  /** Calls in the window below which a rate says nothing. From 1. Default 20, or the count window if smaller. */
  minimumCalls?: number;
  /**
   * How long it stays open before a probe may pass, in milliseconds from 1, or a function of the
   * trip. A number doubles with each re-opening until the breaker closes; a function's answer is
   * taken as it is, and one that throws or answers no such number is reported and replaced by the
   * default. Default 5 s.
   */
  openFor?: Milliseconds | OpenFor;
  /** The open time, jitter included, never exceeds this. Milliseconds. Default: the larger of 10 s and `openFor`. */
  maxOpenFor?: Milliseconds;
  /** Random share added to or taken from the open time, 0 to 1, so that replicas do not probe in step. Default 0.1. */
  openJitter?: number;
  /**
   * If a failure behind the trip asked for a longer pause (`Retry-After`), it stays open for that,
   * up to this, whatever `maxOpenFor` says. Milliseconds; 0 takes no such advice. Default 10 min.
   */
  maxRetryAfter?: Milliseconds;
  /** Successful probes that close it. From 1. Default 2. */
  successThreshold?: number;
  /** Probes let through per half-open period, in total. From 1. Default: the larger of 3 and `successThreshold`. */
  halfOpenCalls?: number;
  /**
   * A probe that has not settled this long after its method started loses its place to another.
   * Milliseconds. Default: the larger of 2 × the time limit and 5 s.
   */
  halfOpenLease?: Milliseconds;
  /**
   * After its probes succeeded, admits calls by growing shares instead of all at once: a step up
   * after some successes, a step back on each failure, from the first step back to open. `true`
   * takes the defaults. However low the traffic, one call is admitted per `halfOpenLease`.
   * Default false.
   */
  gradualClose?: boolean | GradualCloseOptions;
  /** Errors that count as failures; all others are ignored. Default: what the classifier blames on the dependency. */
  failOn?: ErrorMatchers;
  /** Errors that say nothing bad about the dependency. Wins over `failOn`. */
  ignore?: ErrorMatchers;
  /**
   * Decides alone which outcomes are failures, results too: instead of `failOn`. Of a stream it sees
   * the first value. One that throws is reported, and leaves a result good and an error a failure.
   * Errors that `ignore` names do not reach it.
   */
  isFailure?: (settled: Settled) => boolean;
  /** Methods that give the same name share one breaker: its state, never their actions. Default: the method's name. */
  name?: string;
  /**
   * One breaker per answer of this function, which gets the call's arguments (an interceptor's gets
   * Nest's `ExecutionContext`). Calls for which it answers undefined, throws, or answers no string
   * share one; the last two are reported. Default: one for all calls.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the parameters are those of the user's method
  key?: (...args: any[]) => string;
  /**
   * With `key`: how many breakers are kept; beyond it the one used longest ago goes, closed ones
   * before others, and never one that is held by hand. From 1. Default 1,000.
   */
  maxKeys?: number;
  /**
   * With `key`: a breaker that was not used for this long is dropped, unless it is still open or
   * held by hand. Milliseconds, above 0. Default 10 min.
   */
  idleTtl?: Milliseconds;
  /** Open means `down` in health, not only `degraded`. Default false. */
  critical?: boolean;
  /** `shadow`: refuses nobody; what it would have refused is counted as `wouldReject`. Default `enforce`. */
  mode?: 'enforce' | 'shadow';
}

/** The steps of a gradual close that was asked for. */
export const GRADUAL_CLOSE_DEFAULTS = { steps: [0.1, 0.25, 0.5], calls: 5 } as const;

export const CIRCUIT_BREAKER_DEFAULTS = {
  failureThreshold: 5,
  failureRate: 0.5,
  slowCallRate: 1,
  window: 10_000,
  minimumCalls: 20,
  openFor: 5_000,
  maxOpenFor: 10_000,
  openJitter: 0.1,
  maxRetryAfter: 600_000,
  successThreshold: 2,
  halfOpenCalls: 3,
  halfOpenLease: 5_000,
  gradualClose: false,
  ...KEY_DEFAULTS,
  critical: false,
  mode: 'enforce',
} as const;

const countWindow: OptionRule = (v) => {
  const readable = isOptionsObject(v) && checkObject('', v).length === 0;
  const calls = readable && Object.keys(v).length === 1 ? v['calls'] : undefined;
  const wish = integer(1, 1_000_000)(calls);
  return wish === undefined ? undefined : `{ calls: ${wish} }`;
};

const STEP_RULES: OptionRules<GradualCloseOptions> = {
  steps: (v) => {
    const good =
      Array.isArray(v) &&
      v.length > 0 &&
      v.length <= 20 &&
      v.every((share, i) => ratio(share) === undefined && (i === 0 || share > v[i - 1]));
    return good ? undefined : 'a rising list of 1 to 20 numbers, each above 0 and at most 1';
  },
  calls: integer(1, 1_000_000),
};

const gradualClose: OptionRule = (v) => {
  if (typeof v === 'boolean') return undefined;
  if (!isOptionsObject(v)) return 'true, false or { steps, calls }';
  const [mistake] = checkOptions('', v, STEP_RULES);
  return mistake && `{ steps, calls } without mistakes, but${mistake.at}: ${mistake.problem}`;
};

const RULES: OptionRules<CircuitBreakerOptions> = {
  failureThreshold: integer(1, 1_000_000),
  failureRate: ratio,
  slowCallDuration: span(1),
  slowCallRate: ratio,
  window: either(span(10), countWindow),
  minimumCalls: integer(1, 1_000_000),
  openFor: either(span(1), aFunction),
  maxOpenFor: span(1),
  openJitter: number(0, 1),
  maxRetryAfter: span(0),
  successThreshold: integer(1, 10_000),
  halfOpenCalls: integer(1, 10_000),
  halfOpenLease: span(1),
  gradualClose,
  failOn: errorMatchers,
  ignore: errorMatchers,
  isFailure: aFunction,
  name: text,
  ...KEY_RULES,
  critical: boolean,
  mode: oneOf('enforce', 'shadow'),
};

/** Every mistake in the options, alone and against each other. */
export function checkCircuitBreaker(at: string, options: CircuitBreakerOptions): Mistake[] {
  const mistakes = checkOptions(at, options, RULES);
  if (mistakes.length > 0) return mistakes;

  const say = (option: string, value: unknown, expected: string): void => {
    mistakes.push({ at: `${at} ${option}`, problem: `got ${show(value)}, expected ${expected}` });
  };
  const { window, minimumCalls, openFor, maxOpenFor, successThreshold, halfOpenCalls } = options;
  if (typeof window === 'object' && minimumCalls !== undefined && minimumCalls > window.calls) {
    say('minimumCalls', minimumCalls, `at most the ${window.calls} calls of the window`);
  }
  const open = openFor ?? CIRCUIT_BREAKER_DEFAULTS.openFor;
  if (maxOpenFor !== undefined && typeof open === 'number' && maxOpenFor < open) {
    say('maxOpenFor', maxOpenFor, `at least openFor, ${open}`);
  }
  const successes = successThreshold ?? CIRCUIT_BREAKER_DEFAULTS.successThreshold;
  if (halfOpenCalls !== undefined && halfOpenCalls < successes) {
    say(
      'halfOpenCalls',
      halfOpenCalls,
      `at least successThreshold, ${successes}, or it can never close`,
    );
  }
  const { failureThreshold, failureRate, slowCallDuration, slowCallRate } = options;
  const onlyRuns =
    failureThreshold !== undefined && failureRate === undefined && slowCallDuration === undefined;
  if (minimumCalls !== undefined && onlyRuns) {
    say(
      'minimumCalls',
      minimumCalls,
      'failureRate beside it; a bare failureThreshold counts no calls',
    );
  }
  if (slowCallRate !== undefined && slowCallDuration === undefined) {
    say('slowCallRate', slowCallRate, 'slowCallDuration beside it, which says what is slow');
  }
  if (options.isFailure !== undefined && options.failOn !== undefined) {
    say(
      'isFailure',
      options.isFailure,
      'no failOn beside it; each decides alone what is a failure',
    );
  }
  return mistakes;
}
