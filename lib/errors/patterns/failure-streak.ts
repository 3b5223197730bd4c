import type { Milliseconds } from '../../kernel/duration.js';

/**
 * The last failures since the last success, n of them at most: tells when a component failed n times
 * within a window and nothing got through in between. A bare "n failures in a window" would accuse
 * every component with a thousand healthy calls a second.
 */
export class FailureStreak {
  /** A ring of the times of the last failures. */
  private readonly times: Milliseconds[] = [];
  private next = 0;
  private sum = 0;

  constructor(private readonly size: number) {}

  failed(now: Milliseconds): void {
    this.times[this.next] = now;
    this.next = (this.next + 1) % this.size;
    this.sum += 1;
  }

  succeeded(): void {
    this.times.length = 0;
    this.next = 0;
    this.sum = 0;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.sum;
  }

  /** When the last n failures began, or undefined if there were not so many since the last success. */
  get began(): Milliseconds | undefined {
    return this.times.length < this.size ? undefined : this.times[this.next];
  }
}
