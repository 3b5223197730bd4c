import type { Milliseconds } from './duration.js';

/** Ends a scheduled task. Calling it again, or after the task ran, does nothing. */
export type CancelTimer = () => void;

/**
 * Time as a port, so that every race can be replayed in a test.
 *
 * Two readings, never mixed: `now()` measures elapsed time and is not moved by a change of the
 * wall clock; `epoch()` is for records that people read.
 */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin. */
  now(): Milliseconds;
  /** Milliseconds since 1970 by the wall clock. */
  epoch(): Milliseconds;
  /**
   * Runs `task` once, `delay` milliseconds from now. A pending task keeps the process alive.
   *
   * @param now what `now()` has just answered, where the caller knows: one reading less. Default:
   * it is asked
   */
  schedule(task: () => void, delay: Milliseconds, now?: Milliseconds): CancelTimer;
}
