import { retryAfterOf } from '../errors/retry-after.js';
import type { Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { CircuitState } from '../kernel/event.js';
import type { Bulkhead, BulkheadSnapshot } from '../policies/bulkhead/bulkhead.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import type { CircuitBreakerSnapshot } from '../policies/circuit-breaker/circuit-breaker.snapshot.js';
import type { ManualPermit } from '../policies/circuit-breaker/manual-permit.js';
import type { SavedBreaker } from '../policies/circuit-breaker/saved-breaker.js';
import { type FailureFacts, failureFacts } from '../policies/circuit-breaker/trip.js';
import type { RateLimitSnapshot } from '../policies/rate-limit/rate-limit.js';
import { explainBreaker } from './explain-breaker.js';
import type { KeyedPolicies } from './keyed-policies.js';
import type { PolicyStore, StoredOptions } from './policy-store.js';
import type { RateGate } from './rate-gate.js';
import type { PolicyStores } from './stores.js';

/** Looks at a breaker; cannot change it. */
export interface CircuitBreakerReader {
  readonly name: string;
  /** As last moved: an open breaker whose time has passed is open until a call comes. */
  readonly state: CircuitState;
  /** Open means `down` in health. */
  readonly critical: boolean;
  /** In `shadow` it refuses nobody, so that its state is no news for health. */
  readonly mode: 'enforce' | 'shadow';
  snapshot(): CircuitBreakerSnapshot;
  /** One sentence: its state, why it came into it, and when it probes next. */
  explain(): string;
}

/** Acts on a breaker. */
export interface CircuitBreakerControl {
  readonly name: string;
  /** Closes it and forgets what it counted. An isolated breaker stays isolated. */
  reset(reason?: string): void;
  /** Refuses every call until it is released, by the answer or by `release`. Isolations nest. */
  isolate(reason?: string): () => void;
  /** Lets every call in and counts nothing until it is released. Isolation is stronger. */
  disable(reason?: string): () => void;
  /** Releases the latest isolation, else the latest disabling, also one whose handle is lost; answers whether there was one. */
  release(reason?: string): boolean;
  /** Opens it for so many milliseconds, after which probes decide; false where it is isolated or disabled. */
  open(forMs: Milliseconds, reason?: string): boolean;
  /** The same until a moment by the wall clock, in milliseconds since 1970. */
  openUntil(epoch: Milliseconds, reason?: string): boolean;
  /** Leave for work that is not a method call; undefined if it must not start. */
  acquire(): ManualPermit | undefined;
  /** Whether a call would be let in now. Looking takes no place: who acts on it should `acquire`. */
  canExecute(): boolean;
  /** A success for which nobody had a permit; `duration` where slow calls count. */
  recordSuccess(duration?: Milliseconds): void;
  /** A failure for which nobody had a permit. */
  recordFailure(error?: unknown, duration?: Milliseconds): void;
  /** What is worth keeping over a restart, as a plain object. */
  save(): SavedBreaker;
  /** Takes over what `save` gave, of which nothing is believed; answers what had to be changed. */
  restore(saved: unknown): readonly string[];
}

/** Looks at a bulkhead; cannot change it. */
export interface BulkheadReader {
  readonly name: string;
  snapshot(): BulkheadSnapshot;
}

/** Looks at a rate limit; cannot change it. */
export interface RateLimitReader {
  readonly name: string;
  snapshot(): RateLimitSnapshot;
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
  constructor(
    store: PolicyStores['circuitBreaker'],
    private readonly clock: Clock,
  ) {
    super(store as never, (name, breaker) => ({
      name,
      get critical() {
        return breaker.critical;
      },
      get mode() {
        return breaker.mode;
      },
      get state() {
        return breaker.current;
      },
      snapshot: () => breaker.snapshot(),
      explain: () => explainBreaker(name, breaker.snapshot()),
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
    const factsOf = (error: unknown): FailureFacts =>
      failureFacts(error, retryAfterOf(error, this.clock.epoch()));
    return {
      name,
      reset: (reason) => breaker.reset(reason),
      isolate: (reason) => breaker.isolate(reason),
      disable: (reason) => breaker.disable(reason),
      release: (reason) => breaker.release(reason),
      open: (forMs, reason) => breaker.open(forMs, reason),
      openUntil: (epoch, reason) => breaker.openUntil(epoch, reason),
      acquire: () => breaker.acquire(factsOf),
      canExecute: () => breaker.canExecute(),
      recordSuccess: (duration) => breaker.recordSuccess(duration),
      recordFailure: (error, duration) =>
        breaker.recordFailure(error === undefined ? undefined : factsOf(error), duration),
      save: () => breaker.save(),
      restore: (saved) => breaker.restore(saved),
    };
  }
}

/** Looks up the policies of an application by name. */
export class ResilienceRegistry {
  readonly breakers: CircuitBreakerDirectory;
  readonly rateLimiters: PolicyDirectory<RateGate, RateLimitReader>;
  readonly bulkheads: PolicyDirectory<Bulkhead, BulkheadReader>;

  constructor(stores: PolicyStores, clock: Clock) {
    this.breakers = new CircuitBreakerDirectory(stores.circuitBreaker, clock);
    this.rateLimiters = new PolicyDirectory(stores.rateLimit as never, (name, gate: RateGate) => ({
      name,
      snapshot: () => gate.snapshot(),
    }));
    this.bulkheads = new PolicyDirectory(stores.bulkhead as never, (name, bulkhead: Bulkhead) => ({
      name,
      snapshot: () => bulkhead.snapshot(),
    }));
  }
}
