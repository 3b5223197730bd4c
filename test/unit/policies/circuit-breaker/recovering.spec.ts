import { REFUSED } from '../../../../lib/kernel/permit.js';
import type { CircuitBreakerOptions } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { entered, type Made, make, probeDue } from './made-breaker.js';

/** A breaker that has just begun to recover. */
function recovering(options: CircuitBreakerOptions = {}): Made {
  const made = probeDue({ gradualClose: true, ...options });
  made.run(1, 'success');
  expect(made.breaker.current).toBe('recovering');
  return made;
}

/** Which of so many calls, counted from 0, are let in; none of them is settled. */
function admitted({ breaker }: Made, calls: number): number[] {
  return Array.from({ length: calls }, (_, i) => i).filter(() => breaker.enter() !== REFUSED);
}

describe('a gradual close', () => {
  it('is not the default', () => {
    const { breaker, run } = probeDue();
    run(1, 'success');

    expect(breaker.current).toBe('closed');
  });

  it.each([
    [0.1, [0, 10, 20, 30]],
    [0.25, [0, 4, 8, 12, 16, 20, 24, 28, 32, 36]],
    [0.7, [0, 2, 3, 5, 6, 8, 9]],
  ])('admits a share of %d evenly, the first call among them', (share, expected) => {
    const made = recovering({ gradualClose: { steps: [share] } });

    expect(admitted(made, expected.at(-1)! + 1)).toEqual(expected);
    expect(made.breaker.snapshot()).toMatchObject({ state: 'recovering', share });
  });

  it('admits exactly its share of ten thousand calls: rounding does not add up', () => {
    expect(admitted(recovering({ gradualClose: { steps: [0.1] } }), 10_000)).toHaveLength(1_000);
    expect(admitted(recovering({ gradualClose: { steps: [0.3] } }), 10_000)).toHaveLength(3_000);
    expect(admitted(recovering({ gradualClose: { steps: [1] } }), 100)).toHaveLength(100);
  });

  it('goes up by its steps and closes with an empty window', () => {
    const made = recovering();
    const shares: unknown[] = [];
    while (made.breaker.current === 'recovering') {
      const { share } = made.breaker.snapshot();
      if (shares.at(-1) !== share) shares.push(share);
      made.run(1, 'success');
    }

    expect(shares).toEqual([0.1, 0.25, 0.5]);
    expect(made.moves).toEqual([
      'half-open: the open time has passed',
      'recovering: 1 of 1 probes succeeded',
      'closed: every step of recovery succeeded',
    ]);
    expect(made.breaker.snapshot()).toMatchObject({ state: 'closed', calls: 0 });
  });

  it('takes as many successes per step as asked for; ignored errors are among them', () => {
    const made = recovering({ gradualClose: { steps: [0.5, 1], calls: 2 } });
    made.run(1, 'ignored');
    expect(made.breaker.snapshot().share).toBe(0.5);
    made.run(2, 'success');
    expect(made.breaker.snapshot().share).toBe(1);
    made.run(1, 'success');
    expect(made.breaker.current).toBe('recovering');

    made.run(1, 'ignored');

    expect(made.breaker.current).toBe('closed');
  });

  it('goes one step back on a failure and from the first step back to open, for twice the time', () => {
    const made = recovering({ gradualClose: { steps: [0.2, 0.5, 1], calls: 1 } });
    made.run(1, 'success');
    made.run(1, 'success');
    expect(made.breaker.snapshot().share).toBe(1);

    made.run(1, 'failure', undefined, { error: 'first' });
    expect(made.breaker.snapshot()).toMatchObject({ share: 0.5, reason: 'a step back' });
    made.run(1, 'failure', undefined, { error: 'second' });
    expect(made.breaker.snapshot().share).toBe(0.2);
    made.run(1, 'failure', undefined, { error: 'third' });

    expect(made.breaker.snapshot()).toMatchObject({
      state: 'open',
      retryAfter: 2_000,
      lastTrip: { rule: 'recovery', calls: 1, failures: 1, rate: 1, openings: 2 },
    });
    const { outcomes } = made.breaker.snapshot().lastTrip!;
    expect(outcomes.map(({ error }) => error)).toEqual(['first', 'second', 'third']);
  });

  it('a slow call is a failure, where there is a rule for slow calls', () => {
    const made = recovering({ slowCallDuration: 100 });
    made.run(1, 'success', 101);

    expect(made.breaker.snapshot()).toMatchObject({ state: 'open', lastTrip: { slow: 1 } });
  });

  it('cancelled and rejected calls change nothing', () => {
    const made = recovering({ gradualClose: { steps: [1], calls: 1 } });
    made.run(1, 'cancelled');
    made.run(1, 'rejected');

    expect(made.breaker.current).toBe('recovering');
    expect(made.breaker.counters).toMatchObject({ cancelled: 1, rejected: 1 });
  });

  it('#25 each step is an era: what began at another step changes nothing', () => {
    const made = recovering({ gradualClose: { steps: [0.5, 1], calls: 1 } });
    const slow = entered(made.breaker);
    expect(made.breaker.enter()).toBe(REFUSED);
    made.run(1, 'success');
    expect(made.breaker.snapshot().share).toBe(1);

    made.breaker.settle(slow, 'failure');

    expect(made.breaker.snapshot().share).toBe(1);
    expect(made.breaker.counters.stale).toBe(1);
  });

  it('#29 one call is admitted per lease, however few there are and however many hang', () => {
    const made = recovering({ halfOpenLease: 500, gradualClose: { steps: [0.001] } });
    expect(admitted(made, 10)).toEqual([0]);
    expect(made.breaker.retryAfter()).toBe(500);
    expect(made.breaker.canExecute()).toBe(false);
    made.clock.jump(499);
    expect(admitted(made, 10)).toEqual([]);
    made.clock.jump(1);

    expect(made.breaker.retryAfter()).toBe(0);
    expect(made.breaker.canExecute()).toBe(true);
    expect(admitted(made, 10)).toEqual([0]);
  });

  it('a call admitted by its lease is no credit for the next', () => {
    const made = recovering({ halfOpenLease: 500, gradualClose: { steps: [0.25] } });
    admitted(made, 3);
    made.clock.jump(500);

    expect(admitted(made, 6)).toEqual([0, 4]);
  });

  it('streams settle with their first value', () => {
    const { breaker, run } = recovering({ gradualClose: { steps: [0.5, 1], calls: 1 } });
    const permit = entered(breaker);
    expect(breaker.isProbe(permit)).toBe(true);
    run(2, 'success');

    expect(breaker.snapshot().share).toBe(1);
    expect(breaker.isProbe(permit)).toBe(false);
  });

  it('a reset closes it, an isolation refuses all', () => {
    const reset = recovering();
    reset.breaker.reset();
    const isolated = recovering();
    isolated.breaker.isolate();

    expect(reset.breaker.current).toBe('closed');
    expect(admitted(isolated, 20)).toEqual([]);
  });

  it('gradualClose: false is none', () => {
    const { breaker, run } = probeDue({ gradualClose: false });
    run(1, 'success');

    expect(breaker.current).toBe('closed');
  });

  it('counts refusals', () => {
    const made = recovering();
    admitted(made, 11);

    expect(made.breaker.counters.notPermitted).toBe(9);
    expect(make({}).breaker.snapshot()).not.toHaveProperty('share');
  });
});
