import type { Clock } from '../kernel/clock.js';

/**
 * The platform's clock. Its functions are looked up at each call, so that a user's fake timers,
 * installed later, are obeyed.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  schedule(task, delay) {
    const timer = setTimeout(task, delay);
    return () => clearTimeout(timer);
  },
};
