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
  schedule,
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

function schedule(task: () => void, delay: Milliseconds, from = now()): CancelTimer {
  const timer = new Timer(task, from + delay);
  timer.arm(delay);
  return () => timer.cancel();
}

/** A call with a time limit makes one. */
class Timer {
  private timeout: NodeJS.Timeout | undefined;
  private grace: NodeJS.Immediate | undefined;

  constructor(
    private readonly task: () => void,
    private readonly due: Milliseconds,
  ) {}

  /** A platform timer longer than `MAX_TIMER` would fire at once, so a long one is made of several. */
  arm(delay: Milliseconds): void {
    // a timer cuts fractions off, and would be early; what arithmetic leaves of one is none
    const left = Math.ceil(delay - 1e-3);
    // what a test has put in place of setTimeout may pass no arguments on
    this.timeout =
      left > MAX_TIMER
        ? setTimeout(() => this.arm(this.due - now()), MAX_TIMER)
        : setTimeout(() => this.fire(), left);
  }

  private fire(): void {
    const { task } = this;
    if (now() - this.due < LATE) {
      task();
      return;
    }
    // answers that arrived while the loop was blocked go first: two turns read them and settle them
    this.grace = setImmediate(() => (this.grace = setImmediate(task)));
  }

  cancel(): void {
    clearTimeout(this.timeout);
    if (this.grace !== undefined) clearImmediate(this.grace);
  }
}
