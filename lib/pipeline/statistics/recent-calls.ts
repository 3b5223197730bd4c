import type { CallCounts } from '../../health/inputs.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { Target } from '../target.js';
import type { TargetStatistics } from './target-statistics.js';

/** Hears what the attempts of a target came to since it was last told. */
export type AttemptsListener = (target: string, attempts: number, failures: number) => void;

/** What the counters of one target stood at, of what is looked at. */
class Seen {
  private attempts = 0;
  private failedAttempts = 0;
  private calls = 0;
  private failures = 0;

  /** What has come since. Counters that began anew count from there. */
  since(counters: TargetStatistics): { attempts: number; failedAttempts: number } & CallCounts {
    const { succeeded, degraded, failed, rejected, failedAttempts } = counters;
    const attempts = succeeded + failedAttempts;
    const failures = failed + rejected;
    const calls = succeeded + degraded + failures;
    if (calls < this.calls || attempts < this.attempts || failures < this.failures)
      Object.assign(this, new Seen());
    const since = {
      attempts: attempts - this.attempts,
      failedAttempts: failedAttempts - this.failedAttempts,
      calls: calls - this.calls,
      failures: failures - this.failures,
    };
    Object.assign(this, { attempts, failedAttempts, calls, failures });
    return since;
  }
}

/** The counters of all targets, looked at again and again: what came in between, and in the last minute. */
export class RecentCalls {
  private readonly seen = new WeakMap<TargetStatistics, Seen>();
  private lookedAt: Milliseconds = Number.POSITIVE_INFINITY;
  private looks: ({ readonly at: Milliseconds } & CallCounts)[] = [];

  /** @param span milliseconds that `recent` is about */
  constructor(private readonly span: Milliseconds = 60_000) {}

  /** Looks, and tells what each target has done since. */
  look(now: Milliseconds, targets: readonly Target[], tell: AttemptsListener): void {
    let [calls, failures] = [0, 0];
    for (const { name, pipeline } of targets) {
      const since = this.seenOf(pipeline.counters).since(pipeline.counters);
      if (since.attempts > 0) tell(name, since.attempts, since.failedAttempts);
      calls += since.calls;
      failures += since.failures;
    }
    // who looks seldom gets of the calls in between as many as are likely to be of the last span
    const gap = now - this.lookedAt;
    const share = gap > this.span ? this.span / gap : 1;
    this.lookedAt = now;
    if (calls > 0) this.looks.push({ at: now, calls: calls * share, failures: failures * share });
    if (this.looks.length > 0 && now - this.looks[0]!.at >= this.span)
      this.looks = this.looks.filter(({ at }) => now - at < this.span);
  }

  /** Of the last span, as far as was looked. */
  recent(): CallCounts {
    let [calls, failures] = [0, 0];
    for (const look of this.looks) {
      calls += look.calls;
      failures += look.failures;
    }
    return { calls: Math.round(calls), failures: Math.round(failures) };
  }

  private seenOf(counters: TargetStatistics): Seen {
    let seen = this.seen.get(counters);
    if (seen === undefined) {
      seen = new Seen();
      this.seen.set(counters, seen);
    }
    return seen;
  }
}
