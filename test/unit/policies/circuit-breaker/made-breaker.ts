import type { Outcome } from '../../../../lib/kernel/outcome.js';
import { type Permit, REFUSED } from '../../../../lib/kernel/permit.js';
import { CircuitBreaker } from '../../../../lib/policies/circuit-breaker/circuit-breaker.js';
import {
  checkCircuitBreaker,
  type CircuitBreakerOptions,
} from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import type { FailureFacts } from '../../../../lib/policies/circuit-breaker/trip.js';
import { FakeClock, seededRandom } from '../../../../lib/testing/index.js';

export interface Made {
  breaker: CircuitBreaker;
  clock: FakeClock;
  /** What the listener heard, in words. */
  moves: string[];
  /** Makes calls that end at once; answers how many were let in. */
  run(times: number, outcome: Outcome, duration?: number, facts?: FailureFacts): number;
  tell(failed: boolean): void;
}

/** A breaker without jitter on a clock that stands still. */
export function make(options: CircuitBreakerOptions, clock = new FakeClock()): Made {
  expect(checkCircuitBreaker('test', options)).toEqual([]);
  const moves: string[] = [];
  const breaker = new CircuitBreaker({ openJitter: 0, ...options }, clock, seededRandom(1), {
    stateChanged: (_from, to, reason) => moves.push(`${to}: ${reason}`),
    probeLost: () => moves.push('probe lost'),
    predicateFailed: (option, error) => moves.push(`${option} failed: ${String(error)}`),
  });
  const run: Made['run'] = (times, outcome, duration, facts) => {
    let admitted = 0;
    for (let i = 0; i < times; i += 1) {
      const permit = breaker.enter();
      if (permit === REFUSED) continue;
      admitted += 1;
      breaker.settle(permit, outcome, duration, facts);
    }
    return admitted;
  };
  const tell = (failed: boolean): void => void run(1, failed ? 'failure' : 'success');
  return { breaker, clock, moves, run, tell };
}

/** A breaker that opens at its first failure, for 1,000 ms. */
export const FRAGILE: CircuitBreakerOptions = {
  failureThreshold: 1,
  openFor: 1_000,
  successThreshold: 1,
  halfOpenCalls: 1,
};

/** The same, after its first trip, with its probe due. */
export function probeDue(options: CircuitBreakerOptions = {}): Made {
  const made = make({ ...FRAGILE, ...options });
  made.run(options.failureThreshold ?? 1, 'failure');
  expect(made.breaker.current).toBe('open');
  made.clock.jump(1_000);
  made.moves.length = 0;
  return made;
}

/** Enters, and expects to be let in. */
export function entered(breaker: CircuitBreaker): Permit {
  const permit = breaker.enter();
  expect(permit).not.toBe(REFUSED);
  return permit;
}
