import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Milliseconds } from '../../kernel/duration.js';

/** Milliseconds; what took longer counts as this. */
const HIGHEST = 600_000;
/** Of the timed calls one of so many. */
const OVERHEAD_SAMPLE = 8;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** How long calls took, of those that were timed, to two digits. */
export interface LatencyReport {
  /** How many calls were timed. */
  readonly timed: number;
  readonly mean: Milliseconds;
  readonly p50: Milliseconds;
  readonly p90: Milliseconds;
  readonly p99: Milliseconds;
  readonly max: Milliseconds;
  /** What our own work took of a call whose method ran at once, in milliseconds, on the average. */
  readonly overhead: Milliseconds;
}

/**
 * Times one of so many calls: reading clocks would cost more than a healthy call does. The gaps
 * between timed calls follow the golden ratio, so that no pattern in the traffic is in step with
 * them, and no dice are needed.
 */
export class Latency {
  private histogram: RecordableHistogram | undefined;
  private gap = 0;
  private timed = 0;
  private turn = 0;
  private overheads = 0;
  private overhead: Milliseconds = 0;

  /** @param sample one of so many calls; 0 for none */
  constructor(private readonly sample: number) {}

  /** Whether the call that begins now is to be timed. */
  due(): boolean {
    if (this.gap > 0) {
      this.gap -= 1;
      return false;
    }
    if (this.sample === 0) return false;
    this.turn = (this.turn + GOLDEN) % 1;
    this.gap = Math.floor(this.turn * (2 * this.sample - 1));
    return true;
  }

  /** Whether the call that is timed tells what our own work took as well: an average needs few of them. */
  overheadDue(): boolean {
    this.timed += 1;
    return this.timed % OVERHEAD_SAMPLE === 1;
  }

  record(took: Milliseconds): void {
    this.histogram ??= createHistogram({ lowest: 1, highest: HIGHEST, figures: 2 });
    // it counts in whole milliseconds, from 1
    this.histogram.record(Math.min(HIGHEST, Math.max(1, Math.round(took))));
  }

  /** What a call took besides its method. */
  recordOverhead(took: Milliseconds): void {
    this.overheads += 1;
    this.overhead += took;
  }

  reset(): void {
    this.histogram?.reset();
    this.overheads = 0;
    this.overhead = 0;
  }

  /** Undefined while no call has been timed. */
  report(): LatencyReport | undefined {
    const { histogram } = this;
    if (histogram === undefined || histogram.count === 0) return undefined;
    return {
      timed: histogram.count,
      mean: histogram.mean,
      p50: histogram.percentile(50),
      p90: histogram.percentile(90),
      p99: histogram.percentile(99),
      max: histogram.max,
      overhead: this.overheads === 0 ? 0 : this.overhead / this.overheads,
    };
  }
}
