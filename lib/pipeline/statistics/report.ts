import type { Milliseconds } from '../../kernel/duration.js';
import type { LatencyReport } from './latency.js';
import type { TargetStatistics } from './target-statistics.js';

/** What calls have come to since the start, or since the counters were reset. */
export interface CallFigures {
  readonly calls: number;
  /** Answered by the method. */
  readonly succeeded: number;
  /** Answered by a fallback. */
  readonly degraded: number;
  /** Ended with an error of the method, or because their time was over. */
  readonly failed: number;
  /** Refused by one of our policies. */
  readonly rejected: number;
  /** Left by their caller. */
  readonly cancelled: number;
  /** Attempts after the first. */
  readonly retries: number;
  /** 0 to 1: of the calls that have ended, and were not left, those with an answer of the method; 1 where there are none. */
  readonly successRate: number;
  /** 0 to 1: of the answers, those of a fallback. */
  readonly degradedShare: number;
  /** Calls with a failed attempt that have ended, whatever became of them. */
  readonly recoveries: number;
  /** 0 to 1: those of them that were answered all the same, by another attempt or a fallback; 1 where there are none. */
  readonly recoverySuccessRate: number;
  /** Milliseconds from the first failed attempt to the answer; 0 where there are none. */
  readonly averageRecoveryTime: Milliseconds;
}

/** The figures of one target. */
export interface TargetFigures extends CallFigures {
  readonly target: string;
  /** The name of its circuit breaker, where it has one. */
  readonly port?: string;
  readonly latency?: LatencyReport;
}

/** The figures of all targets behind one circuit breaker. */
export interface DependencyFigures extends CallFigures {
  readonly port: string;
  readonly targets: readonly string[];
}

const share = (part: number, whole: number, none: number): number =>
  whole === 0 ? none : part / whole;

/** The figures of several targets together. */
export function figuresOf(all: readonly TargetStatistics[]): CallFigures {
  const sum = (of: (one: TargetStatistics) => number): number =>
    all.reduce((total, one) => total + of(one), 0);
  const succeeded = sum((one) => one.succeeded);
  const degraded = sum((one) => one.degraded);
  const failed = sum((one) => one.failed);
  const rejected = sum((one) => one.rejected);
  const recoveries = sum((one) => one.recoveries);
  const recovered = sum((one) => one.recovered);
  return {
    calls: sum((one) => one.calls),
    succeeded,
    degraded,
    failed,
    rejected,
    cancelled: sum((one) => one.cancelled),
    retries: sum((one) => one.retries),
    successRate: share(succeeded, succeeded + degraded + failed + rejected, 1),
    degradedShare: share(degraded, succeeded + degraded, 0),
    recoveries,
    recoverySuccessRate: share(recovered, recoveries, 1),
    averageRecoveryTime: share(
      sum((one) => one.recoveryTime),
      recovered,
      0,
    ),
  };
}
