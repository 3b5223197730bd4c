import type { ErrorCategory } from '../../kernel/classifier.js';
import type { Milliseconds } from '../../kernel/duration.js';

/** How many errors of one type were in the window. */
export interface TypeCount {
  readonly type: ErrorCategory;
  readonly count: number;
}

/** What the errors of the window amount to. */
export type ErrorAnalysis =
  | { readonly kind: 'no-errors' }
  | { readonly kind: 'normal'; readonly errors: number }
  /** `rate`: errors per second, over the whole window. */
  | { readonly kind: 'high-error-rate'; readonly rate: number; readonly mostCommon: TypeCount }
  | {
      readonly kind: 'pattern';
      readonly type: ErrorCategory;
      readonly count: number;
      readonly total: number;
    };

/** From where on errors are many, or much the same. */
export interface AnalysisTerms {
  /** Milliseconds that an error counts for. */
  readonly window: Milliseconds;
  /** Errors per second above which the rate is high. */
  readonly highRate: number;
  /** Share of one type above which it is a pattern. */
  readonly share: number;
}

const BUCKETS = 60;

interface Counts {
  /** One bucket more than the window holds, so that an error counts for at least all of it. */
  readonly cells: number[];
  total: number;
}

/**
 * Counts errors by category over a sliding window, in buckets of a sixtieth of it: an error counts
 * for the window and at most a bucket more. Recording is O(1), memory O(buckets), whatever comes.
 *
 * By category and not by fingerprint: categories are few, each asks for a recovery of its own, and
 * one outage has as many fingerprints as components that suffer from it.
 */
export class ErrorWindow {
  private readonly types = new Map<ErrorCategory, Counts>();
  private total = 0;
  private tick = 0;

  constructor(private readonly terms: AnalysisTerms) {}

  /** Counts one error. */
  record(type: ErrorCategory, now: Milliseconds): void {
    this.forget(now);
    let counts = this.types.get(type);
    if (counts === undefined) {
      counts = { cells: Array.from({ length: BUCKETS + 1 }, () => 0), total: 0 };
      this.types.set(type, counts);
    }
    counts.cells[this.tick % (BUCKETS + 1)]! += 1;
    counts.total += 1;
    this.total += 1;
  }

  /** The errors of the window. */
  errors(now: Milliseconds): number {
    this.forget(now);
    return this.total;
  }

  /** The errors of one type. */
  count(type: ErrorCategory, now: Milliseconds): number {
    this.forget(now);
    return this.types.get(type)?.total ?? 0;
  }

  /** Errors per second, over the whole window. */
  rate(now: Milliseconds): number {
    return this.errors(now) / (this.terms.window / 1_000);
  }

  /** The type with most errors; the one seen first of equals. */
  mostCommon(now: Milliseconds): TypeCount | undefined {
    this.forget(now);
    let most: TypeCount | undefined;
    for (const [type, { total: count }] of this.types) {
      if (count > (most?.count ?? 0)) most = { type, count };
    }
    return most;
  }

  analyse(now: Milliseconds): ErrorAnalysis {
    const mostCommon = this.mostCommon(now);
    if (mostCommon === undefined) return { kind: 'no-errors' };
    const { total } = this;
    const rate = this.rate(now);
    if (rate > this.terms.highRate) return { kind: 'high-error-rate', rate, mostCommon };
    if (mostCommon.count > total * this.terms.share)
      return { kind: 'pattern', ...mostCommon, total };
    return { kind: 'normal', errors: total };
  }

  reset(): void {
    this.types.clear();
    this.total = 0;
  }

  private forget(now: Milliseconds): void {
    const tick = Math.floor(now / (this.terms.window / BUCKETS));
    if (tick <= this.tick) return;
    const passed = Math.min(tick - this.tick, BUCKETS + 1);
    this.tick = tick;
    for (const [type, counts] of this.types) {
      for (let i = 0; i < passed; i += 1) this.empty(counts, tick - i);
      if (counts.total === 0) this.types.delete(type);
    }
  }

  private empty(counts: Counts, tick: number): void {
    const at = (tick + BUCKETS + 1) % (BUCKETS + 1); // a young process has few ticks behind it
    const gone = counts.cells[at]!;
    counts.cells[at] = 0;
    counts.total -= gone;
    this.total -= gone;
  }
}
