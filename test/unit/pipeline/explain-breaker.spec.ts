import { explainBreaker } from '../../../lib/pipeline/explain-breaker.js';
import type { CircuitBreakerSnapshot } from '../../../lib/policies/circuit-breaker/circuit-breaker.snapshot.js';

const snapshot = (facts: Partial<CircuitBreakerSnapshot> = {}): CircuitBreakerSnapshot => ({
  state: 'closed',
  mode: 'enforce',
  version: 1,
  probeDue: false,
  calls: 0,
  failures: 0,
  slow: 0,
  consecutiveFailures: 0,
  counters: {
    success: 0,
    failure: 0,
    ignored: 0,
    cancelled: 0,
    rejected: 0,
    stale: 0,
    notPermitted: 0,
    wouldReject: 0,
  },
  ...facts,
});

const lastTrip = {
  rule: 'failure-rate',
  calls: 20,
  failures: 4,
  slow: 0,
  rate: 0.5,
  at: 0,
  openings: 1,
  openFor: 5_000,
  probeAt: 5_000,
  outcomes: [
    { outcome: 'failure', error: 'timeout', age: 3 },
    { outcome: 'failure', error: 'ECONNREFUSED', age: 2 },
    { outcome: 'success', age: 1 },
    { outcome: 'failure', error: 'ECONNREFUSED', age: 0 },
  ],
} as const;

it.each<[string, Partial<CircuitBreakerSnapshot>, string]>([
  ['a new one', {}, 'circuit breaker A is closed'],
  ['one with a reason', { reason: 'reset by hand' }, 'circuit breaker A is closed: reset by hand'],
  ['a closed one says nothing of the past', { lastTrip }, 'circuit breaker A is closed'],
  [
    'an open one, the most frequent error first',
    { state: 'open', reason: 'too bad', lastTrip, retryAfter: 4_200 },
    'circuit breaker A is open: too bad; what opened it: 2 × ECONNREFUSED, 1 × timeout, 1 × success; next probe in 4200 ms',
  ],
  [
    'one opened by hand has no errors to show',
    { state: 'open', reason: 'opened by hand', retryAfter: 1 },
    'circuit breaker A is open: opened by hand; next probe in 1 ms',
  ],
  [
    'one that waits for a call',
    {
      state: 'open',
      lastTrip: { ...lastTrip, outcomes: [], openings: 3 },
      probeDue: true,
      retryAfter: 0,
    },
    'circuit breaker A is open; opened 3 times in a row; the next call is a probe',
  ],
  [
    'one on its way back',
    { state: 'recovering', reason: 'a step up', share: 0.25 },
    'circuit breaker A is recovering: a step up; it lets 25 % of the calls in',
  ],
  [
    'one in shadow mode',
    { state: 'open', mode: 'shadow', reason: 'x', retryAfter: 7 },
    'circuit breaker A is open (in shadow mode: it refuses nobody): x; next probe in 7 ms',
  ],
])('%s', (_what, facts, text) => {
  expect(explainBreaker('A', snapshot(facts))).toBe(text);
});
