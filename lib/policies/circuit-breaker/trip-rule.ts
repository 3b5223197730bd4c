import type { Milliseconds } from '../../kernel/duration.js';
import {
  CIRCUIT_BREAKER_DEFAULTS as DEFAULTS,
  type CircuitBreakerOptions,
} from './circuit-breaker.options.js';
import { CountWindow, type FailureWindow, TimeWindow } from './failure-window.js';

/** Floating point makes 0.07 × 100 more than 7; a share is reached if only rounding keeps it away. */
const ROUNDING = 1e-9;

/** A run of failures that nothing but failures interrupts, optionally within a span of time. */
class FailureRun {
  length = 0;
  private readonly times: Milliseconds[] = [];

  constructor(
    private readonly limit: number,
    private readonly within: Milliseconds | undefined,
  ) {}

  /** Adds a failure; answers whether the run is now long enough. */
  add(now: Milliseconds): boolean {
    this.length += 1;
    if (this.within === undefined) return this.length >= this.limit;
    this.times[this.length % this.limit] = now;
    const oldest = this.times[(this.length + 1) % this.limit];
    return this.length >= this.limit && oldest !== undefined && now - oldest <= this.within;
  }
}

/** Why a breaker opened, with the counts that decided it. */
export type TripEvidence =
  | { readonly rule: 'failure-threshold'; readonly consecutiveFailures: number }
  | { readonly rule: 'failure-rate'; readonly calls: number; readonly failures: number }
  | { readonly rule: 'probes'; readonly calls: number; readonly failures: number };

/** Decides when a closed breaker opens: a run of failures, a rate of failures, or both. */
export class TripRule {
  private readonly run: FailureRun | undefined;
  private readonly window: FailureWindow | undefined;
  private readonly rate: number;
  private readonly minimumCalls: number;
  /** With the default rule the run counts only while the rate cannot speak yet. */
  private readonly runOnlyBelowMinimum: boolean;

  constructor(options: CircuitBreakerOptions) {
    const { failureThreshold, failureRate, window } = options;
    const neither = failureThreshold === undefined && failureRate === undefined;
    this.runOnlyBelowMinimum = neither;
    this.run =
      neither || failureThreshold !== undefined
        ? new FailureRun(failureThreshold ?? DEFAULTS.failureThreshold, runSpan(neither, window))
        : undefined;
    this.rate = failureRate ?? DEFAULTS.failureRate;
    const size = typeof window === 'object' ? window.calls : Number.POSITIVE_INFINITY;
    this.minimumCalls = Math.min(options.minimumCalls ?? DEFAULTS.minimumCalls, size);
    this.window = neither || failureRate !== undefined ? windowOf(window) : undefined;
  }

  /** Counts a success; answers the evidence if the breaker must open all the same. */
  success(now: () => Milliseconds): TripEvidence | undefined {
    if (this.run !== undefined) this.run.length = 0;
    if (this.window === undefined) return undefined;
    this.window.record(false, now());
    return this.rateEvidence();
  }

  /** Counts a failure; answers the evidence if the breaker must open. */
  failure(now: Milliseconds): TripEvidence | undefined {
    this.window?.record(true, now);
    const long = this.run?.add(now) ?? false;
    return this.rateEvidence() ?? (long ? this.runEvidence() : undefined);
  }

  /** The counts at `now`, for readers. */
  read(now: Milliseconds): { calls: number; failures: number; consecutiveFailures: number } {
    this.window?.forget(now);
    return {
      calls: this.window?.calls ?? 0,
      failures: this.window?.failures ?? 0,
      consecutiveFailures: this.run?.length ?? 0,
    };
  }

  clear(): void {
    if (this.run !== undefined) this.run.length = 0;
    this.window?.clear();
  }

  private rateEvidence(): TripEvidence | undefined {
    const { window } = this;
    if (window === undefined || window.calls < this.minimumCalls) return undefined;
    const { calls, failures } = window;
    if (failures === 0 || failures < this.rate * calls - ROUNDING) return undefined;
    return { rule: 'failure-rate', calls, failures };
  }

  private runEvidence(): TripEvidence | undefined {
    if (this.runOnlyBelowMinimum && this.window!.calls >= this.minimumCalls) return undefined;
    return { rule: 'failure-threshold', consecutiveFailures: this.run!.length };
  }
}

function runSpan(
  neither: boolean,
  window: CircuitBreakerOptions['window'],
): Milliseconds | undefined {
  if (typeof window === 'number') return window;
  return neither && window === undefined ? DEFAULTS.window : undefined;
}

function windowOf(window: CircuitBreakerOptions['window']): FailureWindow {
  return typeof window === 'object'
    ? new CountWindow(window.calls)
    : new TimeWindow(window ?? DEFAULTS.window);
}
