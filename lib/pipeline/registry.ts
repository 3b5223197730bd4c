import type { CircuitState } from '../kernel/event.js';
import type { Bulkhead, BulkheadSnapshot } from '../policies/bulkhead/bulkhead.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import type { CircuitBreakerSnapshot } from '../policies/circuit-breaker/circuit-breaker.snapshot.js';
import type { KeyedPolicies } from './keyed-policies.js';
import type { PolicyStore, StoredOptions } from './policy-store.js';
import type { PolicyStores } from './stores.js';

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

/** Policies of one name, one per key. */
export interface KeyedReader<R> {
  readonly name: string;
  /** Keys that are kept now. */
  readonly size: number;
  /** Keys forgotten to make room since the start. */
  readonly evicted: number;
  /** The reader of one key; undefined if the key is not kept. Looking up never makes one. */
  reader(key: string): R | undefined;
  /** Every key that is kept with its reader. */
  list(): (readonly [key: string, reader: R])[];
}

/** The policies of one kind, by name. */
export class PolicyDirectory<P, R, O extends StoredOptions = StoredOptions> {
  constructor(
    protected readonly store: PolicyStore<P, O>,
    private readonly read: (name: string, policy: P) => R,
  ) {}

  /** The reader of that name; undefined if there is none, or if it has one per key. Looking up never makes one. */
  reader(name: string): R | undefined {
    const policy = this.store.fixed(name);
    return policy === undefined ? undefined : this.read(name, policy);
  }

  /** All of them that are one for every call, in the order they were registered. */
  list(): R[] {
    return this.store.fixedNames().map((name) => this.reader(name)!);
  }

  /** The readers of a name that has one policy per key; undefined if there is none. */
  keyedReader(name: string): KeyedReader<R> | undefined {
    const policies = this.store.keyed(name);
    return policies === undefined ? undefined : this.readKeyed(policies);
  }

  /** All that have one policy per key. */
  keyedList(): KeyedReader<R>[] {
    return this.store.keyedNames().map((name) => this.keyedReader(name)!);
  }

  private readKeyed(policies: KeyedPolicies<P>): KeyedReader<R> {
    const { name } = policies;
    return {
      name,
      get size() {
        return policies.size;
      },
      get evicted() {
        return policies.evicted;
      },
      reader: (key) => {
        const policy = policies.peek(key);
        return policy === undefined ? undefined : this.read(name, policy);
      },
      list: () => [...policies.list()].map(([key, policy]) => [key, this.read(name, policy)]),
    };
  }
}

/** Circuit breakers by name: readers look, controls act. */
export class CircuitBreakerDirectory extends PolicyDirectory<CircuitBreaker, CircuitBreakerReader> {
  constructor(store: PolicyStores['circuitBreaker']) {
    super(store as never, (name, breaker) => ({
      name,
      critical: breaker.critical,
      get state() {
        return breaker.current;
      },
      snapshot: () => breaker.snapshot(),
    }));
  }

  /**
   * The control of that name; undefined if there is none.
   *
   * @param key which one, where each key has its own
   */
  control(name: string, key?: string): CircuitBreakerControl | undefined {
    const breaker = key === undefined ? this.store.fixed(name) : this.store.keyed(name)?.peek(key);
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
  readonly breakers: CircuitBreakerDirectory;
  readonly bulkheads: PolicyDirectory<Bulkhead, BulkheadReader>;

  constructor(stores: PolicyStores) {
    this.breakers = new CircuitBreakerDirectory(stores.circuitBreaker);
    this.bulkheads = new PolicyDirectory(stores.bulkhead as never, (name, bulkhead: Bulkhead) => ({
      name,
      snapshot: () => bulkhead.snapshot(),
    }));
  }
}
