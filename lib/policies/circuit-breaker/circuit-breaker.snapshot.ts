import type { Milliseconds } from '../../kernel/duration.js';
import type { CircuitState } from '../../kernel/event.js';
import type { LastTrip } from './trip.js';
import type { TripCounts } from './trip-rule.js';

/** Outcomes told to the breaker, and what it did with them. Each settled permit counts once. */
export interface CircuitCounters {
  success: number;
  failure: number;
  ignored: number;
  cancelled: number;
  rejected: number;
  /** Outcomes of an older era, or without a permit where no call was let in: they changed nothing. */
  stale: number;
  /** Calls that were not let in. */
  notPermitted: number;
  /** Calls that would not have been let in, in `shadow` mode. */
  wouldReject: number;
}

/** A breaker seen from outside at one moment. Taking one changes nothing. */
export interface CircuitBreakerSnapshot extends TripCounts {
  readonly state: CircuitState;
  /** Why it came into this state, or into this step of recovery. */
  readonly reason?: string;
  readonly mode: 'enforce' | 'shadow';
  /** 1, and one more with each change of its options. */
  readonly version: number;
  /** Open, but the next call will be a probe. */
  readonly probeDue: boolean;
  /** Milliseconds until a probe may pass; only while open. */
  readonly retryAfter?: Milliseconds;
  /** The share of calls let in, above 0 and at most 1; only while recovering. */
  readonly share?: number;
  readonly lastTrip?: LastTrip;
  readonly counters: Readonly<CircuitCounters>;
}
