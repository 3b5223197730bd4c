import {
  boolean,
  checkOptions,
  either,
  integer,
  number,
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
import { type ErrorMatchers, errorMatchers } from '../../kernel/matcher.js';

/**
 * Options of a circuit breaker.
 *
 * Given only `failureThreshold`, exactly that many consecutive failures open it, however far apart.
 * Given only `failureRate`, only the rate does. Given neither: half of at least 20 calls within the
 * window, or 5 failures in a row within the window while there are fewer than 20 calls.
 */
export interface CircuitBreakerOptions {
  /** Consecutive failures that open the breaker. From 1. Default: see above. */
  failureThreshold?: number;
  /** Share of failed calls in the window that opens the breaker, compared with ≥. Above 0, at most 1. */
  failureRate?: number;
  /**
   * How long an outcome counts: milliseconds (10 buckets; an outcome is forgotten after the window
   * and at most a tenth of it more), or `{ calls: n }` for the last n calls. Default 30 s. A bare
   * `failureThreshold` forgets by time only if a time window is given.
   */
  window?: Milliseconds | { calls: number };
  /** Calls in the window below which the rate says nothing. From 1. Default 20, or the count window if smaller. */
  minimumCalls?: number;
  /** How long it stays open before a probe may pass, in milliseconds. Above 0. Default 5 s. */
  openFor?: Milliseconds;
  /** The open time doubles with each re-opening up to this. Default: the larger of 60 s and `openFor`. */
  maxOpenFor?: Milliseconds;
  /** Random share added to or taken from the open time, 0 to 1, so that replicas do not probe in step. Default 0.1. */
  openJitter?: number;
  /** Successful probes that close it. From 1. Default 2. */
  successThreshold?: number;
  /** Probes let through per half-open period, in total. From 1. Default: the larger of 3 and `successThreshold`. */
  halfOpenCalls?: number;
  /**
   * A probe that has not settled this long after its method started loses its place to another.
   * Milliseconds. Default: the larger of 2 × the time limit and 5 s.
   */
  halfOpenLease?: Milliseconds;
  /** Errors that count as failures; all others are ignored. Default: what the classifier blames on the dependency. */
  failOn?: ErrorMatchers;
  /** Errors that say nothing bad about the dependency. Wins over `failOn`. */
  ignore?: ErrorMatchers;
  /** Methods that give the same name share one breaker: its state, never their actions. Default: the method's name. */
  name?: string;
  /** Open means `down` in health, not only `degraded`. Default false. */
  critical?: boolean;
}

export const CIRCUIT_BREAKER_DEFAULTS = {
  failureThreshold: 5,
  failureRate: 0.5,
  window: 30_000,
  minimumCalls: 20,
  openFor: 5_000,
  maxOpenFor: 60_000,
  openJitter: 0.1,
  successThreshold: 2,
  halfOpenCalls: 3,
  halfOpenLease: 5_000,
  critical: false,
} as const;

const countWindow: OptionRule = (v) => {
  const calls = isOptionsObject(v) && Object.keys(v).length === 1 ? v['calls'] : undefined;
  const wish = integer(1, 1_000_000)(calls);
  return wish === undefined ? undefined : `{ calls: ${wish} }`;
};

const RULES: OptionRules<CircuitBreakerOptions> = {
  failureThreshold: integer(1, 1_000_000),
  failureRate: ratio,
  window: either(span(10), countWindow),
  minimumCalls: integer(1, 1_000_000),
  openFor: span(1),
  maxOpenFor: span(1),
  openJitter: number(0, 1),
  successThreshold: integer(1, 10_000),
  halfOpenCalls: integer(1, 10_000),
  halfOpenLease: span(1),
  failOn: errorMatchers,
  ignore: errorMatchers,
  name: text,
  critical: boolean,
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
  if (maxOpenFor !== undefined && maxOpenFor < open) {
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
  if (
    minimumCalls !== undefined &&
    options.failureThreshold !== undefined &&
    options.failureRate === undefined
  ) {
    say(
      'minimumCalls',
      minimumCalls,
      'failureRate beside it; a bare failureThreshold counts no calls',
    );
  }
  return mistakes;
}
