import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';

/** Whether something that does not fail has happened within so long. */
export function inTime(
  clock: Clock,
  patience: Milliseconds,
  event: Promise<void>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.schedule(() => resolve(false), patience);
    void event.then(() => {
      cancel();
      resolve(true);
    });
  });
}
