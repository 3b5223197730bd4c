import { show } from '../../kernel/check.js';
import { type Milliseconds, minutes } from '../../kernel/duration.js';
import { ignore } from '../../kernel/ignore.js';
import type { PredicateReport } from '../../kernel/matcher.js';
import { limit as rule, type TimeLimitOptions } from './time-limit.options.js';

/**
 * The limit of an attempt whose limit function has failed. Not shorter, because cutting healthy work
 * off for a mistake in an option would be worse; not none, because then it could hang for ever. It
 * is what Node's HTTP server and `fetch` allow by themselves (`requestTimeout`, `headersTimeout`).
 */
export const FALLBACK_LIMIT: Milliseconds = minutes(5);

/** The limit of an attempt, counted from 1; undefined if it has none. Never throws. */
export type LimitFor = (
  attempt: number,
  args: readonly unknown[],
  report: PredicateReport,
) => Milliseconds | undefined;

/** The limit itself, of options that have been checked; undefined where it is a function or none. */
export function timeLimitOf(options: TimeLimitOptions | Milliseconds): Milliseconds | undefined {
  const ms = typeof options === 'number' ? options : options.ms;
  return typeof ms === 'number' ? ms : undefined;
}

/** Makes the option ready to be asked at each attempt. */
export function compileTimeLimit(options: TimeLimitOptions | Milliseconds): LimitFor {
  const ms = typeof options === 'number' ? options : options.ms;
  if (typeof ms !== 'function') return () => ms;
  return (attempt, args, report) => {
    try {
      const answer: unknown = ms(attempt, ...args);
      const expected = rule(answer);
      if (expected === undefined) return answer as Milliseconds;
      ignore(answer);
      report('ms', new RangeError(`got ${show(answer)}, expected ${expected}`));
    } catch (thrown) {
      report('ms', thrown);
    }
    return FALLBACK_LIMIT;
  };
}

/**
 * Whether a timer of `limit` milliseconds that fired `late` milliseconds after its time says that
 * the event loop was blocked: the answer may have been there in time, and nobody could read it.
 *
 * From half of the limit on the dependency had a good part of its time with nobody listening. Below
 * 20 ms any timer may be late, by garbage collection or a busy machine.
 */
export function wasBlocked(limit: Milliseconds, late: Milliseconds): boolean {
  return late >= Math.max(20, limit / 2);
}
