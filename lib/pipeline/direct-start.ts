import type { Milliseconds } from '../kernel/duration.js';
import { type Permit, REFUSED } from '../kernel/permit.js';
import type { Lane } from './lane.js';
import type { Pipeline } from './pipeline.js';
import { Timing } from './statistics/timing.js';

/** How a call began that is admitted at once and runs without an engine, for as long as it can. */
export interface DirectStart {
  readonly permit: Permit;
  /** When, where the breaker measures. */
  readonly startedAt: Milliseconds | undefined;
  /** What `spentMark` answered then. */
  readonly mark: number;
  /** What `attemptSerial` did. */
  readonly serial: number;
  readonly timing: Timing | undefined;
}

/** Counts a call that begins. */
export function countDirectly({ counters, env, fallback, budget }: Pipeline): Timing | undefined {
  counters.calls += 1;
  fallback?.begun();
  budget?.callStarted();
  return Timing.of(counters.latency, env.clock);
}

/** Enters a breaker that is closed, and a bulkhead that has room. */
export function enterDirectly({ breaker, bulkhead }: Lane): Permit {
  const permit = breaker === undefined ? REFUSED : breaker.policy.enter();
  bulkhead?.policy.enter();
  return permit;
}

/** When the call begins, where its breaker measures. */
export function startOf({ breaker }: Lane, { env }: Pipeline): Milliseconds | undefined {
  return breaker?.policy.slowCallDuration === undefined ? undefined : env.clock.now();
}
