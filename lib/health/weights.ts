/** How the instance is doing, by its score. */
export type HealthBand = 'healthy' | 'degraded' | 'warning' | 'critical';

/** The lowest score of each band, the best first: 80, 60, 40, 0. */
const BANDS: readonly (readonly [lowest: number, band: HealthBand])[] = [
  [80, 'healthy'],
  [60, 'degraded'],
  [40, 'warning'],
];

/** The band of a score of 0 to 100. */
export function bandOf(score: number): HealthBand {
  return BANDS.find(([lowest]) => score >= lowest)?.[1] ?? 'critical';
}

/** What a figure costs at its two limits; in between the points grow evenly. */
export interface Ramp {
  readonly warn: number;
  readonly critical: number;
}

/** The points of 100 that each trouble takes off. All of them are whole, so that they sum exactly. */
export const HEALTH_WEIGHTS = {
  /** A critical breaker that is open or isolated: readiness is 503, so this alone is `critical`. */
  criticalBreakerOpen: 61,
  /** Any other that is open or isolated: one is `degraded`, two are `warning`. */
  breakerOpen: 25,
  /** A critical one that is half-open or on its way back. */
  criticalBreakerRecovering: 20,
  /** Any other that is half-open or on its way back: one leaves the instance `healthy`. */
  breakerRecovering: 10,
  /** All that is not the first row, together: what is protected against does not make it `critical`. */
  breakersAtMost: 60,
  /** A bulkhead that would refuse the next call: the protection at work. */
  bulkheadFull: 10,
  bulkheadsAtMost: 30,
  /** State can be read and not changed. */
  checkpointStore: 30,
  /** Failures of all calls. */
  errorRate: { warn: 10, critical: 40 },
  /** How late timers run: every caller feels it. */
  loopDelay: { warn: 10, critical: 30 },
  /** Busy is no trouble by itself, but what comes next will wait. */
  loopUtilisation: { warn: 5, critical: 15 },
  /** The end of the heap is the end of the process. */
  heap: { warn: 10, critical: 40 },
  /** One of the application's own figures: one critical is `degraded`, two `warning`, three `critical`. */
  metric: { warn: 10, critical: 30 },
  /** One of them that cannot be read: less than a bad value, for nothing is known to be bad. */
  metricUnknown: 5,
} as const;

/** Where our own figures begin to cost, and where they cost most. */
export const HEALTH_LIMITS = {
  /** Share of the calls. Below `ERROR_RATE_CALLS` calls in the window it says nothing. */
  errorRate: { warn: 0.05, critical: 0.5 },
  /** Milliseconds by which 1 % of the turns of the event loop are late, or more. */
  loopDelay: { warn: 100, critical: 1_000 },
  /** Share of the time. */
  loopUtilisation: { warn: 0.9, critical: 0.99 },
  /** Share of the heap's limit that is left in use by a full garbage collection. */
  heap: { warn: 0.8, critical: 0.95 },
} as const satisfies Record<string, Ramp>;

/** Two failures of three calls at night are no error rate. */
export const ERROR_RATE_CALLS = 20;
