import type { Milliseconds } from '../../kernel/duration.js';

/** Counts the calls and the failures among them that have not been forgotten yet. */
export interface FailureWindow {
  readonly calls: number;
  readonly failures: number;
  /** Forgets what is older than the window at `now`, then counts one call. */
  record(failed: boolean, now: Milliseconds): void;
  /** Forgets what is older than the window at `now`. */
  forget(now: Milliseconds): void;
  clear(): void;
}

const BUCKETS = 10;

/**
 * A sliding window of time in buckets, with running totals: recording and reading are O(1), and
 * silence forgets as well as traffic does.
 *
 * One bucket more than the window holds, so that an outcome counts for at least the whole window.
 */
export class TimeWindow implements FailureWindow {
  calls = 0;
  failures = 0;
  private readonly width: Milliseconds;
  private readonly callsIn: number[];
  private readonly failuresIn: number[];
  private tick = Number.NEGATIVE_INFINITY;

  constructor(length: Milliseconds, buckets: number = BUCKETS) {
    this.width = length / buckets;
    this.callsIn = Array.from({ length: buckets + 1 }, () => 0);
    this.failuresIn = Array.from({ length: buckets + 1 }, () => 0);
  }

  record(failed: boolean, now: Milliseconds): void {
    this.forget(now);
    const bucket = this.tick % this.callsIn.length;
    this.callsIn[bucket]! += 1;
    this.calls += 1;
    if (failed) {
      this.failuresIn[bucket]! += 1;
      this.failures += 1;
    }
  }

  forget(now: Milliseconds): void {
    const tick = Math.floor(now / this.width);
    if (tick <= this.tick) return;
    const size = this.callsIn.length;
    const passed = Math.min(tick - this.tick, size);
    // a young process has a tick smaller than the ring, so the difference may be negative
    for (let i = 0; i < passed; i += 1) this.empty((tick - i + size) % size);
    this.tick = tick;
  }

  clear(): void {
    this.callsIn.fill(0);
    this.failuresIn.fill(0);
    this.calls = 0;
    this.failures = 0;
  }

  private empty(bucket: number): void {
    this.calls -= this.callsIn[bucket]!;
    this.failures -= this.failuresIn[bucket]!;
    this.callsIn[bucket] = 0;
    this.failuresIn[bucket] = 0;
  }
}

/** The last n calls, in a ring. */
export class CountWindow implements FailureWindow {
  calls = 0;
  failures = 0;
  private readonly ring: boolean[];
  private next = 0;

  constructor(size: number) {
    this.ring = Array.from({ length: size }, () => false);
  }

  record(failed: boolean): void {
    if (this.calls === this.ring.length) {
      if (this.ring[this.next]) this.failures -= 1;
    } else {
      this.calls += 1;
    }
    if (failed) this.failures += 1;
    this.ring[this.next] = failed;
    this.next = (this.next + 1) % this.ring.length;
  }

  forget(): void {
    // only newer calls push older ones out
  }

  clear(): void {
    this.calls = 0;
    this.failures = 0;
    this.next = 0;
  }
}
