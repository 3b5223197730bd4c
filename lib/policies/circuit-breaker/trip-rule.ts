import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import {
  CIRCUIT_BREAKER_DEFAULTS as DEFAULTS,
  type CircuitBreakerOptions,
} from './circuit-breaker.options.js';
import { FailureRun } from './failure-run.js';
import {
  CountWindow,
  type FailureWindow,
  TimeWindow,
  type WindowCounts,
} from './failure-window.js';
import type { TripEvidence } from './trip.js';

/** Floating point makes 0.07 × 100 more than 7; a share is reached if only rounding keeps it away. */
const ROUNDING = 1e-9;

/**
 * The span of the default run where no window is given. Longer than the window: what is called once
 * in five seconds is to be protected too, and no rate speaks of so few calls.
 */
export const RUN_SPAN: Milliseconds = 30_000;

/** No share of calls reaches it: the rule was not asked for. */
const NEVER = Number.POSITIVE_INFINITY;

/** What a closed breaker has counted. */
export interface TripCounts extends WindowCounts {
  readonly consecutiveFailures: number;
}

/** Decides when a closed breaker opens: a run of failures, a rate of failed or slow calls, or several. */
export class TripRule {
  private run: FailureRun | undefined;
  private window: FailureWindow | undefined;
  private readonly failureRate: number;
  private readonly slowRate: number;
  private readonly minimumCalls: number;
  /** With the default rule the run counts only while the rate cannot speak yet. */
  private readonly runOnlyBelowMinimum: boolean;

  constructor(options: CircuitBreakerOptions) {
    const { failureThreshold, failureRate, slowCallDuration, window } = options;
    const neither = failureThreshold === undefined && failureRate === undefined;
    this.runOnlyBelowMinimum = neither;
    this.run =
      neither || failureThreshold !== undefined
        ? new FailureRun(failureThreshold ?? DEFAULTS.failureThreshold, runSpan(neither, window))
        : undefined;
    this.failureRate = failureRate ?? (neither ? DEFAULTS.failureRate : NEVER);
    this.slowRate =
      slowCallDuration === undefined ? NEVER : (options.slowCallRate ?? DEFAULTS.slowCallRate);
    const size = typeof window === 'object' ? window.calls : NEVER;
    this.minimumCalls = Math.min(options.minimumCalls ?? DEFAULTS.minimumCalls, size);
    const rates = this.failureRate !== NEVER || this.slowRate !== NEVER;
    this.window = rates ? windowOf(window) : undefined;
  }

  /** Counts a call that was neither failed nor slow; answers the evidence if it opens all the same. */
  good(clock: Clock): TripEvidence | undefined {
    this.run?.clear();
    if (this.window === undefined) return undefined;
    this.window.record(false, false, clock.now());
    return this.judge();
  }

  /** Counts a call that failed, was slow, or both; answers the evidence if the breaker must open. */
  bad(failed: boolean, slow: boolean, now: Milliseconds): TripEvidence | undefined {
    this.window?.record(failed, slow, now);
    if (!failed) this.run?.clear();
    const long = failed && (this.run?.add(now) ?? false);
    return this.judge() ?? (long ? this.runEvidence() : undefined);
  }

  /** The counts at `now`, for readers. */
  read(now: Milliseconds): TripCounts {
    this.window?.forget(now);
    return {
      calls: this.window?.calls ?? 0,
      failures: this.window?.failures ?? 0,
      slow: this.window?.slow ?? 0,
      consecutiveFailures: this.run?.length ?? 0,
    };
  }

  /**
   * Takes over what another rule has counted: whole where run and window are of the same size, else
   * their totals, as if they had come now.
   */
  inherit(before: TripRule, now: Milliseconds): void {
    const counts = before.read(now);
    const { run, window } = this;
    if (run !== undefined && before.run !== undefined) {
      const same = run.limit === before.run.limit && run.within === before.run.within;
      if (same) this.run = before.run;
      else run.seed(counts.consecutiveFailures, now);
    }
    if (window !== undefined && before.window !== undefined) {
      const same =
        window.constructor === before.window.constructor && window.size === before.window.size;
      if (same) this.window = before.window;
      else window.seed(counts, now);
    }
  }

  /** Starts, empty, with counts that were taken `age` ago; what time would have forgotten is left out. */
  seed(counts: TripCounts, age: Milliseconds, now: Milliseconds): void {
    const { run, window } = this;
    if (run !== undefined && age <= (run.within ?? NEVER)) {
      run.seed(Math.min(counts.consecutiveFailures, run.limit - 1), now);
    }
    if (window instanceof CountWindow || (window !== undefined && age <= window.size)) {
      window.seed(counts, now);
    }
  }

  clear(): void {
    this.run?.clear();
    this.window?.clear();
  }

  private judge(): TripEvidence | undefined {
    const { window } = this;
    if (window === undefined || window.calls < this.minimumCalls) return undefined;
    const { calls, failures, slow } = window;
    if (reaches(failures, this.failureRate, calls)) {
      return { rule: 'failure-rate', calls, failures, slow, rate: failures / calls };
    }
    if (reaches(slow, this.slowRate, calls)) {
      return { rule: 'slow-rate', calls, failures, slow, rate: slow / calls };
    }
    return undefined;
  }

  private runEvidence(): TripEvidence | undefined {
    if (this.runOnlyBelowMinimum && this.window!.calls >= this.minimumCalls) return undefined;
    const { length } = this.run!;
    return { rule: 'failure-threshold', calls: length, failures: length, slow: 0, rate: 1 };
  }
}

function reaches(count: number, share: number, calls: number): boolean {
  return count > 0 && count >= share * calls - ROUNDING;
}

function runSpan(
  neither: boolean,
  window: CircuitBreakerOptions['window'],
): Milliseconds | undefined {
  if (typeof window === 'number') return window;
  return neither && window === undefined ? RUN_SPAN : undefined;
}

function windowOf(window: CircuitBreakerOptions['window']): FailureWindow {
  return typeof window === 'object'
    ? new CountWindow(window.calls)
    : new TimeWindow(window ?? DEFAULTS.window);
}
