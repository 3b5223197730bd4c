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
  /** Milliseconds for one attempt, waiting in the bulkhead's queue included. From 1 to 2³¹ − 1. Required. */
  ms: Milliseconds;
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
  if (options.ms === undefined)
    mistakes.push({
      at: `${at} ms`,
      problem: 'got nothing, expected a time limit in milliseconds',
    });
  return mistakes;
}

/** The limit itself. */
export function timeLimitOf(options: TimeLimitOptions | Milliseconds): Milliseconds {
  return typeof options === 'number' ? options : options.ms;
}
