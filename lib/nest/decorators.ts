import type { Milliseconds } from '../kernel/duration.js';
import type { ErrorMatchers } from '../kernel/matcher.js';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker/circuit-breaker.options.js';
import type { AlternativeFunction, FallbackPlan } from '../policies/fallback/fallback.options.js';
import type { FallbackCacheOptions } from '../policies/fallback/last-good.options.js';
import type { RateLimitOptions } from '../policies/rate-limit/rate-limit.options.js';
import type { RetryOptions } from '../policies/retry/retry.options.js';
import type { PolicySet } from '../pipeline/policy-set.js';
import type { Face } from './method-record.js';
import type {
  AsyncMethod,
  FallbackAlternativePolicy,
  FallbackEntry,
  FallbackListPolicy,
  FallbackMethodPolicy,
  FallbackPolicy,
} from './fallback-types.js';
import { protect, protectBy } from './protect.js';
import type { AnyArgs, ArgumentPolicy, BulkheadFor, Keyed, TimeLimitFor } from './typed-options.js';

/** Which kind of method it is, where neither `async` nor a declared return type says so. */
export interface Returns {
  returns?: Face;
}

/** Decorates a method that returns a Promise or an Observable; any other is a compile error. */
export type MethodPolicy = <M extends AsyncMethod>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** Opens after failures and refuses calls at once until probes succeed. See `CircuitBreakerOptions`. */
export function CircuitBreaker<A extends unknown[] = AnyArgs>(
  options: Keyed<CircuitBreakerOptions, A> & Returns = {},
): ArgumentPolicy<A> {
  return policy('circuitBreaker', options);
}

/** Tries again what is worth trying again. See `RetryOptions`. */
export function Retry(options: RetryOptions & Returns = {}): MethodPolicy {
  return policy('retry', options);
}

/** Bounds how many calls run at once; some more may wait. See `BulkheadOptions`. */
export function Bulkhead<K extends unknown[] = AnyArgs, P extends unknown[] = AnyArgs>(
  options: BulkheadFor<K, P> & Returns = {},
): ArgumentPolicy<K, P> {
  return policy('bulkhead', options);
}

/**
 * Gives up on an attempt after so many milliseconds and aborts `currentCall().signal`. Without an
 * argument the limit is that of the module's `defaults.timeLimit`.
 */
export function TimeLimit<A extends unknown[] = AnyArgs>(
  limit: Milliseconds | (TimeLimitFor<A> & Returns) = {},
): ArgumentPolicy<A> {
  return policy('timeLimit', limit);
}

/** Bounds how many calls start per span of time. See `RateLimitOptions`. */
export function RateLimit<A extends unknown[] = AnyArgs>(
  options: Keyed<RateLimitOptions, A> & Returns,
): ArgumentPolicy<A> {
  return policy('rateLimit', options);
}

/**
 * Several policies at once: those of a preset of the module, by its name, or these. Of several
 * the upper one wins, option by option; what `@Retry` and the like say beside it wins over all.
 */
export function Resilient(preset: string | PolicySet, { returns }: Returns = {}): MethodPolicy {
  return (target, key, descriptor) => protectBy(target, key, descriptor, preset, returns);
}

interface FallbackRules extends Returns {
  /** Only for these errors, and for these even where a fallback would not answer by default; a cancellation excepted. */
  on?: ErrorMatchers;
  /** Not for these errors. Wins over `on`. */
  except?: ErrorMatchers;
}

/**
 * Answers when the method has failed for good: with a function `(error, ...args)`, a method of the
 * same class, a value, the last good answer, another endpoint, or the first of a list that applies
 * and answers. Its answers count as degraded. See `FallbackOptions`.
 *
 * Not asked for programmers' mistakes and refusals of access unless `on` lists them, and never for
 * a call that its caller cancelled. The same goes for what one fallback of a list failed with and
 * the next would hide.
 */
export function Fallback<const T, A extends unknown[]>(
  handler: (error: unknown, ...args: A) => T,
): FallbackPolicy<T, A>;
export function Fallback<const T, A extends unknown[]>(
  options: FallbackRules & { handler: (error: unknown, ...args: A) => T },
): FallbackPolicy<T, A>;
export function Fallback<const K extends string>(
  options: FallbackRules & { method: K },
): FallbackMethodPolicy<K>;
// oxlint-disable-next-line typescript/no-explicit-any -- a value fits whatever the parameters are
export function Fallback<const T>(options: FallbackRules & { value: T }): FallbackPolicy<T, any[]>;
export function Fallback<A extends unknown[]>(
  options: FallbackRules & { cache: FallbackCacheOptions<A> },
): FallbackPolicy<never, A>;
export function Fallback<const F extends AlternativeFunction | readonly AlternativeFunction[]>(
  options: FallbackRules & { alternative: F },
): FallbackAlternativePolicy<F>;
/** Refused at boot: there is no store of dead letters yet. */
export function Fallback(
  options: FallbackRules & { queue: string; receipt?: unknown },
): MethodPolicy;
export function Fallback<const L extends readonly FallbackEntry[]>(list: L): FallbackListPolicy<L>;
export function Fallback(plan: unknown): MethodPolicy {
  return policy('fallback', plan as FallbackPlan & Returns);
}

function policy<K extends keyof PolicySet>(
  kind: K,
  given: PolicySet[K] & (Returns | number | object),
): MethodPolicy {
  const [options, returns] = splitReturns(given);
  return (target, key, descriptor) =>
    protect(target, key, descriptor, kind, options as PolicySet[K], returns);
}

/** `returns` belongs to the method, not to the policy. */
function splitReturns(given: unknown): [unknown, Face | undefined] {
  if (typeof given !== 'object' || given === null || !('returns' in given))
    return [given, undefined];
  // by descriptor: nothing is read and nothing lost before the boot can say where it is
  const { returns: _returns, ...own } = Object.getOwnPropertyDescriptors(given);
  return [Object.create(Object.getPrototypeOf(given) as object, own), (given as Returns).returns];
}
