import type { Milliseconds } from '../../kernel/duration.js';

/** Counts the calls, and the failed and the slow among them, that have not been forgotten yet. */
export interface FailureWindow {
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
  /** Milliseconds, or calls. */
  readonly size: number;
  /** Forgets what is older than the window at `now`, then counts one call. */
  record(failed: boolean, slow: boolean, now: Milliseconds): void;
  /** Counts calls of which only the totals are known, as if they had come now. */
  seed(counts: WindowCounts, now: Milliseconds): void;
  /** Forgets what is older than the window at `now`. */
  forget(now: Milliseconds): void;
  clear(): void;
}

/** What a window counts. */
export interface WindowCounts {
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
}

const BUCKETS = 10;

/** Numbers per bucket: calls, failures, slow calls. */
const WIDTH = 3;

/**
 * A sliding window of time in buckets, with running totals: recording and reading are O(1), and
 * silence forgets as well as traffic does.
 *
 * One bucket more than the window holds, so that an outcome counts for at least the whole window.
 * Nothing is allocated before the first call.
 */
export class TimeWindow implements FailureWindow {
  calls = 0;
  failures = 0;
  slow = 0;
  private cells: number[] | undefined = undefined;
  private tick = 0;

  constructor(
    readonly size: Milliseconds,
    private readonly buckets: number = BUCKETS,
  ) {}

  record(failed: boolean, slow: boolean, now: Milliseconds): void {
    this.add(1, failed ? 1 : 0, slow ? 1 : 0, now);
  }

  seed({ calls, failures, slow }: WindowCounts, now: Milliseconds): void {
    this.add(calls, failures, slow, now);
  }

  forget(now: Milliseconds): void {
    const { cells, buckets } = this;
    const tick = this.tickOf(now);
    if (cells === undefined || tick <= this.tick) return;
    const ring = buckets + 1;
    const passed = Math.min(tick - this.tick, ring);
    // a young process has a tick smaller than the ring, so the difference may be negative
    for (let i = 0; i < passed; i += 1) this.empty(cells, ((tick - i + ring) % ring) * WIDTH);
    this.tick = tick;
  }

  clear(): void {
    this.cells = undefined;
    this.calls = 0;
    this.failures = 0;
    this.slow = 0;
  }

  private add(calls: number, failures: number, slow: number, now: Milliseconds): void {
    if (this.cells === undefined) {
      this.cells = Array.from({ length: (this.buckets + 1) * WIDTH }, () => 0);
      this.tick = this.tickOf(now);
    } else {
      this.forget(now);
    }
    const { cells } = this;
    const at = (this.tick % (this.buckets + 1)) * WIDTH;
    cells[at]! += calls;
    this.calls += calls;
    if (failures > 0) {
      cells[at + 1]! += failures;
      this.failures += failures;
    }
    if (slow > 0) {
      cells[at + 2]! += slow;
      this.slow += slow;
    }
  }

  private tickOf(now: Milliseconds): number {
    return Math.floor(now / (this.size / this.buckets));
  }

  private empty(cells: number[], at: number): void {
    this.calls -= cells[at]!;
    this.failures -= cells[at + 1]!;
    this.slow -= cells[at + 2]!;
    cells[at] = 0;
    cells[at + 1] = 0;
    cells[at + 2] = 0;
  }
}

const FAILED = 1;
const SLOW = 2;

/** The last n calls, in a ring of a byte each that is allocated with the first call. */
export class CountWindow implements FailureWindow {
  calls = 0;
  failures = 0;
  slow = 0;
  private ring: Uint8Array | undefined = undefined;
  private next = 0;

  constructor(readonly size: number) {}

  record(failed: boolean, slow: boolean): void {
    const ring = (this.ring ??= new Uint8Array(this.size));
    if (this.calls === this.size) {
      const oldest = ring[this.next]!;
      if ((oldest & FAILED) !== 0) this.failures -= 1;
      if ((oldest & SLOW) !== 0) this.slow -= 1;
    } else {
      this.calls += 1;
    }
    if (failed) this.failures += 1;
    if (slow) this.slow += 1;
    ring[this.next] = (failed ? FAILED : 0) | (slow ? SLOW : 0);
    this.next = this.next + 1 === this.size ? 0 : this.next + 1;
  }

  /** Which of the calls were bad is not known, so they are spread evenly; more than fit are scaled down. */
  seed({ calls, failures, slow }: WindowCounts): void {
    const fit = Math.min(calls, this.size);
    const isBad = (i: number, bad: number): boolean => {
      const share = Math.round((bad * fit) / calls);
      return Math.floor(((i + 1) * share) / fit) > Math.floor((i * share) / fit);
    };
    for (let i = 0; i < fit; i += 1) this.record(isBad(i, failures), isBad(i, slow));
  }

  forget(): void {
    // only newer calls push older ones out
  }

  clear(): void {
    this.ring = undefined;
    this.calls = 0;
    this.failures = 0;
    this.slow = 0;
  }
}
