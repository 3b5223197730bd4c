import {
  checkOptions,
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
   * Milliseconds for one attempt, waiting in the bulkhead's queue included. From 1 to 2³¹ − 1.
   * Default: that of the module's `defaults.timeLimit`; without one it is required.
   */
  ms?: Milliseconds;
}

const RULES: OptionRules<TimeLimitOptions> = { ms: span(1) };

/** Every mistake in the options. */
export function checkTimeLimit(at: string, options: TimeLimitOptions | Milliseconds): Mistake[] {
  if (!isOptionsObject(options)) {
    const expected = RULES.ms(options);
    return expected === undefined
      ? []
      : [{ at: `${at} ms`, problem: `got ${show(options)}, expected ${expected}` }];
  }
  const mistakes = checkOptions(at, options, RULES);
  if (options.ms === undefined) {
    const problem =
      'got nothing, expected a time limit in milliseconds, here or in defaults.timeLimit';
    mistakes.push({ at: `${at} ms`, problem });
  }
  return mistakes;
}

/** The limit itself, of options that have been checked. */
export function timeLimitOf(options: TimeLimitOptions | Milliseconds): Milliseconds {
  return typeof options === 'number' ? options : options.ms!;
}
