import type { Milliseconds } from '../kernel/duration.js';
import type { HealthMetricOptions } from './metric.options.js';
import type { BreakerFacts, KeyedBreakerHealth } from './policy-health.js';

/** A circuit breaker, or those of all keys of one name. */
export type NamedBreaker = { readonly name: string } & (BreakerFacts | KeyedBreakerHealth);

/** A bulkhead, or those of all keys of one name: how many there are, and how many would refuse. */
export interface NamedBulkhead {
  readonly name: string;
  readonly total: number;
  readonly full: number;
}

/** Calls of a recent span of time. */
export interface CallCounts {
  readonly calls: number;
  readonly failures: number;
}

/** What the process itself feels. What is not known yet is left out. */
export interface ProcessFigures {
  /** By how many milliseconds 1 % of the turns of the event loop were late, or more. */
  readonly loopDelay?: Milliseconds | undefined;
  /** Share of the time in which the event loop was busy. */
  readonly loopUtilisation?: number | undefined;
  /** Bytes in use after the last full garbage collection. */
  readonly heapUsed?: number | undefined;
  /** Bytes that the heap may grow to. */
  readonly heapLimit?: number | undefined;
}

/** One of the application's own figures as it was read; `unknown` if it could not be. */
export interface MetricValue extends HealthMetricOptions {
  readonly name: string;
  readonly value: number | 'unknown';
}

/** Everything that the score is made of. */
export interface HealthInputs {
  readonly breakers?: readonly NamedBreaker[];
  readonly bulkheads?: readonly NamedBulkhead[];
  /** State of the store of checkpoints; left out where there is none. */
  readonly store?: string | undefined;
  /** Left out where nobody counts. */
  readonly calls?: CallCounts | undefined;
  readonly process?: ProcessFigures;
  readonly metrics?: readonly MetricValue[];
}
