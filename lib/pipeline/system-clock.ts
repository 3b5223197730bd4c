import type { Clock } from '../kernel/clock.js';

/** A timer that fires this much too late says that our own event loop was blocked. */
const LATE = 20;

/**
 * The platform's clock. Its functions are looked up at each call, so that a user's fake timers,
 * installed later, are obeyed.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  schedule(task, delay) {
    const due = performance.now() + delay;
    let grace: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      if (performance.now() - due < LATE) task();
      // answers that arrived while the loop was blocked go first: two turns read them and settle them
      else grace = setImmediate(() => (grace = setImmediate(task)));
    }, delay);
    return () => {
      clearTimeout(timer);
      clearImmediate(grace);
    };
  },
};
