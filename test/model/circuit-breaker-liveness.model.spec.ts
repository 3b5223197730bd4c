import fc from 'fast-check';
import { type Permit, REFUSED } from '../../lib/kernel/permit.js';
import type { CircuitBreaker } from '../../lib/policies/circuit-breaker/circuit-breaker.js';
import { FakeClock } from '../../lib/testing/index.js';
import { breakerOf, LONG, step, type Step, termsTwice } from './circuit-breaker-steps.js';
import { type NaiveTerms, optionsOf } from './naive-breaker.js';

/** Of all terms that `termsTwice` makes. */
const LONGEST_OPEN = 500;
const LONGEST_LEASE = 200;

it('#29 #37 closes again once the dependency is healthy and calls keep coming, whatever came before', () => {
  const saved = fc.oneof(
    fc.record(
      {
        state: fc.constantFrom('closed', 'open', 'half-open', 'recovering', '__proto__'),
        probeAt: fc.oneof(fc.double(), fc.integer()),
        openings: fc.oneof(fc.integer(), fc.double()),
        calls: fc.integer(),
        failures: fc.integer(),
        at: fc.double(),
        consecutiveFailures: fc.integer(),
      },
      { requiredKeys: [] },
    ),
    fc.anything(),
  );
  const history = fc.array(
    fc.oneof(
      { weight: 20, arbitrary: step },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), saved }) },
    ),
    LONG,
  );
  fc.assert(
    fc.property(termsTwice, history, (terms, steps) => {
      const { breaker, clock, last } = lived(terms, steps);
      while (breaker.release()); // hands let go; what was not settled hangs for ever

      const { steps: shares, stepCalls } = last;
      const perStep = shares.map((share) => Math.ceil((stepCalls * 20) / share) * 5);
      const bound = LONGEST_OPEN + LONGEST_LEASE + perStep.reduce((a, b) => a + b, 0) + 50;
      const healthyFrom = clock.now();
      while (clock.now() <= healthyFrom + bound) {
        const permit = breaker.enter();
        if (permit !== REFUSED) breaker.settle(permit, 'success', 10);
        clock.jump(5);
      }
      expect(breaker.current).toBe('closed');
    }),
    { numRuns: 1_000 },
  );
});

/** A breaker with a past, and the terms it ended with. */
function lived(
  [terms, second]: [NaiveTerms, NaiveTerms],
  steps: readonly (Step | { do: 'restore'; saved: unknown })[],
): { breaker: CircuitBreaker; clock: FakeClock; last: NaiveTerms } {
  const clock = new FakeClock();
  const breaker = breakerOf(terms, clock);
  const inFlight: Permit[] = [];
  let [now, next] = [terms, second];
  for (const s of steps) {
    if (s.do === 'wait') clock.jump(s.ms);
    if (s.do === 'enter') {
      const permit = breaker.enter();
      if (permit !== REFUSED) inFlight.push(permit);
    }
    if (s.do === 'settle' && inFlight.length > 0) {
      breaker.settle(inFlight.pop()!, s.outcome, s.duration, { retryAfter: s.retryAfter });
    }
    if (s.do === 'record') {
      if (s.outcome === 'success') breaker.recordSuccess(s.duration);
      else breaker.recordFailure({}, s.duration);
    }
    if (s.do === 'hold' && s.kind === 'isolated') breaker.isolate();
    if (s.do === 'hold' && s.kind === 'disabled') breaker.disable();
    if (s.do === 'release' || s.do === 'let go') breaker.release();
    if (s.do === 'open') breaker.open(s.ms);
    if (s.do === 'reset') breaker.reset();
    if (s.do === 'restore') breaker.restore(s.saved);
    if (s.do === 'reconfigure') {
      [now, next] = [next, now];
      breaker.reconfigure(optionsOf(now));
    }
  }
  return { breaker, clock, last: now };
}
