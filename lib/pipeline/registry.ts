import type { CircuitState } from '../kernel/event.js';
import type { Bulkhead, BulkheadSnapshot } from '../policies/bulkhead/bulkhead.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import type { CircuitBreakerSnapshot } from '../policies/circuit-breaker/circuit-breaker.snapshot.js';

/** Looks at a breaker; cannot change it. */
export interface CircuitBreakerReader {
  readonly name: string;
  /** As last moved: an open breaker whose time has passed is open until a call comes. */
  readonly state: CircuitState;
  /** Open means `down` in health. */
  readonly critical: boolean;
  snapshot(): CircuitBreakerSnapshot;
}

/** Acts on a breaker. */
export interface CircuitBreakerControl {
  readonly name: string;
  /** Closes it and forgets what it counted. An isolated breaker stays isolated. */
  reset(reason?: string): void;
  /** Refuses every call until it is released, by the answer or by `release`. Isolations nest. */
  isolate(reason?: string): () => void;
  /** Releases the last isolation that is held, also one whose handle is lost. */
  release(reason?: string): void;
}

/** Looks at a bulkhead; cannot change it. */
export interface BulkheadReader {
  readonly name: string;
  snapshot(): BulkheadSnapshot;
}

/** The policies of one kind, by name. */
export class PolicyDirectory<P, R> {
  private readonly policies = new Map<string, P>();

  constructor(protected readonly read: (name: string, policy: P) => R) {}

  /** The reader of that name; undefined if there is none. Looking up never makes one. */
  reader(name: string): R | undefined {
    const policy = this.policies.get(name);
    return policy === undefined ? undefined : this.read(name, policy);
  }

  /** All of them, in the order they were registered. */
  list(): R[] {
    return [...this.policies].map(([name, policy]) => this.read(name, policy));
  }

  /** @internal */
  policy(name: string): P | undefined {
    return this.policies.get(name);
  }

  /** @internal */
  add(name: string, policy: P): void {
    this.policies.set(name, policy);
  }
}

/** Circuit breakers by name: readers look, controls act. */
export class CircuitBreakerDirectory extends PolicyDirectory<CircuitBreaker, CircuitBreakerReader> {
  constructor() {
    super((name, breaker) => ({
      name,
      critical: breaker.critical,
      get state() {
        return breaker.current;
      },
      snapshot: () => breaker.snapshot(),
    }));
  }

  /** The control of that name; undefined if there is none. */
  control(name: string): CircuitBreakerControl | undefined {
    const breaker = this.policy(name);
    if (breaker === undefined) return undefined;
    return {
      name,
      reset: (reason) => breaker.reset(reason),
      isolate: (reason) => breaker.isolate(reason),
      release: (reason) => breaker.release(reason),
    };
  }
}

/** Looks up the policies of an application by name. */
export class ResilienceRegistry {
  readonly breakers = new CircuitBreakerDirectory();
  readonly bulkheads = new PolicyDirectory<Bulkhead, BulkheadReader>((name, bulkhead) => ({
    name,
    snapshot: () => bulkhead.snapshot(),
  }));
}
