import fc from 'fast-check';
import type { Outcome } from '../../lib/kernel/outcome.js';
import { type Permit, REFUSED } from '../../lib/kernel/permit.js';
import { CircuitBreaker } from '../../lib/policies/circuit-breaker/circuit-breaker.js';
import { FakeClock, seededRandom } from '../../lib/testing/index.js';

/** The breaker as one page of obvious code: it keeps everything and counts anew each time. */
class NaiveBreaker {
  state: 'closed' | 'open' | 'half-open' | 'isolated' = 'closed';
  private history: boolean[] = [];
  private probes = new Map<number, number>();
  private good = 0;
  private bad = 0;
  private until = 0;
  private trips = 0;
  private era = 0;
  private readonly eras = new Map<number, number>();

  constructor(
    private readonly o: {
      threshold: number;
      openFor: number;
      max: number;
      successes: number;
      calls: number;
      lease: number;
    },
  ) {}

  enter(id: number, now: number): boolean {
    if (this.state === 'isolated') return false;
    if (this.state === 'open') {
      if (now < this.until) return false;
      this.become('half-open');
      this.good = 0;
      this.bad = 0;
      this.probes = new Map();
    }
    if (this.state === 'half-open') {
      const used = (): number => this.good + this.bad + this.probes.size;
      if (used() >= this.o.calls) this.reclaim(now);
      if (used() >= this.o.calls) return false;
      this.probes.set(id, now + this.o.lease);
    }
    this.eras.set(id, this.era);
    return true;
  }

  private reclaim(now: number): void {
    for (const [probe, until] of this.probes) if (until <= now) this.probes.delete(probe);
  }

  settle(id: number, outcome: Outcome, now: number): 'counted' | 'stale' {
    if (this.eras.get(id) !== this.era) return 'stale';
    if (this.state === 'half-open') {
      const answered = outcome === 'success' || outcome === 'ignored';
      if (!this.probes.delete(id) && !answered) return 'stale';
      if (outcome === 'success' || outcome === 'ignored') this.good += 1;
      if (outcome === 'failure') this.bad += 1;
      if (this.good >= this.o.successes) this.close();
      else if (this.bad > this.o.calls - this.o.successes) this.open(now);
      return 'counted';
    }
    if (outcome === 'success' || outcome === 'failure') this.history.push(outcome === 'failure');
    if (
      this.history.length >= this.o.threshold &&
      this.history.slice(-this.o.threshold).every(Boolean)
    )
      this.open(now);
    return 'counted';
  }

  close(): void {
    this.trips = 0;
    this.become('closed');
  }

  isolate(): void {
    this.become('isolated');
  }

  private open(now: number): void {
    this.until = now + Math.min(this.o.openFor * 2 ** this.trips, this.o.max);
    this.trips += 1;
    this.become('open');
  }

  private become(state: NaiveBreaker['state']): void {
    this.state = state;
    this.history = [];
    this.era += 1;
  }
}

const OPTIONS = { threshold: 3, openFor: 100, max: 400, successes: 2, calls: 3, lease: 150 };

function breakerAndTwin(): { breaker: CircuitBreaker; twin: NaiveBreaker; clock: FakeClock } {
  const clock = new FakeClock();
  const breaker = new CircuitBreaker(
    {
      failureThreshold: OPTIONS.threshold,
      openFor: OPTIONS.openFor,
      maxOpenFor: OPTIONS.max,
      openJitter: 0,
      successThreshold: OPTIONS.successes,
      halfOpenCalls: OPTIONS.calls,
      halfOpenLease: OPTIONS.lease,
    },
    clock,
    seededRandom(1),
    { stateChanged: () => {}, probeLost: () => {}, predicateFailed: () => {} },
  );
  return { breaker, twin: new NaiveBreaker(OPTIONS), clock };
}

const outcome = fc.constantFrom<Outcome>(
  'success',
  'failure',
  'failure',
  'failure',
  'ignored',
  'cancelled',
  'rejected',
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('enter' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(), outcome }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: 0, max: 200 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('isolate' as const) }) },
);

it('#25 #43 #192 equals its naive twin in state, admission, staleness and counts, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { breaker, twin, clock } = breakerAndTwin();
      const inFlight: { permit: Permit; id: number }[] = [];
      let entered = 0;
      let settled = 0;
      let release: (() => void) | undefined;
      for (const s of steps) {
        if (s.do === 'wait') clock.jump(s.ms);
        if (s.do === 'enter') {
          entered += 1;
          const permit = breaker.enter();
          expect(permit !== REFUSED).toBe(twin.enter(entered, clock.now()));
          if (permit !== REFUSED) inFlight.push({ permit, id: entered });
        }
        if (s.do === 'settle' && inFlight.length > 0) {
          const [call] = inFlight.splice(s.which % inFlight.length, 1);
          const stale = breaker.counters.stale;
          breaker.settle(call!.permit, s.outcome);
          settled += 1;
          const verdict = twin.settle(call!.id, s.outcome, clock.now());
          expect(breaker.counters.stale > stale ? 'stale' : 'counted').toBe(verdict);
        }
        if (s.do === 'reset') {
          breaker.reset();
          if (twin.state !== 'isolated') twin.close();
        }
        if (s.do === 'isolate') {
          if (release === undefined) {
            release = breaker.isolate();
            twin.isolate();
          } else {
            release();
            release = undefined;
            twin.close();
          }
        }
        expect(breaker.current).toBe(twin.state);
        const { success, failure, ignored, cancelled, rejected, stale, notPermitted } =
          breaker.counters;
        expect(success + failure + ignored + cancelled + rejected + stale).toBe(settled);
        expect(settled + inFlight.length + notPermitted).toBe(entered);
      }
    }),
    { numRuns: 2_000 },
  );
});

it('#29 closes again once the dependency is healthy and calls keep coming, whatever came before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { breaker, clock } = breakerAndTwin();
      const inFlight: Permit[] = [];
      for (const s of steps) {
        if (s.do === 'wait') clock.jump(s.ms);
        if (s.do === 'enter') {
          const permit = breaker.enter();
          if (permit !== REFUSED) inFlight.push(permit);
        }
        // whatever is not settled here hangs for ever
        if (s.do === 'settle' && inFlight.length > 0) breaker.settle(inFlight.pop()!, s.outcome);
      }

      const healthyFrom = clock.now();
      while (clock.now() <= healthyFrom + OPTIONS.max + OPTIONS.lease + 10) {
        const permit = breaker.enter();
        if (permit !== REFUSED) breaker.settle(permit, 'success');
        clock.jump(5);
      }
      expect(breaker.current).toBe('closed');
    }),
    { numRuns: 2_000 },
  );
});
