import type { CancelTimer, Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import { scheduleLimit } from './limit-timer.js';

/** Watches that a stream does not fall silent. One timer per gap at most, not one per value. */
export class IdleWatch {
  private lastValueAt: Milliseconds;
  private cancelTimer: CancelTimer | undefined;

  /** @param silent is called, once, with how late it is */
  constructor(
    private readonly clock: Clock,
    private readonly idle: Milliseconds,
    private readonly silent: (late: Milliseconds) => void,
  ) {
    this.lastValueAt = clock.now();
    this.watch(idle);
  }

  value(): void {
    this.lastValueAt = this.clock.now();
  }

  cancel(): void {
    this.cancelTimer?.();
  }

  private watch(delay: Milliseconds): void {
    const look = (): void => {
      const left = this.lastValueAt + this.idle - this.clock.now();
      if (left > 0) this.watch(left);
      else this.silent(-left);
    };
    this.cancelTimer = scheduleLimit(this.clock, look, delay);
  }
}
