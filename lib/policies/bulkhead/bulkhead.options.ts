import {
  checkOptions,
  integer,
  type Mistake,
  type OptionRules,
  span,
  text,
} from '../../kernel/check.js';
import type { Milliseconds } from '../../kernel/duration.js';

/** Options of a bulkhead. */
export interface BulkheadOptions {
  /** Calls that may run at once. From 1. Default 10. */
  maxConcurrent?: number;
  /** Calls that may wait for a place, first come first served. From 0, which refuses at once. Default 10. */
  maxQueue?: number;
  /** Milliseconds a call may wait in the queue. Default: no limit of its own. */
  queueTimeout?: Milliseconds;
  /** Methods that give the same name share one bulkhead. Default: the method's name. */
  name?: string;
}

export const BULKHEAD_DEFAULTS = { maxConcurrent: 10, maxQueue: 10 } as const;

const RULES: OptionRules<BulkheadOptions> = {
  maxConcurrent: integer(1, 1_000_000),
  maxQueue: integer(0, 10_000_000),
  queueTimeout: span(1),
  name: text,
};

/** Every mistake in the options. */
export function checkBulkhead(at: string, options: BulkheadOptions): Mistake[] {
  return checkOptions(at, options, RULES);
}
