import type { CancelTimer, Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';

/**
 * Schedules the end of a limit behind everything that falls due at the same moment: an answer that
 * comes just in time wins, whichever of the two timers was made first.
 */
export function scheduleLimit(clock: Clock, end: () => void, limit: Milliseconds): CancelTimer {
  let cancel = clock.schedule(() => {
    cancel = clock.schedule(end, 0);
  }, limit);
  return () => cancel();
}
