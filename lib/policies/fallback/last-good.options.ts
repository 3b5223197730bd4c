import {
  boolean,
  checkObject,
  checkOptions,
  integer,
  isOptionsObject,
  type Mistake,
  type OptionRule,
  type OptionRules,
  span,
} from '../../kernel/check.js';
import type { Milliseconds } from '../../kernel/duration.js';

/**
 * The last good answer of the method as a fallback: each good answer is kept, and given again when
 * a later call with the same key fails. Degraded answers are not kept.
 *
 * Kept per method and concrete class, in memory. A stream's answer is kept if the stream completes
 * after exactly one value. Not for answers that can be used only once, such as a `Response`.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the decorator types fit it to the method
export interface FallbackCacheOptions<A extends unknown[] = any[]> {
  /** How old an answer may be when it is given again, in milliseconds, counted from when it came. From 1. Required. */
  ttl: Milliseconds;
  /**
   * Who may see whose answer: calls with the same key get each other's answers, so the key must
   * name everything that the answer depends on, the user and the tenant included. Gets the
   * arguments of the call, with the instance as `this`, before the method does. Undefined: the
   * answer of this call is not kept, and none is given to it.
   *
   * Required, for a method without parameters too: it may know its caller from its instance or
   * from an async context. Where every caller may see the same answer, say so: `key: () => 'all'`.
   * `structuralKey(args)` makes a key of arguments that are plain data.
   *
   * If it throws, or answers anything but a string of at most 1,024 characters, that is reported
   * as `predicate-failed` and counts as undefined.
   */
  key: (...args: A) => string | undefined;
  /**
   * How many answers are kept, one per key; beyond it the one that was not used for longest goes.
   * From 1. Default 1,000. It bounds their number, not their size.
   */
  maxEntries?: number;
  /**
   * True: answers are kept and given as copies (`structuredClone`), so that no caller can change
   * what another gets; classes and functions do not survive that, and an answer that cannot be
   * cloned is reported and not kept. Default false: the very object that the method answered.
   */
  clone?: boolean;
}

export const FALLBACK_CACHE_DEFAULTS = { maxEntries: 1_000, clone: false } as const;

const key: OptionRule = (v) =>
  typeof v === 'function'
    ? undefined
    : "a function of the call's arguments that names all its answer depends on, its caller included; () => 'all' where every caller may see the same";

const RULES: OptionRules<FallbackCacheOptions> = {
  ttl: span(1, Number.MAX_SAFE_INTEGER),
  key,
  maxEntries: integer(1, 1_000_000),
  clone: boolean,
};

/** Every mistake in the options. */
export function checkLastGood(at: string, options: unknown): Mistake[] {
  const mistakes = checkOptions(at, options, RULES);
  if (!isOptionsObject(options) || checkObject(at, options).length > 0) return mistakes;
  for (const name of ['ttl', 'key'] as const) {
    if (options[name] !== undefined) continue;
    const expected = RULES[name](undefined);
    mistakes.push({ at: `${at} ${name}`, problem: `got undefined, expected ${expected}` });
  }
  return mistakes;
}
