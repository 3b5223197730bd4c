import {
  aFunction,
  boolean,
  checkOptions,
  either,
  isOptionsObject,
  type Mistake,
  type OptionRules,
  show,
  span,
} from '../../kernel/check.js';
import type { Milliseconds } from '../../kernel/duration.js';

/** Options of a time limit. A bare number means `{ ms }`. */
export interface TimeLimitOptions {
  /**
   * Milliseconds for one attempt, waiting in the bulkhead's queue included; of a stream, up to its
   * first value. From 1 to 2³¹ − 1. Or a function that gets the attempt's number, counted from 1,
   * and the arguments of the call; if it throws, or answers something else, that is reported and
   * the limit is 5 min. Default: that of the module's `defaults.timeLimit`; without one it is
   * required, unless `idle` or `propagateDeadline` is given.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the arguments are those of any method
  ms?: Milliseconds | ((attempt: number, ...args: any[]) => Milliseconds);
  /**
   * Milliseconds that may pass between two values of a stream, and from the last one to its end.
   * From 1 to 2³¹ − 1. Default: no limit.
   */
  idle?: Milliseconds;
  /**
   * Decorated calls that the method makes inherit its deadline, and its `currentCall()` is valid
   * throughout. It costs an async context. Default false.
   */
  propagateDeadline?: boolean;
}

export const limit = span(1);
const RULES: OptionRules<TimeLimitOptions> = {
  ms: either(limit, aFunction),
  idle: limit,
  propagateDeadline: boolean,
};

/** Every mistake in the options. */
export function checkTimeLimit(at: string, options: TimeLimitOptions | Milliseconds): Mistake[] {
  if (!isOptionsObject(options)) {
    const expected = limit(options);
    return expected === undefined
      ? []
      : [{ at: `${at} ms`, problem: `got ${show(options)}, expected ${expected}` }];
  }
  const mistakes = checkOptions(at, options, RULES);
  const { ms, idle, propagateDeadline } = options;
  if (ms === undefined && idle === undefined && propagateDeadline !== true) {
    const problem =
      'got nothing, expected a time limit in milliseconds, here or in defaults.timeLimit';
    mistakes.push({ at: `${at} ms`, problem });
  }
  return mistakes;
}
