import type { Milliseconds } from '../../kernel/duration.js';

/**
 * The last failures since the last success, n of them at most: tells when a component failed n times
 * within a window and nothing got through in between. A bare "n failures in a window" would accuse
 * every component with a thousand healthy calls a second.
 */
export class FailureStreak {
  /** A ring of the times of the last failures, made with the first. */
  private times: Milliseconds[] | undefined;
  private sum = 0;

  constructor(private readonly size: number) {}

  failed(now: Milliseconds): void {
    this.times ??= Array.from({ length: this.size }, () => now);
    this.times[this.sum % this.size] = now;
    this.sum += 1;
  }

  succeeded(): void {
    this.sum = 0;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.sum;
  }

  /** When the last n failures began, or undefined if there were not so many since the last success. */
  get began(): Milliseconds | undefined {
    return this.sum < this.size ? undefined : this.times![this.sum % this.size];
  }
}
