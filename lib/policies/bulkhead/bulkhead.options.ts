import {
  aFunction,
  checkOptions,
  either,
  integer,
  type Mistake,
  type OptionRule,
  type OptionRules,
  span,
  text,
} from '../../kernel/check.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { KEY_DEFAULTS, KEY_RULES } from '../../kernel/keys.js';

/** Options of a bulkhead. */
export interface BulkheadOptions {
  /** Calls that may run at once. From 1. Default 10. */
  maxConcurrent?: number;
  /** Calls that may wait for a place, first come first served. From 0, which refuses at once. Default 10. */
  maxQueue?: number;
  /**
   * Milliseconds a call may wait in the queue. A method that calls itself after an `await` may wait
   * for itself: give it this, or a time limit. Default: no limit of its own.
   */
  queueTimeout?: Milliseconds;
  /**
   * Gets the arguments of the call; answers its priority in the queue, a whole number from 0 to 9,
   * the highest first. Who is in the queue is never pushed out of it; under a lasting flood of
   * higher priorities the lower ones wait until their `queueTimeout`. If it throws, or answers
   * something else, that is reported and means 0. Default: 0 for all.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the arguments are those of any method
  priority?: (...args: any[]) => number;
  /**
   * Milliseconds from the start of the method after which a call loses its place to others, though
   * it still runs: it is counted as orphaned until it ends. From 1 to 2³¹ − 1. `false`: never.
   * Default: for work that was given up on, 5 × the time limit from when that began to count, the
   * wait in the queue included; without a time limit, never.
   */
  maxHold?: Milliseconds | false;
  /** Methods that give the same name share one bulkhead. Default: the method's name. */
  name?: string;
  /**
   * Gets the arguments of the call (Nest's `ExecutionContext` in an interceptor); each answer has a
   * bulkhead of its own. Calls for which it answers undefined, throws, or answers no string share
   * one; the last two are reported. Default: one for all calls.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the arguments are those of any method
  key?: (...args: any[]) => string;
  /** Keys that are remembered at once. From 1 to 1,000,000. Default 1,000. */
  maxKeys?: number;
  /** Milliseconds after which a key that nobody uses is forgotten. From 1 to 2³¹ − 1. Default 10 min. */
  idleTtl?: Milliseconds;
}

export const BULKHEAD_DEFAULTS = {
  maxConcurrent: 10,
  maxQueue: 10,
  ...KEY_DEFAULTS,
} as const;

const never: OptionRule = (v) => (v === false ? undefined : 'false');

const RULES: OptionRules<BulkheadOptions> = {
  maxConcurrent: integer(1, 1_000_000),
  maxQueue: integer(0, 10_000_000),
  queueTimeout: span(1),
  priority: aFunction,
  maxHold: either(span(1), never),
  name: text,
  ...KEY_RULES,
};

/** Every mistake in the options. */
export function checkBulkhead(at: string, options: BulkheadOptions): Mistake[] {
  return checkOptions(at, options, RULES);
}
