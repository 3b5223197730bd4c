import { integer, show } from '../../kernel/check.js';
import { ignore } from '../../kernel/ignore.js';
import type { PredicateReport } from '../../kernel/matcher.js';
import type { BulkheadOptions } from './bulkhead.options.js';

/** The highest priority; the lowest is 0. */
export const MAX_PRIORITY = 9;

/** The priority of a call with these arguments: a whole number from 0 to 9. Never throws. */
export type PriorityOf = (args: readonly unknown[]) => number;

const rule = integer(0, MAX_PRIORITY);

/**
 * Makes the `priority` option ready to be asked; undefined where it was not given. If the function
 * throws, or answers something else than a priority, that is reported and means 0.
 */
export function compilePriority(
  option: BulkheadOptions['priority'],
  report: PredicateReport,
): PriorityOf | undefined {
  if (option === undefined) return undefined;
  return (args) => {
    try {
      const priority: unknown = option(...args);
      const expected = rule(priority);
      if (expected === undefined) return priority as number;
      ignore(priority);
      report('priority', new RangeError(`got ${show(priority)}, expected ${expected}`));
    } catch (thrown) {
      report('priority', thrown);
    }
    return 0;
  };
}
