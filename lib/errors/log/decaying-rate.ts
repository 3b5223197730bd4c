import type { Milliseconds } from '../../kernel/duration.js';

const MINUTE = 60_000;

/**
 * How many a minute, of late: each counts as one and fades with a time constant of one minute, so
 * that a steady stream of n a minute reads as n.
 */
export class DecayingRate {
  private weight = 0;
  private at: Milliseconds = 0;

  /** One more, by the monotonic clock. */
  add(now: Milliseconds): void {
    this.weight = this.perMinute(now) + 1;
    this.at = now;
  }

  perMinute(now: Milliseconds): number {
    return this.weight * Math.exp((this.at - now) / MINUTE);
  }
}
