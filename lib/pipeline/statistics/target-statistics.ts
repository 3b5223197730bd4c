import type { Milliseconds } from '../../kernel/duration.js';
import { Latency } from './latency.js';

/** How a call ended for its caller. */
export type CallEnd =
  /** With an answer of the method. */
  | 'succeeded'
  /** With the answer of a fallback. */
  | 'degraded'
  /** With an error of the method, or because its time was over. */
  | 'failed'
  /** With a refusal of one of our policies. */
  | 'rejected'
  /** The caller left. */
  | 'cancelled';

/** What a target's calls have come to. Plain counters, for they are on the way of every call. */
export class TargetStatistics {
  calls = 0;
  succeeded = 0;
  degraded = 0;
  failed = 0;
  rejected = 0;
  cancelled = 0;
  /** Attempts after the first. */
  retries = 0;
  /** Attempts whose method failed, or took too long. */
  failedAttempts = 0;
  /** Calls that had a failed attempt, and have ended. */
  recoveries = 0;
  /** Those of them whose caller got an answer all the same. */
  recovered = 0;
  /** From the first failed attempt to that answer, all together. */
  recoveryTime: Milliseconds = 0;
  /** Work that ended well after we had given up on it. */
  lateSuccesses = 0;
  /** Work that failed after we had given up on it. */
  lateFailures = 0;
  readonly latency: Latency;
  /** Calls on their way that were counted before the last reset. */
  private carried = 0;

  /** @param sample one of so many calls is timed; 0 for none */
  constructor(sample: number) {
    this.latency = new Latency(sample);
  }

  /** @param sinceFailure milliseconds since its first failed attempt; undefined if it had none */
  ended(how: CallEnd, sinceFailure: Milliseconds | undefined): void {
    this[how] += 1;
    if (sinceFailure === undefined || how === 'cancelled') return;
    this.recoveries += 1;
    if (how !== 'succeeded' && how !== 'degraded') return;
    this.recovered += 1;
    this.recoveryTime += sinceFailure;
  }

  /** How many calls have begun and not ended. */
  get inFlight(): number {
    const { calls, succeeded, degraded, failed, rejected, cancelled } = this;
    return this.carried + calls - succeeded - degraded - failed - rejected - cancelled;
  }

  /** Begins anew. Calls on their way are counted when they end, and not as calls. */
  reset(): void {
    this.carried = this.inFlight;
    this.calls = 0;
    this.succeeded = 0;
    this.degraded = 0;
    this.failed = 0;
    this.rejected = 0;
    this.cancelled = 0;
    this.retries = 0;
    this.failedAttempts = 0;
    this.recoveries = 0;
    this.recovered = 0;
    this.recoveryTime = 0;
    this.lateSuccesses = 0;
    this.lateFailures = 0;
    this.latency.reset();
  }
}
