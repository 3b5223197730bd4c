import type { Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';

/**
 * An answer that is asked for at most once per span of time, however many want it: who comes while
 * it is on its way gets that one, and who comes soon after gets the last one, an error included.
 */
export class Fresh<T> {
  private answer: Promise<T> | undefined;
  private askedAt: Milliseconds = 0;
  private isOnItsWay = false;

  /**
   * @param ask must settle: it is not asked anew before
   * @param maxAge counted from when it was asked
   */
  constructor(
    private readonly ask: () => Promise<T>,
    private readonly clock: Clock,
    private readonly maxAge: Milliseconds,
  ) {}

  get(): Promise<T> {
    const now = this.clock.now();
    if (this.answer !== undefined && (this.isOnItsWay || now - this.askedAt < this.maxAge))
      return this.answer;
    this.askedAt = now;
    this.isOnItsWay = true;
    this.answer = this.ask().finally(() => (this.isOnItsWay = false));
    return this.answer;
  }
}
