import { type Mistake, show } from '../kernel/check.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { PredicateReport } from '../kernel/matcher.js';
import { Bulkhead } from '../policies/bulkhead/bulkhead.js';
import type { BulkheadOptions } from '../policies/bulkhead/bulkhead.options.js';
import type { CircuitBreakerListener } from '../policies/circuit-breaker/circuit.js';
import { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../policies/circuit-breaker/circuit-breaker.options.js';
import type { RateLimitOptions } from '../policies/rate-limit/rate-limit.options.js';
import { RETRY_BUDGET_DEFAULTS } from '../policies/retry/retry.options.js';
import { RetryBudget } from '../policies/retry/retry-budget.js';
import { timeLimitOf } from '../policies/time-limit/time-limit.js';
import { emit, type Environment, reportOf } from './environment.js';
import type { Sources } from './lane.js';
import { PolicyStore, sharedOptions, type StoredOptions } from './policy-store.js';
import { patchPolicies, type PolicyOverrides, type PolicySet } from './policy-set.js';
import { RateGate } from './rate-gate.js';
import type { Target } from './target.js';

/** The kinds of policy that have a state of their own, and may be shared by name. */
export type StatefulKind = 'circuitBreaker' | 'rateLimit' | 'bulkhead';
const KINDS: readonly StatefulKind[] = ['circuitBreaker', 'rateLimit', 'bulkhead'];

/** The options that are each method's own affair, also where the state is shared. */
const OWN: { readonly [K in StatefulKind]: readonly string[] } = {
  circuitBreaker: ['failOn', 'ignore', 'isFailure'],
  rateLimit: [],
  bulkhead: ['priority'],
};

/** The stateful policies of one application. */
export class PolicyStores {
  readonly circuitBreaker: PolicyStore<CircuitBreaker, CircuitBreakerOptions>;
  readonly rateLimit: PolicyStore<RateGate, RateLimitOptions>;
  readonly bulkhead: PolicyStore<Bulkhead, BulkheadOptions>;
  private readonly budgets = new Map<string, RetryBudget>();
  /** Breakers without a lease of their own share the longest that one of their methods needs. */
  private readonly leases = new Map<string, Milliseconds>();

  constructor(private readonly env: Environment) {
    const { clock, random } = env;
    this.circuitBreaker = new PolicyStore<CircuitBreaker, CircuitBreakerOptions>(
      {
        label: 'circuit breaker',
        make: (name, options, key) =>
          new CircuitBreaker(
            this.withLease(name, options),
            clock,
            random,
            this.listener(name, key),
          ),
        own: OWN.circuitBreaker,
        isIdle: (breaker) => breaker.isClosed,
        mayGo: (breaker) => !isHeld(breaker),
        mayExpire: (breaker) => !isHeld(breaker) && breaker.canExecute(),
        reconfigure: (breaker, options) => breaker.reconfigure(options),
      },
      clock,
    );
    this.rateLimit = new PolicyStore<RateGate, RateLimitOptions>(
      {
        label: 'rate limit',
        make: (_name, options) => new RateGate(options, clock),
        own: OWN.rateLimit,
        isIdle: (gate) => gate.isIdle,
        // its key has a whole burst again then; memory that grows with every key would be worse
        mayGo: (gate) => !gate.hasWaiters,
        mayExpire: (gate) => gate.isIdle,
        reconfigure: (gate, options) => gate.reconfigure(options),
      },
      clock,
    );
    this.bulkhead = new PolicyStore<Bulkhead, BulkheadOptions>(
      {
        label: 'bulkhead',
        make: (_name, options) => new Bulkhead(options),
        own: OWN.bulkhead,
        isIdle: (bulkhead) => bulkhead.isIdle,
        // its running calls would be forgotten, and others let in beside them
        mayGo: (bulkhead) => bulkhead.isIdle,
        mayExpire: (bulkhead) => bulkhead.isIdle,
        reconfigure: (bulkhead, options) => bulkhead.reconfigure(options),
      },
      clock,
    );
  }

  isTaken(name: string): boolean {
    return KINDS.some((kind) => this[kind].has(name));
  }

  /** Whether a policy of these would be called by a name that another of its kind has. */
  collide(name: string, policies: PolicySet): boolean {
    return KINDS.some((kind) => {
      const options = policies[kind];
      return options !== undefined && options.name === undefined && this[kind].has(name);
    });
  }

  /** What speaks against these policies: a shared name has other options already. */
  conflicts(name: string, policies: PolicySet): Mistake[] {
    return KINDS.flatMap((kind) => {
      const options = policies[kind];
      if (options === undefined) return [];
      return this.store(kind).conflict(options.name ?? name, options);
    });
  }

  /** Where the calls of a target find their policies, which are made if need be. */
  sourcesOf(name: string, policies: PolicySet, report: PredicateReport): Sources {
    const { circuitBreaker, rateLimit, bulkhead } = policies;
    if (circuitBreaker !== undefined) this.widen(circuitBreaker.name ?? name, policies);
    return {
      breaker:
        circuitBreaker &&
        this.circuitBreaker.obtain(circuitBreaker.name ?? name, circuitBreaker, report),
      rateLimit: rateLimit && this.rateLimit.obtain(rateLimit.name ?? name, rateLimit, report),
      bulkhead: bulkhead && this.bulkhead.obtain(bulkhead.name ?? name, bulkhead, report),
    };
  }

  /**
   * The budget for the retries of a target: one for all in front of the same breaker, with the
   * options of the first.
   */
  budgetOf(name: string, { circuitBreaker, retry }: PolicySet): RetryBudget | undefined {
    if (retry === undefined || retry.budget === false) return undefined;
    const shared = circuitBreaker?.name ?? name;
    let budget = this.budgets.get(shared);
    if (budget === undefined) {
      budget = new RetryBudget(...budgetLimits(retry.budget));
      this.budgets.set(shared, budget);
    }
    return budget;
  }

  /** The policies of a target that joins late: what it shares is as it is now. */
  present(name: string, policies: PolicySet): PolicySet {
    const present = { ...policies } as Record<string, unknown>;
    for (const kind of KINDS) {
      const options = policies[kind];
      if (options !== undefined)
        present[kind] = this.store(kind).present(options.name ?? name, options);
    }
    return present;
  }

  /** Gives the state of the policies the options that a patch has changed. */
  apply(changes: readonly Change[]): void {
    for (const kind of KINDS) {
      const done = new Set<string>();
      for (const { target, patch, policies } of changes) {
        const name = sharedName(target, kind);
        const options = policies[kind];
        // what a target had not before is made, or found, as for a new target
        if (name === undefined || options === undefined || patch[kind] === undefined) continue;
        if (!done.has(name)) this.store(kind).reconfigure(name, options);
        done.add(name);
      }
    }
    for (const { target, patch, policies } of changes) {
      if (patch.retry !== undefined) this.applyBudget(target.name, policies);
    }
  }

  /** Closes every breaker, whatever holds it, and forgets what was counted or charged. */
  reset(): void {
    const reason = 'everything was reset';
    for (const breaker of this.circuitBreaker.all()) {
      while (breaker.release(reason)); // every hand on it
      breaker.reset(reason);
    }
    for (const gate of this.rateLimit.all()) gate.reset();
  }

  /** Forgets what no target uses any more. */
  prune(targets: readonly Target[]): void {
    for (const kind of KINDS) {
      const used = new Set(targets.map((target) => sharedName(target, kind)));
      const store = this.store(kind);
      for (const name of [...store.fixedNames(), ...store.keyedNames()])
        if (!used.has(name)) store.remove(name);
    }
  }

  private store(kind: StatefulKind): PolicyStore<unknown, StoredOptions> {
    return this[kind] as never;
  }

  private applyBudget(name: string, { circuitBreaker, retry }: PolicySet): void {
    if (retry === undefined || retry.budget === false) return;
    this.budgets.get(circuitBreaker?.name ?? name)?.reconfigure(...budgetLimits(retry.budget));
  }

  private widen(name: string, { circuitBreaker, timeLimit }: PolicySet): void {
    if (circuitBreaker?.halfOpenLease !== undefined) return;
    const needed = timeLimit === undefined ? 0 : 2 * (timeLimitOf(timeLimit) ?? 0);
    const lease = Math.max(needed, this.leases.get(name) ?? CIRCUIT_BREAKER_DEFAULTS.halfOpenLease);
    this.leases.set(name, lease);
    this.circuitBreaker.fixed(name)?.widenLease(lease);
    for (const [, breaker] of this.circuitBreaker.keyed(name)?.list() ?? [])
      breaker.widenLease(lease);
  }

  private withLease(name: string, options: CircuitBreakerOptions): CircuitBreakerOptions {
    const halfOpenLease = options.halfOpenLease ?? this.leases.get(name);
    return halfOpenLease === undefined ? options : { ...options, halfOpenLease };
  }

  private listener(target: string, key: string | undefined): CircuitBreakerListener {
    const where = key === undefined ? { target } : { target, key };
    return {
      stateChanged: (from, to, reason, retryAfter) =>
        emit(this.env, {
          type: 'circuit-state-changed',
          ...where,
          from,
          to,
          reason,
          ...(retryAfter === undefined ? {} : { retryAfter }),
        }),
      probeLost: (lease) => emit(this.env, { type: 'probe-lost', ...where, lease }),
      predicateFailed: reportOf(this.env, target),
    };
  }
}

function budgetLimits({ ratio, minimum }: { ratio?: number; minimum?: number } = {}): [
  ratio: number,
  minimum: number,
] {
  return [ratio ?? RETRY_BUDGET_DEFAULTS.ratio, minimum ?? RETRY_BUDGET_DEFAULTS.minimum];
}

/** Whether somebody has a hand on it: what an operator did must not be undone by traffic. */
function isHeld({ current }: CircuitBreaker): boolean {
  return current === 'isolated' || current === 'disabled';
}

/** What a patch makes of a target. */
export interface Change {
  readonly target: Target;
  /** The part of the patch that concerns it. */
  readonly patch: PolicyOverrides;
  readonly policies: PolicySet;
}

/**
 * What a patch changes: the targets of the name that have the policies it names, the first of them
 * where none has, and whoever shares a policy with these.
 */
export function changesOf(
  named: readonly Target[],
  patch: PolicyOverrides,
  all: readonly Target[],
): Change[] {
  const parts = new Map<Target, Record<string, unknown>>();
  const add = (target: Target, kind: string, options: unknown): void => {
    parts.set(target, { ...parts.get(target), [kind]: options });
  };
  for (const [kind, options] of Object.entries(patch)) {
    if (options === undefined) continue;
    const having = named.filter(({ policies }) => policies[kind as keyof PolicySet] !== undefined);
    const concerned = having.length > 0 ? having : named.slice(0, 1);
    for (const target of concerned) add(target, kind, options);
    if (!isStateful(kind) || typeof options !== 'object' || options === null) continue;
    const theirs = sharedOptions(options as StoredOptions, ['key', ...OWN[kind]]);
    if (Object.keys(theirs).length === 0) continue;
    const shared = new Set(concerned.map((target) => sharedName(target, kind)));
    shared.delete(undefined);
    for (const target of all)
      if (!concerned.includes(target) && shared.has(sharedName(target, kind)))
        add(target, kind, theirs);
  }
  return [...parts].map(([target, part]) => ({
    target,
    patch: part,
    policies: patchPolicies(target.policies, part),
  }));
}

function isStateful(kind: string): kind is StatefulKind {
  return KINDS.includes(kind as StatefulKind);
}

/** The policies of a target that it had not before. */
export function addedBy({ target, policies }: Change): PolicySet {
  const added = KINDS.filter((kind) => target.policies[kind] === undefined);
  return Object.fromEntries(added.map((kind) => [kind, policies[kind]]));
}

/** What cannot change while it runs: where a policy's state is kept. */
export function fixedOptions({ target, patch }: Change): Mistake[] {
  return KINDS.flatMap((kind) => {
    const [before, now] = [target.policies[kind], patch[kind]];
    if (before === undefined || typeof now !== 'object') return [];
    return (['name', 'key'] as const)
      .filter((option) => now[option] !== undefined && now[option] !== before[option])
      .map((option) => ({
        at: `${target.name} ${kind} ${option}`,
        problem: `got ${show(now[option])}, expected ${show(before[option])} as before: it cannot change while it runs`,
      }));
  });
}

/** The name under which a target's policy of that kind is kept; undefined if it has none. */
function sharedName(target: Target, kind: StatefulKind): string | undefined {
  const options = target.policies[kind];
  return options === undefined ? undefined : (options.name ?? target.name);
}
