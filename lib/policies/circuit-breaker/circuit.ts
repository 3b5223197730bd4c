import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { CircuitState } from '../../kernel/event.js';
import type { Outcome } from '../../kernel/outcome.js';
import { type Permit, REFUSED } from '../../kernel/permit.js';
import type { Random } from '../../kernel/random.js';
import { type BreakerTerms, termsOf } from './breaker-terms.js';
import type { CircuitBreakerOptions } from './circuit-breaker.options.js';
import type { CircuitCounters } from './circuit-breaker.snapshot.js';
import { HalfOpen } from './half-open.js';
import { OutcomeLog } from './outcome-log.js';
import { Recovering } from './recovering.js';
import { describeTrip, type FailureFacts, type LastTrip, type TripEvidence } from './trip.js';
import { TripRule } from './trip-rule.js';

/** Where a breaker stands, and the era in which it came there. */
export type State =
  | HalfOpen
  | Recovering
  | { readonly value: 'closed' | 'isolated' | 'disabled'; readonly era: Permit }
  | { readonly value: 'open'; readonly era: Permit; readonly until: Milliseconds };

/** Hears of what a breaker did. Called last in each step, so it may call back in. Must not throw. */
export interface CircuitBreakerListener {
  stateChanged(
    from: CircuitState,
    to: CircuitState,
    reason: string,
    retryAfter?: Milliseconds,
  ): void;
  probeLost(lease: Milliseconds): void;
  /** A function from the options threw, or answered what cannot be used. */
  predicateFailed(option: string, error: unknown): void;
}

/** No permit: what `closedEra` is while the breaker is not closed. */
const NONE = -1 as Permit;

/**
 * The part of a circuit breaker that runs by itself: what calls, their outcomes and time do to it.
 *
 * Every permit carries the era in which it was given, and an outcome counts only in that era, so
 * a slow call from before a trip can neither close nor re-open what came after it.
 */
export class Circuit {
  readonly counters: CircuitCounters = {
    success: 0,
    failure: 0,
    ignored: 0,
    cancelled: 0,
    rejected: 0,
    stale: 0,
    notPermitted: 0,
    wouldReject: 0,
  };
  protected terms: BreakerTerms;
  protected rule: TripRule;
  protected lease: Milliseconds;
  protected state: State;
  /** Why it came into this state. */
  protected reason: string | undefined = undefined;
  protected openings = 0;
  protected lastTrip: LastTrip | undefined = undefined;
  /** The permit of every call while closed: nearly all calls see nothing but this. */
  private closedEra: Permit;
  private serial = 0;
  private readonly log = new OutcomeLog();

  constructor(
    options: CircuitBreakerOptions,
    protected readonly clock: Clock,
    private readonly random: Random,
    private readonly listener: CircuitBreakerListener,
  ) {
    this.terms = termsOf(options);
    this.rule = new TripRule(options);
    this.lease = this.terms.halfOpenLease;
    this.closedEra = this.nextPermit();
    this.state = { value: 'closed', era: this.closedEra };
  }

  /** Whether every call is let in and counted. */
  get isClosed(): boolean {
    return this.closedEra !== NONE;
  }

  /** Asks to start one attempt. A permit must be settled exactly once; `REFUSED` must not. */
  enter(): Permit {
    if (this.closedEra !== NONE) return this.closedEra;
    const permit = this.admit();
    if (permit === REFUSED) {
      if (this.terms.mode === 'shadow') this.counters.wouldReject += 1;
      else this.counters.notPermitted += 1;
    }
    return permit;
  }

  /**
   * Refuses a call of an open breaker, in place of `enter`: for how many milliseconds, rounded up.
   * Undefined, and nothing has happened, where it takes `enter` to know.
   */
  refuse(): Milliseconds | undefined {
    const { state } = this;
    if (state.value !== 'open' || this.terms.mode === 'shadow') return undefined;
    const wait = state.until - this.clock.now();
    if (wait <= 0) return undefined;
    this.counters.notPermitted += 1;
    return Math.ceil(wait);
  }

  /**
   * The method behind the permit starts now. A probe's lease runs from here; one that waited in a
   * queue so long that it lost its place takes a free one again.
   */
  started(permit: Permit): void {
    const { state } = this;
    if (state.value !== 'half-open') return;
    state.renew(permit, this.clock.now() + this.lease, this.terms);
  }

  /**
   * The method behind the permit called this breaker again, and was refused. A probe like that can
   * never be heard of as long as its own call takes the place, so there is one place more.
   */
  makeRoom(permit: Permit): void {
    const { state } = this;
    if (state.value === 'half-open' && state.has(permit)) state.addPlace();
  }

  /**
   * Whether the breaker waits for this outcome to decide what to do next: a stream then settles
   * with its first value.
   */
  isProbe(permit: Permit): boolean {
    const { state } = this;
    if (state.value === 'half-open') return state.has(permit);
    return state.value === 'recovering' && permit === state.era;
  }

  /**
   * Tells how the attempt ended. Exactly once per permit.
   *
   * @param duration how long it took; needed only where `slowCallDuration` is defined
   */
  settle(permit: Permit, outcome: Outcome, duration?: Milliseconds, facts?: FailureFacts): void {
    if (permit === this.closedEra) {
      this.counters[outcome] += 1;
      if (outcome === 'success' || outcome === 'failure') this.count(outcome, duration, facts);
      return;
    }
    const { state } = this;
    if (state.value === 'disabled' && permit === state.era) return;
    if (state.value === 'half-open' || state.value === 'recovering') {
      const slow = this.isSlow(duration);
      // an ignored error is an answer, and an answer is what is asked for
      const good = !slow && (outcome === 'success' || outcome === 'ignored');
      if (state.value === 'half-open' ? state.take(permit, good) : permit === state.era) {
        this.counters[outcome] += 1;
        if (outcome === 'cancelled' || outcome === 'rejected') return;
        if (!good) this.log.note(outcome, slow, this.clock.now(), duration, facts);
        if (state.value === 'half-open') this.settleProbe(state, good, slow);
        else this.settleStep(state, good, slow);
        return;
      }
    }
    this.counters.stale += 1;
  }

  /** The same as `settle` of a success that was not measured: nearly all outcomes are this one. */
  succeeded(permit: Permit): void {
    if (permit !== this.closedEra) {
      this.settle(permit, 'success');
      return;
    }
    this.counters.success += 1;
    const evidence = this.rule.good(this.clock);
    if (evidence !== undefined) this.trip(evidence);
  }

  /** Makes the lease at least this long: methods with different time limits may share a breaker. */
  widenLease(lease: Milliseconds): void {
    this.lease = Math.max(this.lease, lease);
  }

  /** Admits a call or not, without counting a refusal. */
  protected admit(): Permit {
    const { state } = this;
    switch (state.value) {
      case 'closed':
      case 'disabled':
        return state.era;
      case 'isolated':
        return REFUSED;
      case 'open':
        return this.clock.now() >= state.until ? this.firstProbe() : REFUSED;
      case 'half-open':
        return this.probe(state);
      case 'recovering':
        return state.admit(this.share(state), this.clock.now(), this.lease) ? state.era : REFUSED;
      default:
        return state satisfies never;
    }
  }

  private firstProbe(): Permit {
    const next = new HalfOpen(this.nextPermit());
    const permit = this.nextPermit();
    next.add(permit, this.clock.now() + this.lease);
    this.move(next, 'the open time has passed');
    return permit;
  }

  private probe(state: HalfOpen): Permit {
    const now = this.clock.now();
    const { lease } = this;
    const lost = state.hasFreePlace(this.terms) ? 0 : state.reclaim(now);
    if (!state.hasFreePlace(this.terms)) return REFUSED;
    const permit = this.nextPermit();
    state.add(permit, now + lease);
    for (let i = 0; i < lost; i += 1) this.listener.probeLost(lease);
    return permit;
  }

  protected share({ step }: Recovering): number {
    return this.terms.steps[step]!;
  }

  private isSlow(duration: Milliseconds | undefined): boolean {
    const { slowCallDuration } = this.terms;
    return slowCallDuration !== undefined && duration !== undefined && duration > slowCallDuration;
  }

  private count(
    outcome: 'success' | 'failure',
    duration: Milliseconds | undefined,
    facts: FailureFacts | undefined,
  ): void {
    const slow = this.isSlow(duration);
    const evidence =
      outcome === 'success' && !slow
        ? this.rule.good(this.clock)
        : this.countBad(outcome, slow, duration, facts);
    if (evidence !== undefined) this.trip(evidence);
  }

  private countBad(
    outcome: 'success' | 'failure',
    slow: boolean,
    duration: Milliseconds | undefined,
    facts: FailureFacts | undefined,
  ): TripEvidence | undefined {
    const now = this.clock.now();
    this.log.note(outcome, slow, now, duration, facts);
    return this.rule.bad(outcome === 'failure', slow, now);
  }

  private settleProbe(state: HalfOpen, good: boolean, slow: boolean): void {
    state.count(good, slow);
    this.decide(state);
  }

  protected decide(state: HalfOpen): void {
    const decision = state.decision(this.terms);
    if (decision === 'open') this.trip(state.evidence());
    if (decision !== 'close') return;
    if (this.terms.steps.length > 0) this.recover(0, state.describe(this.terms));
    else this.close(state.describe(this.terms));
  }

  private settleStep(state: Recovering, good: boolean, slow: boolean): void {
    if (good) {
      state.successes += 1;
      if (state.successes < this.terms.stepCalls) return;
      if (state.step + 1 < this.terms.steps.length) this.recover(state.step + 1, 'a step up');
      else this.close('every step of recovery succeeded');
    } else if (state.step > 0) {
      this.recover(state.step - 1, 'a step back');
    } else {
      const calls = state.successes + 1;
      this.trip({ rule: 'recovery', calls, failures: 1, slow: slow ? 1 : 0, rate: 1 / calls });
    }
  }

  private recover(step: number, reason: string): void {
    this.move(new Recovering(this.nextPermit(), step, this.clock.now()), reason);
  }

  private trip(evidence: TripEvidence): void {
    const { state } = this;
    const { openTime } = this.terms;
    const now = this.clock.now();
    const at = this.clock.epoch();
    const openings = this.openings + 1;
    const trip = { ...evidence, at, outcomes: this.log.causes(evidence, now) };
    const wish = this.log.retryAfter(evidence, now, openTime.maxRetryAfter);
    const own = openTime.after(trip, openings, this.random, (option, error) =>
      this.listener.predicateFailed(option, error),
    );
    if (state !== this.state) return; // the function that was asked for the open time called back in
    const openFor = Math.max(own, Math.ceil(wish));
    this.openings = openings;
    this.lastTrip = { ...trip, openings, openFor, probeAt: at + openFor };
    this.stayOpen(openFor, describeTrip(evidence));
  }

  protected stayOpen(wait: Milliseconds, reason: string): void {
    this.log.clear();
    const until = this.clock.now() + wait;
    this.move({ value: 'open', era: this.nextPermit(), until }, reason, wait);
  }

  protected close(reason: string): void {
    this.openings = 0;
    this.rule.clear();
    this.log.clear();
    this.move({ value: 'closed', era: this.nextPermit() }, reason);
  }

  protected move(next: State, reason: string, retryAfter?: Milliseconds): void {
    const from = this.state.value;
    this.state = next;
    this.closedEra = next.value === 'closed' ? next.era : NONE;
    this.reason = reason;
    if (from !== next.value) this.listener.stateChanged(from, next.value, reason, retryAfter);
  }

  protected nextPermit(): Permit {
    this.serial += 1;
    return this.serial as Permit;
  }
}
