import { checkObject, isOptionsObject, type Mistake } from '../kernel/check.js';
import type { Milliseconds } from '../kernel/duration.js';
import { type BulkheadOptions, checkBulkhead } from '../policies/bulkhead/bulkhead.options.js';
import {
  type CircuitBreakerOptions,
  checkCircuitBreaker,
} from '../policies/circuit-breaker/circuit-breaker.options.js';
import { checkFallback, type FallbackPlan } from '../policies/fallback/fallback.options.js';
import { checkRetry, type RetryOptions } from '../policies/retry/retry.options.js';
import {
  checkTimeLimit,
  type TimeLimitOptions,
} from '../policies/time-limit/time-limit.options.js';

/**
 * The policies of one method. They always run in the same order, outermost first: fallback, retry,
 * circuit breaker, time limit, bulkhead.
 */
export interface PolicySet {
  fallback?: FallbackPlan;
  retry?: RetryOptions;
  circuitBreaker?: CircuitBreakerOptions;
  timeLimit?: TimeLimitOptions | Milliseconds;
  bulkhead?: BulkheadOptions;
}

/** Options that apply to every method that has the policy; what the method says itself wins. */
export type PolicyDefaults = Pick<PolicySet, 'retry' | 'circuitBreaker' | 'timeLimit' | 'bulkhead'>;

type Checks = {
  readonly [K in keyof Required<PolicySet>]: (at: string, options: never) => Mistake[];
};

const CHECKS: Checks = {
  fallback: checkFallback,
  retry: checkRetry,
  circuitBreaker: checkCircuitBreaker,
  timeLimit: checkTimeLimit,
  bulkhead: checkBulkhead,
};

/** The names of the policies as users write them, for messages. */
export const POLICY_LABELS: { readonly [K in keyof Required<PolicySet>]: string } = {
  fallback: '@Fallback',
  retry: '@Retry',
  circuitBreaker: '@CircuitBreaker',
  timeLimit: '@TimeLimit',
  bulkhead: '@Bulkhead',
};

/** Every mistake in a set of policies. */
export function checkPolicies(
  at: string,
  policies: unknown,
  hasMethod?: (name: string) => boolean,
): Mistake[] {
  const mistakes = checkObject(at, policies, 'a set of policies');
  if (mistakes.length > 0) return mistakes;
  return Object.entries(policies as object).flatMap(([kind, options]: [string, unknown]) => {
    if (options === undefined) return [];
    if (!Object.hasOwn(CHECKS, kind)) {
      return [
        {
          at: `${at} ${kind}`,
          problem: `unknown policy; known are ${Object.keys(CHECKS).join(', ')}`,
        },
      ];
    }
    const where = `${at} ${POLICY_LABELS[kind as keyof PolicySet]}`;
    const unreadable = isOptionsObject(options) ? checkObject(where, options) : [];
    if (unreadable.length > 0) return unreadable;
    if (kind === 'fallback') return checkFallback(where, options as FallbackPlan, hasMethod);
    return CHECKS[kind as keyof PolicySet](where, options as never);
  });
}

/** Lays a method's own options over the defaults. An option that is undefined counts as not given. */
export function withDefaults(policies: PolicySet, defaults: PolicyDefaults): PolicySet {
  const { retry, circuitBreaker, timeLimit, bulkhead } = policies;
  return {
    ...policies,
    retry: lay(defaults.retry, retry),
    circuitBreaker: lay(breakerDefaults(defaults.circuitBreaker, circuitBreaker), circuitBreaker),
    timeLimit: lay(asOptions(defaults.timeLimit), timeLimit),
    bulkhead: lay(defaults.bulkhead, bulkhead),
  };
}

/** A rule of one's own replaces the default rule: a threshold beside a default rate would be two. */
function breakerDefaults(
  defaults: CircuitBreakerOptions | undefined,
  own: CircuitBreakerOptions | undefined,
): CircuitBreakerOptions | undefined {
  if (defaults === undefined) return undefined;
  if (own?.failureThreshold === undefined && own?.failureRate === undefined) return defaults;
  const {
    failureThreshold: _threshold,
    failureRate: _rate,
    minimumCalls: _calls,
    window: _window,
    ...rest
  } = defaults;
  return rest;
}

function asOptions(limit: PolicySet['timeLimit']): TimeLimitOptions | undefined {
  return typeof limit === 'number' ? { ms: limit } : limit;
}

/** What is not an options object stays as it came, for the checks to name it. */
function lay<T>(below: object | undefined, above: T): T {
  if (checkObject('', above).length > 0) return above;
  const given = Object.entries(above as object).filter(([, value]) => value !== undefined);
  return { ...below, ...Object.fromEntries(given) } as T;
}
