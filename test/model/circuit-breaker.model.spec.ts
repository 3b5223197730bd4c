import fc from 'fast-check';
import type { Outcome } from '../../lib/kernel/outcome.js';
import { type Permit, REFUSED } from '../../lib/kernel/permit.js';
import type { CircuitBreaker } from '../../lib/policies/circuit-breaker/circuit-breaker.js';
import { FakeClock } from '../../lib/testing/index.js';
import { breakerOf, LONG, step, type Step, termsTwice } from './circuit-breaker-steps.js';
import { NaiveBreaker, type NaiveTerms, optionsOf } from './naive-breaker.js';

/** As `toEqual`, which is too slow for the two million comparisons here. */
function same(actual: readonly unknown[], expected: readonly unknown[]): void {
  if (actual.some((value, i) => value !== expected[i])) expect(actual).toEqual(expected);
}

/** A breaker and its twin, told the same. */
class Pair {
  readonly clock = new FakeClock();
  readonly breaker: CircuitBreaker;
  readonly twin: NaiveBreaker;
  entered = 0;
  settled = 0;
  uncounted = 0;
  readonly inFlight: { permit: Permit; id: number }[] = [];
  readonly handles: (() => void)[][] = [];
  private other: NaiveTerms;

  constructor([terms, other]: [NaiveTerms, NaiveTerms]) {
    this.breaker = breakerOf(terms, this.clock);
    this.twin = new NaiveBreaker(terms);
    this.other = other;
  }

  do(s: Step): void {
    const { breaker, twin, clock } = this;
    const now = clock.now();
    switch (s.do) {
      case 'enter':
        this.enter();
        break;
      case 'settle':
        this.settle(s.which, s.outcome, s.duration, s.retryAfter);
        break;
      case 'wait':
        clock.jump(s.ms);
        break;
      case 'record':
        this.settled += 1;
        this.entered += 1;
        this.hear(twin.record(s.outcome, now, s.duration), () =>
          s.outcome === 'success'
            ? breaker.recordSuccess(s.duration)
            : breaker.recordFailure(undefined, s.duration),
        );
        break;
      case 'hold':
        this.handles.push([
          s.kind === 'isolated' ? breaker.isolate() : breaker.disable(),
          twin.hold(s.kind),
        ]);
        break;
      case 'let go':
        if (this.handles.length > 0) {
          const [pair] = this.handles.splice(s.which % this.handles.length, 1);
          pair!.forEach((letGo) => letGo());
        }
        break;
      case 'release':
        breaker.release();
        twin.release();
        break;
      case 'open':
        breaker.open(s.ms);
        twin.openFor(s.ms, now);
        break;
      case 'reset':
        breaker.reset();
        twin.reset();
        break;
      case 'reconfigure': {
        const before = twin.o;
        breaker.reconfigure(optionsOf(this.other));
        twin.reconfigure(this.other, now);
        this.other = before;
        break;
      }
      default:
        s satisfies never;
    }
  }

  /** Both must be in the same place, and the counters must add up. */
  compare(): void {
    const { breaker, twin } = this;
    const snapshot = breaker.snapshot();
    const { success, failure, ignored, cancelled, rejected, stale, notPermitted } =
      snapshot.counters;
    const { retryAfter, share, calls, failures, slow, lastTrip } = snapshot;
    const left = twin.state === 'open' ? Math.max(0, twin.until - this.clock.now()) : undefined;
    const step = twin.state === 'recovering' ? twin.o.steps[twin.step]! / 20 : undefined;
    const counts = twin.counts(this.clock.now());
    same(
      [snapshot.state, retryAfter, share, calls, failures, slow],
      [twin.state, left, step, counts.calls, counts.failures, counts.slow],
    );
    const trip = twin.lastTrip;
    same(
      [lastTrip?.rule, lastTrip?.calls, lastTrip?.failures, lastTrip?.slow],
      [trip?.rule, trip?.calls, trip?.failures, trip?.slow],
    );
    const counted = success + failure + ignored + cancelled + rejected;
    same(
      [counted + stale + this.uncounted, this.settled + this.inFlight.length + notPermitted],
      [this.settled, this.entered],
    );
  }

  private enter(): void {
    const now = this.clock.now();
    this.entered += 1;
    const id = this.entered;
    const looked = this.breaker.canExecute();
    const looks = this.twin.admits(now);
    const permit = this.breaker.enter();
    same([looked, permit !== REFUSED], [looks, this.twin.enter(id, now)]);
    if (permit !== REFUSED) this.inFlight.push({ permit, id });
  }

  private settle(which: number, outcome: Outcome, took?: number, retryAfter?: number): void {
    if (this.inFlight.length === 0) return;
    const [call] = this.inFlight.splice(which % this.inFlight.length, 1);
    this.settled += 1;
    this.hear(this.twin.settle(call!.id, outcome, this.clock.now(), took, retryAfter), () =>
      this.breaker.settle(call!.permit, outcome, took, { retryAfter }),
    );
  }

  /** What the twin found stale must change nothing but that counter: an era is deaf to the others. */
  private hear(verdict: 'counted' | 'stale' | 'nothing', tell: () => void): void {
    const stale = this.breaker.counters.stale + (verdict === 'stale' ? 1 : 0);
    if (verdict === 'nothing') this.uncounted += 1;
    if (verdict === 'counted') {
      tell();
      same([this.breaker.counters.stale], [stale]);
      return;
    }
    const before = this.breaker.snapshot();
    tell();
    const expected = { ...before, counters: { ...before.counters, stale } };
    same([JSON.stringify(this.breaker.snapshot())], [JSON.stringify(expected)]);
  }
}

it('#25 #43 #192 equals its naive twin in state, admission, staleness, counts and evidence, whatever happens in whatever order', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(termsTwice, fc.array(step, LONG), (terms, steps) => {
      const pair = new Pair(terms);
      for (const s of steps) {
        pair.do(s);
        pair.compare();
        seen.add(pair.twin.state);
        if (pair.twin.lastTrip !== undefined) seen.add(pair.twin.lastTrip.rule);
        if (pair.twin.step > 0) seen.add('a later step');
      }
    }),
    { numRuns: 1_000 },
  );
  // what the walk never came to would be equal for no reason
  expect([...seen].toSorted()).toEqual([
    'a later step',
    'closed',
    'disabled',
    'failure-rate',
    'failure-threshold',
    'half-open',
    'isolated',
    'open',
    'probes',
    'recovering',
    'recovery',
    'slow-rate',
  ]);
});
