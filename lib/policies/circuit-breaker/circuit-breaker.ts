import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { CircuitState } from '../../kernel/event.js';
import type { Outcome } from '../../kernel/outcome.js';
import { type Permit, REFUSED } from '../../kernel/permit.js';
import type { Random } from '../../kernel/random.js';
import {
  CIRCUIT_BREAKER_DEFAULTS as DEFAULTS,
  type CircuitBreakerOptions,
} from './circuit-breaker.options.js';
import { type TripEvidence, TripRule } from './trip-rule.js';

/** A permit of the half-open state, which is lost at `leaseUntil` if it has not settled. */
interface Probe {
  readonly permit: Permit;
  leaseUntil: Milliseconds;
}

interface HalfOpen {
  readonly value: 'half-open';
  readonly era: Permit;
  probes: Probe[];
  /** Places beyond the agreed ones, for probes that call this breaker again. */
  extra: number;
  successes: number;
  failures: number;
}

type State =
  | HalfOpen
  | { readonly value: 'closed'; readonly era: Permit }
  | { readonly value: 'open'; readonly era: Permit; readonly until: Milliseconds }
  | { readonly value: 'isolated'; readonly era: Permit };

/** Hears of what a breaker did. Called last in each step, so it may call back in. */
export interface CircuitBreakerListener {
  stateChanged(
    from: CircuitState,
    to: CircuitState,
    reason: string,
    retryAfter?: Milliseconds,
  ): void;
  probeLost(lease: Milliseconds): void;
}

/** The last trip: why, and when by the wall clock. */
export type Trip = TripEvidence & { readonly at: Milliseconds };

/** Outcomes told to the breaker, and what it did with them. Each settled permit counts once. */
export interface CircuitCounters {
  success: number;
  failure: number;
  ignored: number;
  cancelled: number;
  rejected: number;
  /** Outcomes of an older era: they changed nothing. */
  stale: number;
  /** Calls that were not let in. */
  notPermitted: number;
}

/** A breaker seen from outside at one moment. Taking one changes nothing. */
export interface CircuitBreakerSnapshot {
  readonly state: CircuitState;
  /** Open, but the next call will be a probe. */
  readonly probeDue: boolean;
  /** Milliseconds until a probe may pass; only while open. */
  readonly retryAfter?: Milliseconds;
  readonly calls: number;
  readonly failures: number;
  readonly consecutiveFailures: number;
  readonly lastTrip?: Trip;
  readonly counters: Readonly<CircuitCounters>;
}

/**
 * A circuit breaker as a pure state machine: no timers, no I/O, time only from its clock.
 *
 * Every permit carries the era in which it was given, and an outcome counts only in that era, so
 * a slow call from before a trip can neither close nor re-open what came after it.
 */
export class CircuitBreaker {
  readonly counters: CircuitCounters = {
    success: 0,
    failure: 0,
    ignored: 0,
    cancelled: 0,
    rejected: 0,
    stale: 0,
    notPermitted: 0,
  };
  readonly critical: boolean;
  private readonly rule: TripRule;
  private readonly openFor: Milliseconds;
  private readonly maxOpenFor: Milliseconds;
  private readonly openJitter: number;
  private readonly successThreshold: number;
  private readonly halfOpenCalls: number;
  private readonly now: () => Milliseconds;
  private lease: Milliseconds;
  private state: State;
  private serial = 0;
  private openings = 0;
  /** One for each isolation that is held, the last one last. */
  private readonly isolations = new Set<object>();
  private lastTrip: Trip | undefined = undefined;

  constructor(
    options: CircuitBreakerOptions,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly listener: CircuitBreakerListener,
  ) {
    this.rule = new TripRule(options);
    this.openFor = options.openFor ?? DEFAULTS.openFor;
    this.maxOpenFor = options.maxOpenFor ?? Math.max(DEFAULTS.maxOpenFor, this.openFor);
    this.openJitter = options.openJitter ?? DEFAULTS.openJitter;
    this.successThreshold = options.successThreshold ?? DEFAULTS.successThreshold;
    this.halfOpenCalls =
      options.halfOpenCalls ?? Math.max(DEFAULTS.halfOpenCalls, this.successThreshold);
    this.lease = options.halfOpenLease ?? DEFAULTS.halfOpenLease;
    this.critical = options.critical ?? DEFAULTS.critical;
    this.now = () => clock.now();
    this.state = { value: 'closed', era: this.nextPermit() };
  }

  /** Asks to start one attempt. A permit must be settled exactly once; `REFUSED` must not. */
  enter(): Permit {
    const { state } = this;
    if (state.value === 'closed') return state.era;
    if (state.value === 'half-open') return this.probe(state);
    if (state.value === 'open' && this.clock.now() >= state.until) {
      const next: HalfOpen = {
        value: 'half-open',
        era: this.nextPermit(),
        probes: [],
        extra: 0,
        successes: 0,
        failures: 0,
      };
      this.state = next;
      const permit = this.probe(next);
      this.listener.stateChanged('open', 'half-open', 'the open time has passed');
      return permit;
    }
    this.counters.notPermitted += 1;
    return REFUSED;
  }

  /**
   * The method behind the permit starts now. A probe's lease runs from here; one that waited in a
   * queue so long that it lost its place takes a free one again.
   */
  started(permit: Permit): void {
    const { state } = this;
    if (state.value !== 'half-open' || permit <= state.era) return;
    const leaseUntil = this.clock.now() + this.lease;
    const probe = state.probes.find((p) => p.permit === permit);
    if (probe !== undefined) probe.leaseUntil = leaseUntil;
    else if (this.hasFreePlace(state)) state.probes.push({ permit, leaseUntil });
  }

  /**
   * The method behind the permit called this breaker again, and was refused. A probe like that can
   * never be heard of as long as its own call takes the place, so there is one place more.
   */
  makeRoom(permit: Permit): void {
    if (this.state.value === 'half-open' && this.isProbe(permit)) this.state.extra += 1;
  }

  /** Whether the permit is a probe whose outcome is awaited: a stream settles it with its first value. */
  isProbe(permit: Permit): boolean {
    return this.state.value === 'half-open' && this.state.probes.some((p) => p.permit === permit);
  }

  /** Tells how the attempt ended. Exactly once per permit. */
  settle(permit: Permit, outcome: Outcome): void {
    const { state } = this;
    if (state.value === 'closed' && permit === state.era) {
      this.counters[outcome] += 1;
      if (outcome === 'success') this.countSuccess(state);
      else if (outcome === 'failure') this.countFailure(state);
      return;
    }
    if (state.value === 'half-open') {
      const index = state.probes.findIndex((p) => p.permit === permit);
      // a probe that lost its place is still heard if the dependency answered it: a method that
      // takes longer than the lease would never close the breaker otherwise
      const lateAnswer = permit > state.era && (outcome === 'success' || outcome === 'ignored');
      if (index >= 0 || lateAnswer) {
        if (index >= 0) state.probes.splice(index, 1);
        this.counters[outcome] += 1;
        this.settleProbe(state, outcome);
        return;
      }
    }
    this.counters.stale += 1;
  }

  /**
   * Refuses every call until the returned function is called. Isolations nest: the breaker closes,
   * with an empty window, when the last of them is released.
   */
  isolate(reason = 'isolated by hand'): () => void {
    const held = {};
    this.isolations.add(held);
    if (this.isolations.size === 1)
      this.move({ value: 'isolated', era: this.nextPermit() }, reason);
    return () => this.drop(held);
  }

  /** Releases the last isolation that is held, whoever holds it: handles get lost. */
  release(reason?: string): void {
    this.drop([...this.isolations].at(-1), reason);
  }

  /** Closes the breaker and forgets what it counted. An isolated breaker stays isolated. */
  reset(reason = 'reset by hand'): void {
    if (this.state.value !== 'isolated') this.close(reason);
  }

  /** Makes the lease at least this long: methods with different time limits may share a breaker. */
  widenLease(lease: Milliseconds): void {
    this.lease = Math.max(this.lease, lease);
  }

  /** The state as last moved: an open breaker whose time has passed is open until a call comes. */
  get current(): CircuitState {
    return this.state.value;
  }

  /** Whether every call is let in. */
  get isClosed(): boolean {
    return this.state.value === 'closed';
  }

  /** Milliseconds until a refused call may be let in; undefined if only a hand can tell. */
  retryAfter(): Milliseconds | undefined {
    const { state } = this;
    if (state.value === 'open') return remaining(state.until, this.clock.now());
    if (state.value !== 'half-open' || state.probes.length === 0) return undefined;
    const first = Math.min(...state.probes.map((p) => p.leaseUntil));
    return remaining(first, this.clock.now());
  }

  snapshot(): CircuitBreakerSnapshot {
    const retryAfter = this.state.value === 'open' ? this.retryAfter() : undefined;
    return {
      state: this.state.value,
      probeDue: retryAfter === 0,
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...this.rule.read(this.clock.now()),
      ...(this.lastTrip === undefined ? {} : { lastTrip: this.lastTrip }),
      counters: { ...this.counters },
    };
  }

  private probe(state: HalfOpen): Permit {
    const lost = this.hasFreePlace(state) ? 0 : this.reclaim(state);
    if (!this.hasFreePlace(state)) {
      this.counters.notPermitted += 1;
      return REFUSED;
    }
    const permit = this.nextPermit();
    state.probes.push({ permit, leaseUntil: this.clock.now() + this.lease });
    for (let i = 0; i < lost; i += 1) this.listener.probeLost(this.lease);
    return permit;
  }

  private hasFreePlace(state: HalfOpen): boolean {
    const taken = state.successes + state.failures + state.probes.length;
    return taken < this.halfOpenCalls + state.extra;
  }

  private reclaim(state: HalfOpen): number {
    const now = this.clock.now();
    const before = state.probes.length;
    state.probes = state.probes.filter((p) => p.leaseUntil > now);
    return before - state.probes.length;
  }

  private settleProbe(state: HalfOpen, outcome: Outcome): void {
    // an ignored error is an answer, and an answer is what a probe asks for
    if (outcome === 'success' || outcome === 'ignored') state.successes += 1;
    else if (outcome === 'failure') state.failures += 1;
    else return;

    if (state.successes >= this.successThreshold) {
      this.close(`${state.successes} of ${this.halfOpenCalls} probes succeeded`);
    } else if (state.failures > this.halfOpenCalls - this.successThreshold) {
      const { successes, failures } = state;
      this.open({ rule: 'probes', calls: successes + failures, failures });
    }
  }

  private countSuccess(state: State): void {
    const evidence = this.rule.success(this.now);
    if (evidence !== undefined && state === this.state) this.open(evidence);
  }

  private countFailure(state: State): void {
    const evidence = this.rule.failure(this.clock.now());
    if (evidence !== undefined && state === this.state) this.open(evidence);
  }

  private open(evidence: TripEvidence): void {
    const wait = this.openTime();
    this.openings += 1;
    this.lastTrip = { ...evidence, at: this.clock.epoch() };
    this.move(
      { value: 'open', era: this.nextPermit(), until: this.clock.now() + wait },
      describe(evidence),
      wait,
    );
  }

  private drop(held: object | undefined, reason = 'released by hand'): void {
    if (held === undefined || !this.isolations.delete(held)) return;
    if (this.isolations.size === 0) this.close(reason);
  }

  private openTime(): Milliseconds {
    const grown = Math.min(this.openFor * 2 ** Math.min(this.openings, 52), this.maxOpenFor);
    const spread = 1 + this.openJitter * (2 * this.random() - 1);
    return Math.min(Math.max(1, Math.round(grown * spread)), this.maxOpenFor);
  }

  private close(reason: string): void {
    this.openings = 0;
    this.rule.clear();
    this.move({ value: 'closed', era: this.nextPermit() }, reason);
  }

  private move(next: State, reason: string, retryAfter?: Milliseconds): void {
    const from = this.state.value;
    this.state = next;
    if (from !== next.value) this.listener.stateChanged(from, next.value, reason, retryAfter);
  }

  private nextPermit(): Permit {
    this.serial += 1;
    return this.serial as Permit;
  }
}

/** Whole milliseconds, rounded up: who comes back after them is not early. */
function remaining(until: Milliseconds, now: Milliseconds): Milliseconds {
  return Math.max(0, Math.ceil(until - now));
}

function describe(evidence: TripEvidence): string {
  switch (evidence.rule) {
    case 'failure-threshold':
      return `${evidence.consecutiveFailures} failures in a row`;
    case 'failure-rate':
      return `${evidence.failures} of the last ${evidence.calls} calls failed`;
    case 'probes':
      return `${evidence.failures} of ${evidence.calls} probes failed`;
    default:
      return evidence satisfies never;
  }
}
