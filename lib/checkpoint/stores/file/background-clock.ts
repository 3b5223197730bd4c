import type { Clock } from '../../../kernel/clock.js';

/** The platform's clock, with timers that keep no process alive: a sign of life is no reason to live. */
export const backgroundClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  schedule: (task, delay) => {
    const timer = setTimeout(task, delay);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
