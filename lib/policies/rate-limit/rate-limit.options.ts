import {
  checkOptions,
  integer,
  type Mistake,
  type OptionRules,
  span,
  text,
} from '../../kernel/check.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { KEY_DEFAULTS, KEY_RULES } from '../../kernel/keys.js';

/** Options of a rate limit. */
export interface RateLimitOptions {
  /** Calls per `per`, in the long run. A whole number from 1 to 10⁹. Required. */
  limit: number;
  /** Milliseconds in which `limit` calls may start. From 1 to 2³¹ − 1. Default 1 s. */
  per?: Milliseconds;
  /**
   * Calls that may start at once after a rest; from then on one starts each `per / limit`. A whole
   * number from 1, which spaces all calls evenly, to 10⁹. Default: `limit`.
   */
  burst?: number;
  /**
   * Milliseconds a call may have to wait for its turn, first come first served; who would have to
   * wait longer is refused at once. From 0 to 2³¹ − 1. At most about `maxWait × limit / per` calls
   * wait. Default 0: nobody waits.
   */
  maxWait?: Milliseconds;
  /** Methods that give the same name share one rate limit. Default: the method's name. */
  name?: string;
  /**
   * Gets the arguments of the call (Nest's `ExecutionContext` in an interceptor); each answer has a
   * rate limit of its own. Calls for which it answers undefined, throws, or answers no string share
   * one; the last two are reported. Default: one for all calls.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the arguments are those of any method
  key?: (...args: any[]) => string;
  /** Keys that are remembered at once. From 1 to 1,000,000. Default 1,000. */
  maxKeys?: number;
  /**
   * Milliseconds after which an unused key is forgotten, though never before it has its whole
   * burst back. From 1 to 2³¹ − 1. Default 10 min.
   */
  idleTtl?: Milliseconds;
}

export const RATE_LIMIT_DEFAULTS = {
  per: 1_000,
  maxWait: 0,
  ...KEY_DEFAULTS,
} as const;

const calls = integer(1, 1_000_000_000);
const RULES: OptionRules<RateLimitOptions> = {
  limit: calls,
  per: span(1),
  burst: calls,
  maxWait: span(0),
  name: text,
  ...KEY_RULES,
};

/** Every mistake in the options. */
export function checkRateLimit(at: string, options: RateLimitOptions): Mistake[] {
  const mistakes = checkOptions(at, options, RULES);
  if (mistakes.length === 0 && options.limit === undefined) {
    mistakes.push({ at: `${at} limit`, problem: `got nothing, expected ${calls(undefined)}` });
  }
  return mistakes;
}
