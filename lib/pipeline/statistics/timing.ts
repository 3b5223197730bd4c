import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { Latency } from './latency.js';

/** The stop-watch of one call that is timed. */
export class Timing {
  private readonly from: Milliseconds;
  private methodFrom: Milliseconds | undefined;
  private answeredAt: Milliseconds = 0;

  private constructor(
    private readonly latency: Latency,
    private readonly clock: Clock,
  ) {
    this.from = clock.now();
  }

  /** Undefined for a call that is not timed. */
  static of(latency: Latency, clock: Clock): Timing | undefined {
    return latency.due() ? new Timing(latency, clock) : undefined;
  }

  /** All that is ours before the method is done, and nothing was waited for. */
  methodStarts(): void {
    if (this.latency.overheadDue()) this.methodFrom = this.clock.now();
  }

  /** There is an answer. */
  answered(): void {
    this.answeredAt = this.clock.now();
    this.latency.record(this.answeredAt - this.from);
  }

  /** All that is ours after it is done. */
  settled(): void {
    if (this.methodFrom === undefined) return;
    const before = this.methodFrom - this.from;
    this.latency.recordOverhead(before + this.clock.now() - this.answeredAt);
  }
}
