import type { CancelTimer, Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import { systemClock } from '../pipeline/system-clock.js';

// as they are when this is loaded: fake timers that a user's test installs later would find a
// timer that never ends, and run it for ever
const { setTimeout, clearTimeout } = globalThis;

/** Runs a task once; a task that waits keeps no process alive. */
export function inBackground(task: () => void, delay: Milliseconds): CancelTimer {
  const timer = setTimeout(task, delay);
  timer.unref();
  return () => clearTimeout(timer);
}

/** The same by the clock of the application, where a test has given it another. */
export function backgroundOf(clock: Clock): Clock['schedule'] {
  return clock === systemClock ? inBackground : (task, delay) => clock.schedule(task, delay);
}
