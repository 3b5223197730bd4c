import { checkObject, isOptionsObject, type Mistake } from '../kernel/check.js';
import type { Milliseconds } from '../kernel/duration.js';
import { type BulkheadOptions, checkBulkhead } from '../policies/bulkhead/bulkhead.options.js';
import {
  checkCheckpoint,
  type CheckpointOptions,
} from '../checkpoint/component/component.options.js';
import {
  type CircuitBreakerOptions,
  checkCircuitBreaker,
} from '../policies/circuit-breaker/circuit-breaker.options.js';
import { checkFallback, type FallbackPlan } from '../policies/fallback/fallback.options.js';
import {
  checkRateLimit,
  type RateLimitOptions,
} from '../policies/rate-limit/rate-limit.options.js';
import { checkRetry, type RetryOptions } from '../policies/retry/retry.options.js';
import {
  checkTimeLimit,
  type TimeLimitOptions,
} from '../policies/time-limit/time-limit.options.js';

/**
 * The policies of one method. They always run in the same order, outermost first: fallback, retry,
 * circuit breaker, rate limit, time limit, bulkhead.
 */
export interface PolicySet {
  fallback?: FallbackPlan;
  retry?: RetryOptions;
  circuitBreaker?: CircuitBreakerOptions;
  rateLimit?: RateLimitOptions;
  timeLimit?: TimeLimitOptions | Milliseconds;
  bulkhead?: BulkheadOptions;
}

/** The policies of a decorated method: innermost it may keep what it does to its component. */
export interface MethodPolicySet extends PolicySet {
  checkpoint?: CheckpointOptions;
}

/** Options that apply to every method that has the policy; what the method says itself wins. */
export type PolicyDefaults = Pick<
  PolicySet,
  'retry' | 'circuitBreaker' | 'rateLimit' | 'timeLimit' | 'bulkhead'
>;

type Checks = {
  readonly [K in keyof Required<MethodPolicySet>]: (at: string, options: never) => Mistake[];
};

const CHECKS: Checks = {
  fallback: checkFallback,
  retry: checkRetry,
  circuitBreaker: checkCircuitBreaker,
  rateLimit: checkRateLimit,
  timeLimit: checkTimeLimit,
  bulkhead: checkBulkhead,
  checkpoint: checkCheckpoint,
};

/** The policies that a set may have; what a method keeps, only its own decorator can say. */
const KINDS = Object.keys(CHECKS).filter((kind) => kind !== 'checkpoint');

/** The names of the policies as users write them, for messages. */
export const POLICY_LABELS: { readonly [K in keyof Required<MethodPolicySet>]: string } = {
  fallback: '@Fallback',
  retry: '@Retry',
  circuitBreaker: '@CircuitBreaker',
  rateLimit: '@RateLimit',
  timeLimit: '@TimeLimit',
  bulkhead: '@Bulkhead',
  checkpoint: '@Checkpoint',
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
      return [unknownKind(at, kind)];
    }
    const where = `${at} ${POLICY_LABELS[kind as keyof MethodPolicySet]}`;
    const unreadable = isOptionsObject(options) ? checkObject(where, options) : [];
    if (unreadable.length > 0) return unreadable;
    if (kind === 'fallback') return checkFallback(where, options as FallbackPlan, hasMethod);
    return CHECKS[kind as keyof MethodPolicySet](where, options as never);
  });
}

/** Whether it is a set of policies at all, their options aside. */
export function checkKinds(at: string, policies: unknown, mayBeOff: boolean): Mistake[] {
  const mistakes = checkObject(at, policies, 'a set of policies');
  if (mistakes.length > 0) return mistakes;
  return Object.entries(policies as object).flatMap(([kind, options]: [string, unknown]) => {
    if (!KINDS.includes(kind)) return [unknownKind(at, kind)];
    if (options !== false || mayBeOff) return [];
    return [{ at: `${at} ${kind}`, problem: 'got false, expected options' }];
  });
}

function unknownKind(at: string, kind: string): Mistake {
  const known = KINDS.join(', ');
  return { at: `${at} ${kind}`, problem: `unknown policy; known are ${known}` };
}

/** What `policies` of the configuration and `reconfigure` may say of a target; `false` switches a policy off. */
export type PolicyOverrides = { [K in keyof PolicySet]?: PolicySet[K] | false };

/** Lays a method's own options over the defaults, which bring in no policy that it has not. */
export function withDefaults(policies: PolicySet, defaults: PolicyDefaults): PolicySet {
  return layPolicies(onlyKinds(defaults, policies) as PolicySet, policies);
}

/** The part of the overrides that concerns policies of the set. */
export function onlyKinds(overrides: PolicyOverrides, policies: PolicySet): PolicyOverrides {
  const kinds = Object.entries(overrides).filter(
    ([kind]) => policies[kind as keyof PolicySet] !== undefined,
  );
  return Object.fromEntries(kinds);
}

/** What is left of a breaker's options under others, which may bring another rule. */
type Under = (below: unknown, above: unknown) => unknown;

/** Lays overrides over a set of policies, option by option; `false` takes a policy out. */
export function layOverrides(
  below: PolicySet,
  above: PolicyOverrides,
  under: Under = beside,
): PolicySet {
  const laid = layPolicies(below, above as PolicySet, under);
  for (const kind of Object.keys(laid) as (keyof PolicySet)[])
    if (above[kind] === false) delete laid[kind];
  return laid;
}

/** Lays one set of policies over another, option by option. */
export function layPolicies(below: PolicySet, above: PolicySet, under: Under = beside): PolicySet {
  const laid: Record<string, unknown> = { ...below };
  for (const [kind, options] of Object.entries(above) as [string, unknown][]) {
    if (options === undefined) continue;
    const before = kind === 'circuitBreaker' ? under(laid[kind], options) : laid[kind];
    // what is no set of options, such as `false`, stays for the checks to name it
    if (kind === 'fallback') laid[kind] = options;
    else laid[kind] = lay(asOptions(before), kind === 'timeLimit' ? asOptions(options) : options);
  }
  return laid;
}

/**
 * Changes a set of policies: what the patch does not name stays. Only a breaker's rule for failures
 * is replaced as a whole, by a patch that brings a rule which was not there.
 */
export function patchPolicies(before: PolicySet, patch: PolicyOverrides): PolicySet {
  return layOverrides(before, patch, (below, above) => {
    if (!isOptionsObject(below) || !isOptionsObject(above)) return below;
    const rules = TRIP_RULES.filter((option) => above[option] !== undefined);
    return rules.every((option) => below[option] !== undefined) ? below : beside(below, above);
  });
}

const TRIP_RULES = ['failureThreshold', 'failureRate'];

/**
 * A rule of one's own about failures replaces the rule below it, with the window and the minimum
 * that belong to that: a threshold beside a default rate would be two. A rule about slow calls
 * stands beside either, and keeps its window.
 */
function beside(below: unknown, above: unknown): unknown {
  if (!isOptionsObject(below) || !isOptionsObject(above)) return below;
  if (TRIP_RULES.every((option) => above[option] === undefined)) return below;
  const { failureThreshold, failureRate, ...rest } = below;
  if (rest['slowCallDuration'] !== undefined) return rest;
  const isBareWindow = failureThreshold === undefined && failureRate === undefined;
  if (isBareWindow && above['failureRate'] !== undefined) return rest;
  const { minimumCalls: _calls, window: _window, ...other } = rest;
  return other;
}

function asOptions(limit: unknown): unknown {
  return typeof limit === 'number' || typeof limit === 'function' ? { ms: limit } : limit;
}

/** What is not an options object stays as it came, for the checks to name it. */
function lay(below: unknown, above: unknown): unknown {
  if (checkObject('', above).length > 0) return above;
  const given = Object.entries(above as object).filter(([, value]) => value !== undefined);
  return { ...(below as object | undefined), ...Object.fromEntries(given) };
}
