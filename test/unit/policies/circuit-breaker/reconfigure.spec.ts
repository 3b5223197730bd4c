import { REFUSED } from '../../../../lib/kernel/permit.js';
import { entered, FRAGILE, make, probeDue } from './made-breaker.js';

describe('other options for a breaker at work', () => {
  it('keep state, era, counts and counters, and make a new version', () => {
    const { breaker, run, moves } = make({ failureRate: 0.5, minimumCalls: 10 });
    run(3, 'failure');
    run(2, 'success');
    const permit = entered(breaker);
    breaker.reconfigure({ failureRate: 0.7, minimumCalls: 10, critical: true, mode: 'shadow' });
    breaker.settle(permit, 'failure');

    expect(breaker.snapshot()).toMatchObject({
      version: 2,
      mode: 'shadow',
      calls: 6,
      failures: 4,
      counters: { failure: 4, success: 2, stale: 0 },
    });
    expect([breaker.critical, moves]).toEqual([true, []]);
    run(4, 'failure');
    expect(breaker.current).toBe('open');
    expect(moves).toHaveLength(1);
  });

  it('of another window take the totals along', () => {
    const { breaker, run, clock } = make({ failureRate: 0.5, window: 60_000 });
    run(6, 'success');
    run(4, 'failure');
    clock.jump(30_000);
    breaker.reconfigure({ failureRate: 0.5, window: 10_000 });
    expect(breaker.snapshot()).toMatchObject({ calls: 10, failures: 4 });
    clock.jump(11_000);

    expect(breaker.snapshot()).toMatchObject({ calls: 0, failures: 0 });
  });

  it('of the same window keep every outcome with its age', () => {
    const { breaker, run, clock } = make({ failureRate: 0.5, window: 10_000 });
    run(1, 'failure');
    clock.jump(9_000);
    breaker.reconfigure({ failureRate: 0.6, window: 10_000 });
    clock.jump(2_000);

    expect(breaker.snapshot().failures).toBe(0);
  });

  it('of a smaller count window keep the share, and the oldest still leave first', () => {
    const { breaker, run } = make({ failureRate: 1, window: { calls: 100 } });
    run(60, 'success');
    run(40, 'failure');
    breaker.reconfigure({ failureRate: 1, window: { calls: 10 } });
    expect(breaker.snapshot()).toMatchObject({ calls: 10, failures: 4 });
    run(10, 'success');

    expect(breaker.snapshot()).toMatchObject({ calls: 10, failures: 0 });
  });

  it('of another threshold count the run on; it opens with the next failure at the earliest', () => {
    const { breaker, run } = make({ failureThreshold: 10 });
    run(7, 'failure');
    breaker.reconfigure({ failureThreshold: 3 });
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', consecutiveFailures: 7 });
    run(1, 'failure');

    expect(breaker.current).toBe('open');
  });

  it('of another span for the run count it as if it had happened now', () => {
    const { breaker, run, clock } = make({ failureThreshold: 3, window: 1_000 });
    run(2, 'failure');
    clock.jump(900);
    breaker.reconfigure({ failureThreshold: 3, window: 500 });
    clock.jump(400);
    run(1, 'failure');

    expect(breaker.current).toBe('open');
  });

  it('of the same span for the run keep the moments of its failures', () => {
    const options = { failureThreshold: 3, window: 1_000 };
    const { breaker, run, clock } = make(options);
    run(1, 'failure');
    clock.jump(900);
    breaker.reconfigure(options);
    clock.jump(200);
    run(2, 'failure');
    expect(breaker.current).toBe('closed');

    run(1, 'failure');
    expect(breaker.current).toBe('open');
  });

  it('of as many calls as there were milliseconds are of another window', () => {
    const { breaker, run, clock } = make({ failureRate: 0.5, window: 100 });
    run(1, 'failure');
    breaker.reconfigure({ failureRate: 0.5, window: { calls: 100 } });
    clock.jump(1_000);

    expect(breaker.snapshot()).toMatchObject({ calls: 1, failures: 1 });
  });

  it('with no failures yet invent none', () => {
    const { breaker, run } = make({ failureThreshold: 3, window: 1_000 });
    breaker.reconfigure({ failureThreshold: 2, window: 1_000 });
    run(1, 'failure');

    expect(breaker.current).toBe('closed');
  });

  it('leave an open time as it was, and hold for the next', () => {
    const { breaker, run, clock } = make(FRAGILE);
    run(1, 'failure');
    breaker.reconfigure({ ...FRAGILE, openFor: 4_000, openJitter: 0 });
    expect(breaker.retryAfter()).toBe(1_000);
    clock.jump(1_000);
    run(1, 'failure');

    expect(breaker.retryAfter()).toBe(8_000);
  });

  it('#29 decide a half-open period anew, so that it cannot be stuck between two', () => {
    const wide = { ...FRAGILE, successThreshold: 5, halfOpenCalls: 5 };
    const closes = probeDue(wide);
    closes.run(2, 'success');
    closes.breaker.reconfigure({ ...FRAGILE, successThreshold: 2, halfOpenCalls: 2 });
    expect(closes.breaker.current).toBe('closed');

    const opens = probeDue({ ...wide, successThreshold: 2 });
    opens.run(2, 'failure');
    opens.breaker.reconfigure({ ...FRAGILE, successThreshold: 2, halfOpenCalls: 3 });
    expect(opens.breaker.current).toBe('open');

    const goesOn = probeDue(wide);
    goesOn.run(1, 'success');
    goesOn.breaker.reconfigure({ ...FRAGILE, successThreshold: 2, halfOpenCalls: 2 });
    expect(goesOn.run(1, 'success')).toBe(1);
    expect(goesOn.breaker.current).toBe('closed');
  });

  it('with fewer places than probes on the way wait for those', () => {
    const { breaker, clock } = probeDue({ halfOpenCalls: 3, halfOpenLease: 100 });
    for (let i = 0; i < 3; i += 1) entered(breaker);
    breaker.reconfigure({ ...FRAGILE, halfOpenLease: 100 });
    expect([breaker.canExecute(), breaker.enter()]).toEqual([false, REFUSED]);
    clock.jump(100);

    expect(breaker.canExecute()).toBe(true);
    entered(breaker);
    expect(breaker.enter()).toBe(REFUSED);
  });

  it('bring their own lease', () => {
    const { breaker } = probeDue({ halfOpenLease: 100 });
    breaker.reconfigure({ ...FRAGILE, halfOpenLease: 700 });
    entered(breaker);

    expect(breaker.retryAfter()).toBe(700);
  });

  it('without a gradual close end one, and with fewer steps stay on the last', () => {
    const one = { ...FRAGILE, gradualClose: { steps: [0.1, 0.5, 1], calls: 1 } };
    const ends = probeDue(one);
    ends.run(1, 'success');
    ends.breaker.reconfigure(FRAGILE);
    expect(ends.breaker.current).toBe('closed');

    const stays = probeDue(one);
    stays.run(3, 'success');
    const permit = entered(stays.breaker);
    stays.breaker.reconfigure({ ...FRAGILE, gradualClose: { steps: [0.2, 0.6], calls: 1 } });
    expect(stays.breaker.snapshot().share).toBe(0.6);
    stays.breaker.settle(permit, 'success');
    expect(stays.breaker.current).toBe('closed');
  });

  it('begin with version 1', () => {
    expect(make({}).breaker.snapshot().version).toBe(1);
  });
});
