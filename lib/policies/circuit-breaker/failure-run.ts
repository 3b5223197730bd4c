import type { Milliseconds } from '../../kernel/duration.js';

/** A run of failures that nothing but failures interrupts, optionally within a span of time. */
export class FailureRun {
  length = 0;
  private times: Milliseconds[] | undefined = undefined;

  constructor(
    readonly limit: number,
    /** The span in which the last `limit` failures must lie to count. */
    readonly within: Milliseconds | undefined,
  ) {}

  /** Adds a failure; answers whether the run is now long enough. */
  add(now: Milliseconds): boolean {
    this.length += 1;
    if (this.within === undefined) return this.length >= this.limit;
    const times = (this.times ??= []);
    times[this.length % this.limit] = now;
    const oldest = times[(this.length + 1) % this.limit];
    return this.length >= this.limit && oldest !== undefined && now - oldest <= this.within;
  }

  /** Takes over a run of which only the length is known, as if all of it had happened now. */
  seed(length: number, now: Milliseconds): void {
    this.length = length;
    if (this.within === undefined || length === 0) return;
    this.times = Array.from({ length: this.limit }, () => now);
  }

  clear(): void {
    this.length = 0;
  }
}
