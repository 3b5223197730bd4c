import type { Milliseconds } from '../../kernel/duration.js';
import type { CircuitState } from '../../kernel/event.js';
import { REFUSED } from '../../kernel/permit.js';
import { termsOf } from './breaker-terms.js';
import { Circuit } from './circuit.js';
import type { CircuitBreakerOptions } from './circuit-breaker.options.js';
import type { CircuitBreakerSnapshot } from './circuit-breaker.snapshot.js';
import { Hands } from './hands.js';
import { type FactsOf, type ManualPermit, manualPermit } from './manual-permit.js';
import { legalize, type SavedBreaker } from './saved-breaker.js';
import type { FailureFacts } from './trip.js';
import { TripRule } from './trip-rule.js';

/**
 * A circuit breaker as a pure state machine: no timers, no I/O, time only from its clock. What runs
 * by itself is the circuit's; here is what is done by hand, from outside, and over a restart.
 */
export class CircuitBreaker extends Circuit {
  private readonly hands = new Hands();
  private version = 1;

  /** Open means `down` in health. */
  get critical(): boolean {
    return this.terms.critical;
  }

  /** In `shadow` a refused call is to run all the same, without its outcome being told. */
  get mode(): 'enforce' | 'shadow' {
    return this.terms.mode;
  }

  /** Above this a call is slow; undefined if calls need not be measured. */
  get slowCallDuration(): Milliseconds | undefined {
    return this.terms.slowCallDuration;
  }

  /** The state as last moved: an open breaker whose time has passed is open until a call comes. */
  get current(): CircuitState {
    return this.state.value;
  }

  /**
   * Admission by hand, for work that is not a method call; undefined if it must not start. Without
   * an outcome a probe loses its place when its lease ends, as any other.
   *
   * @param factsOf reads the errors; default: their code or name alone
   */
  acquire(factsOf?: FactsOf): ManualPermit | undefined {
    const permit = this.enter();
    if (permit === REFUSED) {
      return this.terms.mode === 'shadow' ? manualPermit(() => {}) : undefined;
    }
    const measured = this.terms.slowCallDuration !== undefined;
    const began = measured ? this.clock.now() : 0;
    return manualPermit((outcome, duration, facts) => {
      const elapsed = measured ? this.clock.now() - began : undefined;
      this.settle(permit, outcome, duration ?? elapsed, facts);
    }, factsOf);
  }

  /** Whether a call would be let in now. Looking takes no place: two lookers may both hear yes. */
  canExecute(): boolean {
    const { state } = this;
    if (this.terms.mode === 'shadow') return true;
    switch (state.value) {
      case 'closed':
      case 'disabled':
        return true;
      case 'isolated':
        return false;
      case 'open':
        return this.clock.now() >= state.until;
      case 'half-open':
        return state.wouldAdmit(this.terms, this.clock.now());
      case 'recovering':
        return state.wouldAdmit(this.clock.now(), this.lease);
      default:
        return state satisfies never;
    }
  }

  /**
   * A success for which nobody had a permit. It counts as a call that is admitted and ends now: as
   * a probe where there is a place for one, and not at all where a call would be refused. Work
   * that overlaps a trip is better told by `acquire()`, whose outcomes know their era.
   */
  recordSuccess(duration?: Milliseconds): void {
    this.record('success', duration);
  }

  /** A failure for which nobody had a permit; see `recordSuccess`. */
  recordFailure(facts?: FailureFacts, duration?: Milliseconds): void {
    this.record('failure', duration, facts);
  }

  /**
   * Refuses every call until the returned function is called. Isolations nest: the breaker closes,
   * with an empty window, when the last of them is released. Isolation is stronger than disabling.
   */
  isolate(reason = 'isolated by hand'): () => void {
    return this.hold('isolated', reason);
  }

  /**
   * Lets every call in and counts nothing, until the returned function is called. Disablings nest:
   * the breaker closes, with an empty window, when the last of them is released.
   */
  disable(reason = 'disabled by hand'): () => void {
    return this.hold('disabled', reason);
  }

  /**
   * Releases the latest isolation, or where there is none the latest disabling, in place of its
   * lost handle, which then does nothing. Answers whether there was one.
   */
  release(reason = 'released by hand'): boolean {
    const released = this.hands.releaseLatest();
    if (released) this.obey(reason);
    return released;
  }

  /**
   * Opens the breaker for a time, after which probes decide as after any trip. The time is exact
   * (no jitter, no growth, no limit), and the next trip's does not grow by it. Answers whether it
   * did: an isolated or disabled breaker stays as it is.
   *
   * @param forMs milliseconds, above 0
   * @throws RangeError if that is not a finite number above 0
   */
  open(forMs: Milliseconds, reason = 'opened by hand'): boolean {
    if (!Number.isFinite(forMs) || forMs <= 0) {
      throw new RangeError(`got ${forMs}, expected milliseconds above 0 to stay open`);
    }
    if (this.hands.wish !== undefined) return false;
    this.stayOpen(forMs, reason);
    return true;
  }

  /**
   * The same until a moment by the wall clock, as that clock stands now: a later change of it
   * changes nothing. Answers false too if the moment has passed.
   *
   * @param epoch milliseconds since 1970
   * @throws RangeError if that is not a finite number
   */
  openUntil(epoch: Milliseconds, reason?: string): boolean {
    if (!Number.isFinite(epoch)) {
      throw new RangeError(`got ${epoch}, expected milliseconds since 1970`);
    }
    const wait = epoch - this.clock.epoch();
    return wait > 0 && this.open(wait, reason);
  }

  /** Closes the breaker and forgets what it counted. One that is isolated or disabled stays so. */
  reset(reason = 'reset by hand'): void {
    if (this.hands.wish === undefined) this.close(reason);
  }

  /**
   * Goes on with other options, which must have been checked. State, era, counters and listener
   * stay; so do the counts of the window, by their totals if its size changes. Rules apply from
   * the next outcome, the open time from the next trip; a half-open period is decided anew at once,
   * and the lease is that of the options until it is widened again.
   */
  reconfigure(options: CircuitBreakerOptions): void {
    const rule = new TripRule(options);
    rule.inherit(this.rule, this.clock.now());
    this.rule = rule;
    this.terms = termsOf(options);
    this.lease = this.terms.halfOpenLease;
    this.version += 1;
    const { state } = this;
    if (state.value === 'half-open') this.decide(state);
    if (state.value === 'recovering') {
      const { steps } = this.terms;
      if (steps.length === 0) this.close('gradual close was switched off');
      else state.step = Math.min(state.step, steps.length - 1);
    }
  }

  /** What is worth keeping over a restart, as a plain object for `restore`. */
  save(): SavedBreaker {
    const { state, clock } = this;
    const at = clock.epoch();
    const closed = this.isClosed || this.hands.wish !== undefined;
    const wait = state.value === 'open' ? remaining(state.until, clock.now()) : 0;
    return {
      at,
      state: closed ? 'closed' : 'open',
      ...(closed ? {} : { probeAt: at + wait }),
      openings: this.openings,
      ...this.rule.read(clock.now()),
      isolated: this.hands.reasons('isolated'),
      disabled: this.hands.reasons('disabled'),
    };
  }

  /**
   * Takes over a saved state, of which nothing is believed: whatever it is becomes a legal state
   * that probes within `maxOpenFor`, or a minute if that is not given. Isolations and disablings are added to those
   * at hand, to be ended by `release`; a breaker that is held takes over nothing else. Counts
   * older than the window are forgotten.
   *
   * @returns what had to be changed, in words; empty if nothing
   */
  restore(saved: unknown): readonly string[] {
    const legal = legalize(saved, this.clock.epoch(), this.terms.openTime.longestSaved);
    for (const reason of legal.isolated) this.hands.hold('isolated', reason);
    for (const reason of legal.disabled) this.hands.hold('disabled', reason);
    if (this.hands.wish !== undefined) {
      this.obey('restored');
    } else if (legal.state === 'open') {
      this.openings = legal.openings;
      this.stayOpen(legal.wait, 'restored');
    } else {
      this.close('restored');
      this.rule.seed(legal, legal.age, this.clock.now());
    }
    return legal.changes;
  }

  /** Milliseconds until a refused call may be let in; undefined if only a hand can tell. */
  retryAfter(): Milliseconds | undefined {
    const { state } = this;
    if (state.value === 'open') return remaining(state.until, this.clock.now());
    if (state.value === 'recovering') {
      return remaining(state.nextAt(this.lease), this.clock.now());
    }
    const first = state.value === 'half-open' ? state.firstLeaseEnd() : undefined;
    return first === undefined ? undefined : remaining(first, this.clock.now());
  }

  snapshot(): CircuitBreakerSnapshot {
    const { state, reason, lastTrip } = this;
    const retryAfter = state.value === 'open' ? this.retryAfter() : undefined;
    return {
      state: state.value,
      ...(reason === undefined ? {} : { reason }),
      mode: this.terms.mode,
      version: this.version,
      probeDue: retryAfter === 0,
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(state.value === 'recovering' ? { share: this.share(state) } : {}),
      ...this.rule.read(this.clock.now()),
      ...(lastTrip === undefined ? {} : { lastTrip }),
      counters: { ...this.counters },
    };
  }

  private record(
    outcome: 'success' | 'failure',
    duration?: Milliseconds,
    facts?: FailureFacts,
  ): void {
    const permit = this.admit();
    if (permit === REFUSED) this.counters.stale += 1;
    else this.settle(permit, outcome, duration, facts);
  }

  private hold(kind: 'isolated' | 'disabled', given: string): () => void {
    const reason = String(given); // a null from somebody's form would be lost with the hold by `restore`
    const letGo = this.hands.hold(kind, reason);
    this.obey(reason);
    return () => {
      if (letGo()) this.obey('released by hand');
    };
  }

  /** Moves to the state that the hands ask for, after a change among them. */
  private obey(reason: string): void {
    const { wish } = this.hands;
    if (wish === undefined) this.close(reason);
    else if (wish !== this.state.value) this.move({ value: wish, era: this.nextPermit() }, reason);
  }
}

/** Whole milliseconds, rounded up: who comes back after them is not early. */
function remaining(until: Milliseconds, now: Milliseconds): Milliseconds {
  return Math.max(0, Math.ceil(until - now));
}
