import type { CancelTimer, Clock } from '../kernel/clock.js';
import { MAX_TIMER, type Milliseconds } from '../kernel/duration.js';

/** A timer that fires this much too late says that our own event loop was blocked. */
const LATE = 20;

/**
 * The platform's clock. Its functions are looked up at each call, so that a user's fake timers,
 * installed later, are obeyed.
 */
export const systemClock: Clock = {
  now,
  epoch: () => Date.now(),
  schedule: (task, delay) => scheduleAt(task, now() + delay),
};

let last: Milliseconds = 0;
let behind: Milliseconds = 0;

/** Fake timers bring a `performance.now` that begins anew, and nobody is to wait until it has caught up. */
function now(): Milliseconds {
  const reading = performance.now() + behind;
  if (reading >= last) {
    last = reading;
    return reading;
  }
  behind += last - reading;
  return last;
}

/** A platform timer longer than `MAX_TIMER` would fire at once, so a long one is made of several. */
function scheduleAt(task: () => void, due: Milliseconds): CancelTimer {
  let cancel: CancelTimer = () => {};
  const arm = (): void => {
    // a timer cuts fractions off, and would be early; what arithmetic leaves of one is none
    const left = Math.ceil(due - now() - 1e-3);
    if (left > MAX_TIMER) {
      const timer = setTimeout(arm, MAX_TIMER);
      cancel = () => clearTimeout(timer);
      return;
    }
    const timer = setTimeout(fire, left);
    cancel = () => clearTimeout(timer);
  };
  const fire = (): void => {
    if (now() - due < LATE) {
      task();
      return;
    }
    // answers that arrived while the loop was blocked go first: two turns read them and settle them
    let grace = setImmediate(() => (grace = setImmediate(task)));
    cancel = () => clearImmediate(grace);
  };
  arm();
  return () => cancel();
}
