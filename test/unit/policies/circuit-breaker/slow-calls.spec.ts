import { make, probeDue } from './made-breaker.js';

const SLOW = { slowCallDuration: 100, minimumCalls: 4, window: { calls: 4 } };

describe('slow calls', () => {
  it('by default only slow calls through and through open it, and slow means longer than', () => {
    const { breaker, run } = make(SLOW);
    run(3, 'success', 101);
    run(1, 'success', 100);
    expect(breaker.current).toBe('closed');

    run(3, 'success', 101);
    expect(breaker.current).toBe('closed');
    run(1, 'success', 101);

    expect(breaker.current).toBe('open');
    expect(breaker.snapshot().lastTrip).toMatchObject({
      rule: 'slow-rate',
      calls: 4,
      failures: 0,
      slow: 4,
      rate: 1,
    });
  });

  it('a slowCallRate is compared with ≥, on successes too, and not below minimumCalls', () => {
    const { breaker, run, moves } = make({ ...SLOW, slowCallRate: 0.5 });
    run(2, 'success', 500);
    run(1, 'success', 1);
    expect(breaker.current).toBe('closed');

    run(1, 'success', 1);

    expect(moves).toEqual(['open: 2 of the last 4 calls were slow']);
  });

  it('stand beside the default rule, which still counts failures', () => {
    const { breaker, run } = make({ slowCallDuration: 100 });
    run(5, 'failure', 1);

    expect(breaker.snapshot().lastTrip).toMatchObject({ rule: 'failure-threshold' });
  });

  it('beside a bare failureThreshold no failure rate opens it', () => {
    const { breaker, run } = make({ failureThreshold: 3, slowCallDuration: 100, minimumCalls: 4 });
    for (let i = 0; i < 20; i += 1) {
      run(2, 'failure', 1);
      run(1, 'success', 1);
    }
    expect(breaker.current).toBe('closed');

    run(3, 'failure', 1);

    expect(breaker.snapshot().lastTrip).toMatchObject({ rule: 'failure-threshold', failures: 3 });
  });

  it('a failure may be slow as well, and is counted as both', () => {
    const { breaker, run } = make({ ...SLOW, failureRate: 1, minimumCalls: 4 });
    run(2, 'failure', 200);
    run(1, 'success', 200);

    expect(breaker.snapshot()).toMatchObject({ calls: 3, failures: 2, slow: 3 });
  });

  it('a slow success ends a run of failures', () => {
    const { breaker, run } = make({ failureThreshold: 3, slowCallDuration: 100 });
    run(2, 'failure', 1);
    run(1, 'success', 200);
    run(2, 'failure', 1);

    expect(breaker.snapshot()).toMatchObject({ state: 'closed', consecutiveFailures: 2 });
  });

  it('calls of unknown duration are not slow, and without the option none is', () => {
    const measured = make({ ...SLOW, minimumCalls: 1 });
    measured.run(10, 'success');
    measured.run(10, 'success', Number.NaN);
    const plain = make({ failureRate: 0.5 });
    plain.run(40, 'success', 1e9);

    expect(measured.breaker.snapshot()).toMatchObject({ state: 'closed', slow: 0 });
    expect(plain.breaker.snapshot()).toMatchObject({ state: 'closed', slow: 0 });
    expect(measured.breaker.slowCallDuration).toBe(100);
    expect(plain.breaker.slowCallDuration).toBeUndefined();
  });

  it.each(['success', 'ignored'] as const)(
    'a slow probe has failed, if it ended as %s',
    (outcome) => {
      const { breaker, run } = probeDue({ slowCallDuration: 100 });
      run(1, outcome, 101);

      expect(breaker.snapshot()).toMatchObject({
        state: 'open',
        lastTrip: { rule: 'probes', calls: 1, failures: 1, slow: 1, rate: 1 },
      });
      expect(breaker.counters[outcome]).toBe(1);
    },
  );

  it('a probe that is not slow closes it', () => {
    const { breaker, run } = probeDue({ slowCallDuration: 100 });
    run(1, 'success', 100);

    expect(breaker.current).toBe('closed');
  });

  it('a slow answer of a probe that lost its place changes nothing', () => {
    const { breaker, clock } = probeDue({ slowCallDuration: 100, halfOpenLease: 500 });
    const lost = breaker.enter();
    clock.jump(500);
    const probe = breaker.enter();

    breaker.settle(lost, 'success', 500);

    expect(breaker.current).toBe('half-open');
    expect(breaker.counters.stale).toBe(1);
    breaker.settle(probe, 'success', 1);
    expect(breaker.current).toBe('closed');
  });
});
