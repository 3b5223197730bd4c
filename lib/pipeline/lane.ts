import type { Clock } from '../kernel/clock.js';
import type { Bulkhead } from '../policies/bulkhead/bulkhead.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import { makeContext } from './call-context.js';
import type { CallContext, ContextSource } from './current-call.js';
import type { RateGate } from './rate-gate.js';

/** A policy that others may share, with the name it is known by. */
export interface Named<T> {
  readonly name: string;
  readonly policy: T;
  /** Whose it is, where each key has its own. */
  readonly key?: string;
}

/**
 * The stateful policies that one call meets: always the same ones, or those of its keys.
 *
 * It is also the call as its method sees it, where that runs without an engine and without a limit:
 * nothing can abort it and it has no deadline, so that calls which meet the same policies need not be
 * told from each other.
 */
export class Lane implements ContextSource {
  constructor(
    private readonly target: string,
    private readonly clock: Clock,
    readonly breaker: Named<CircuitBreaker> | undefined,
    readonly rateLimit: Named<RateGate> | undefined,
    readonly bulkhead: Named<Bulkhead> | undefined,
  ) {}

  get context(): CallContext {
    let signal: AbortSignal | undefined;
    return makeContext({
      clock: this.clock,
      target: this.target,
      attempt: 1,
      ends: () => undefined,
      signal: () => (signal ??= new AbortController().signal),
    });
  }

  endsBy(): undefined {
    return undefined;
  }

  holds(bulkhead: object): boolean {
    return this.bulkhead?.policy === bulkhead;
  }
}

/** Where a call finds its policy of one kind. */
export type Source<T> =
  | { readonly fixed: Named<T> }
  | {
      /** The policy of the key that these arguments have. Must not throw. */
      of(args: readonly unknown[]): Named<T>;
      /** The policy that this key has now. */
      ofKey(key: string): Named<T>;
    };

/** The policy that all calls share; undefined if each key has its own. */
export function fixedOf<T>(source: Source<T> | undefined): Named<T> | undefined {
  return source !== undefined && 'fixed' in source ? source.fixed : undefined;
}

/** The policy for these arguments. */
export function policyFor<T>(
  source: Source<T> | undefined,
  args: readonly unknown[],
): Named<T> | undefined {
  if (source === undefined) return undefined;
  return 'fixed' in source ? source.fixed : source.of(args);
}

/** The policy of the same key as it is now: the one that was found before may be forgotten since. */
export function policyAgain<T>(
  source: Source<T> | undefined,
  found: Named<T> | undefined,
): Named<T> | undefined {
  return source === undefined || 'fixed' in source ? found : source.ofKey(found!.key!);
}

/** Where the calls of one target find their stateful policies. */
export interface Sources {
  readonly breaker?: Source<CircuitBreaker> | undefined;
  readonly rateLimit?: Source<RateGate> | undefined;
  readonly bulkhead?: Source<Bulkhead> | undefined;
}
