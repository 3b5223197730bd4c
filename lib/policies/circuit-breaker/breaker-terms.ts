import type { Milliseconds } from '../../kernel/duration.js';
import {
  CIRCUIT_BREAKER_DEFAULTS as DEFAULTS,
  type CircuitBreakerOptions,
  GRADUAL_CLOSE_DEFAULTS as STEPS,
} from './circuit-breaker.options.js';
import { OpenTime } from './open-time.js';

/** The options with their defaults filled in, as far as they are not a rule of the closed state. */
export interface BreakerTerms {
  readonly mode: 'enforce' | 'shadow';
  readonly critical: boolean;
  readonly slowCallDuration: Milliseconds | undefined;
  readonly openTime: OpenTime;
  readonly successThreshold: number;
  readonly halfOpenCalls: number;
  readonly halfOpenLease: Milliseconds;
  /** Shares of the steps of recovery; empty without a gradual close. */
  readonly steps: readonly number[];
  /** Successes per step. */
  readonly stepCalls: number;
}

const NO_STEPS: readonly number[] = [];

export function termsOf(options: CircuitBreakerOptions): BreakerTerms {
  const { gradualClose = DEFAULTS.gradualClose } = options;
  const given = typeof gradualClose === 'object' ? gradualClose : {};
  const successThreshold = options.successThreshold ?? DEFAULTS.successThreshold;
  return {
    mode: options.mode ?? DEFAULTS.mode,
    critical: options.critical ?? DEFAULTS.critical,
    slowCallDuration: options.slowCallDuration,
    openTime: new OpenTime(options),
    successThreshold,
    halfOpenCalls: options.halfOpenCalls ?? Math.max(DEFAULTS.halfOpenCalls, successThreshold),
    halfOpenLease: options.halfOpenLease ?? DEFAULTS.halfOpenLease,
    steps: gradualClose === false ? NO_STEPS : (given.steps ?? STEPS.steps),
    stepCalls: given.calls ?? STEPS.calls,
  };
}
