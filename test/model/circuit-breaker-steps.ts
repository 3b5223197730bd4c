import fc from 'fast-check';
import type { Outcome } from '../../lib/kernel/outcome.js';
import { CircuitBreaker } from '../../lib/policies/circuit-breaker/circuit-breaker.js';
import { checkCircuitBreaker } from '../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { type FakeClock, seededRandom } from '../../lib/testing/index.js';
import { type NaiveTerms, optionsOf } from './naive-breaker.js';

const listener = { stateChanged: () => {}, probeLost: () => {}, predicateFailed: () => {} };

/** A breaker whose options have been checked. */
export function breakerOf(terms: NaiveTerms, clock: FakeClock): CircuitBreaker {
  const options = optionsOf(terms);
  expect(checkCircuitBreaker('model', options)).toEqual([]);
  return new CircuitBreaker(options, clock, seededRandom(1), listener);
}

/** What may change while a breaker works without its window having to be counted anew. */
const changing = {
  rate: fc.integer({ min: 1, max: 10 }),
  slowRate: fc.integer({ min: 1, max: 10 }),
  minimum: fc.integer({ min: 1, max: 5 }),
  openFor: fc.integer({ min: 1, max: 200 }),
  max: fc.integer({ min: 200, max: 500 }),
  maxRetryAfter: fc.constantFrom(0, 300),
  successes: fc.integer({ min: 1, max: 3 }),
  calls: fc.integer({ min: 3, max: 5 }),
  lease: fc.integer({ min: 1, max: 200 }),
  steps: fc
    .uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 3 })
    .map((steps) => steps.toSorted((a, b) => a - b)),
  stepCalls: fc.integer({ min: 1, max: 3 }),
};

/** Terms, and others that the breaker may be given in the middle. */
export const termsTwice = fc
  .tuple(
    fc.record({
      kind: fc.constantFrom<NaiveTerms['kind']>('run', 'run', 'rate', 'default'),
      threshold: fc.integer({ min: 1, max: 4 }),
      window: fc.oneof(
        fc.constantFrom(300, 1_000),
        fc.record({ calls: fc.integer({ min: 5, max: 8 }) }),
      ),
      slowAfter: fc.constantFrom(undefined, 50),
    }),
    fc.record(changing),
    fc.record(changing),
  )
  .map(([fixed, one, other]): [NaiveTerms, NaiveTerms] => [
    { ...fixed, ...one },
    { ...fixed, ...other },
  ]);

const outcome = fc.constantFrom<Outcome>(
  'success',
  'success',
  'success',
  'failure',
  'failure',
  'failure',
  'ignored',
  'cancelled',
  'rejected',
);
const duration = fc.constantFrom(undefined, 10, 50, 51);
const retryAfter = fc.constantFrom(undefined, undefined, undefined, 250, 400);
/** Whatever can happen to a breaker. */
export const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('enter' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat() }),
      outcome,
      duration,
      retryAfter,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: 0, max: 250 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      outcome: fc.constantFrom('success' as const, 'failure' as const),
      duration,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('hold' as const),
      kind: fc.constantFrom('isolated' as const, 'disabled' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('let go' as const), which: fc.nat() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      ms: fc.integer({ min: 1, max: 300 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('reset' as const, 'release' as const, 'reconfigure' as const),
    }),
  },
);
/** Without `size` most lists would be too short to see more than a trip. */
export const LONG = { maxLength: 200, size: 'max' } as const;

export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
