// Moments and counts that are exactly on a limit.
import type { Permit } from '../../../../lib/kernel/permit.js';
import { MAX_TIMER } from '../../../../lib/kernel/duration.js';
import { entered, FRAGILE, make, probeDue } from './made-breaker.js';

describe('a limit is part of what it limits', () => {
  it('failures as far apart as the window are in it', () => {
    const { breaker, run, clock } = make({ failureThreshold: 2, window: 1_000 });
    run(1, 'failure');
    clock.jump(1_000);
    run(1, 'failure');

    expect(breaker.current).toBe('open');
  });

  it('saved counts as old as the window are taken over, of a run and of a rate', () => {
    const run = make({ failureThreshold: 3, window: 1_000 });
    const rate = make({ failureRate: 0.5, window: 1_000 });
    const saved = (of: typeof run): object => ({
      state: 'closed',
      at: of.clock.epoch() - 1_000,
      calls: 2,
      failures: 2,
      consecutiveFailures: 2,
    });
    run.breaker.restore(saved(run));
    rate.breaker.restore(saved(rate));

    expect(run.breaker.snapshot().consecutiveFailures).toBe(2);
    expect(rate.breaker.snapshot().calls).toBe(2);
  });

  it('by default a window of calls knows no time: five in a row open it however far apart', () => {
    const { breaker, run, clock } = make({ window: { calls: 10 } });
    run(4, 'failure');
    clock.jump(86_400_000);
    run(1, 'failure');

    expect(breaker.current).toBe('open');
  });

  it('by default the run of five says nothing any more at the very twentieth call', () => {
    const { breaker, run } = make({});
    run(15, 'success');
    run(5, 'failure');

    expect(breaker.current).toBe('closed');
  });

  it('a moment of a probe exactly one longest open time away is kept without a word', () => {
    const { breaker, clock } = make({ openFor: 1_000, maxOpenFor: 2_000 });

    expect(breaker.restore({ state: 'open', probeAt: clock.epoch() + 2_000 })).toEqual([]);
    expect(breaker.retryAfter()).toBe(2_000);
  });

  it.each([
    [1, 1],
    [MAX_TIMER, MAX_TIMER],
    [0.5, 5_000],
    [MAX_TIMER + 1, 5_000],
  ])('an openFor function that answers %d opens for %d', (answer, openFor) => {
    const { breaker, run } = make({ failureThreshold: 1, openFor: () => answer });
    run(1, 'failure');

    expect(breaker.snapshot().lastTrip!.openFor).toBe(openFor);
  });

  it('an openFor function that answers with text is reported, a number is not', () => {
    const text = make({ failureThreshold: 1, openFor: () => '50' as never });
    text.run(1, 'failure');
    const plain = make({ failureThreshold: 1, openFor: 50 });
    plain.run(1, 'failure');

    expect(text.moves[0]).toContain('openFor failed: RangeError: openFor answered 50');
    expect(text.breaker.retryAfter()).toBe(5_000);
    expect(plain.moves).toEqual(['open: 1 failures in a row']);
  });

  it('the smallest rate there is does not open on successes', () => {
    const { breaker, run } = make({ failureRate: Number.MIN_VALUE, minimumCalls: 1 });
    run(5, 'success');
    expect(breaker.current).toBe('closed');
    run(1, 'failure');

    expect(breaker.current).toBe('open');
  });
});

describe('what a breaker has counted', () => {
  it('is evidence of failures only, however many good calls came between them', () => {
    const { breaker, run } = make({ failureRate: 0.1, minimumCalls: 20 });
    run(1, 'failure', 1, { error: 'FIRST' });
    run(18, 'success', 1);
    run(1, 'failure', 1, { error: 'LAST' });

    expect(breaker.snapshot().lastTrip!.outcomes.map(({ error }) => error)).toEqual([
      'FIRST',
      'LAST',
    ]);
  });

  it('a slow success is no evidence of a rate of failures', () => {
    const { breaker, run } = make({
      failureRate: 0.5,
      minimumCalls: 3,
      slowCallDuration: 10,
      slowCallRate: 1,
    });
    run(1, 'failure', 1, { error: 'FIRST' });
    run(1, 'success', 11);
    run(1, 'failure', 1, { error: 'LAST' });

    expect(breaker.snapshot().lastTrip).toMatchObject({
      rule: 'failure-rate',
      outcomes: [{ error: 'FIRST' }, { error: 'LAST' }],
    });
  });

  it('goes over from a run to a rate and back without a fault', () => {
    const { breaker, run } = make({ failureThreshold: 3 });
    run(2, 'failure');
    breaker.reconfigure({ failureRate: 0.5, minimumCalls: 2 });
    expect(breaker.snapshot()).toMatchObject({ calls: 0, consecutiveFailures: 0 });
    run(1, 'failure');
    breaker.reconfigure({ failureThreshold: 3 });

    expect(breaker.snapshot()).toMatchObject({ calls: 0, consecutiveFailures: 0 });
  });

  it('names the share of the calls of a step that failed', () => {
    const { breaker, run } = probeDue({ gradualClose: { steps: [1], calls: 5 } });
    run(4, 'success');
    run(1, 'failure');

    expect(breaker.snapshot().lastTrip).toMatchObject({
      rule: 'recovery',
      calls: 4,
      failures: 1,
      rate: 0.25,
    });
  });
});

describe('the places of a half-open period', () => {
  it('the first lease to end says when to come back, and without a probe on its way nothing does', () => {
    const { breaker, clock } = probeDue({
      halfOpenCalls: 3,
      successThreshold: 3,
      halfOpenLease: 100,
    });
    const first = entered(breaker);
    clock.jump(30);
    const second = entered(breaker);
    expect(breaker.retryAfter()).toBe(70);
    breaker.settle(first, 'success');
    breaker.settle(second, 'success');

    expect(breaker.current).toBe('half-open');
    expect(breaker.retryAfter()).toBeUndefined();
  });

  it('each place that is taken back is told once', () => {
    const { breaker, clock, moves } = probeDue({
      halfOpenCalls: 3,
      successThreshold: 3,
      halfOpenLease: 100,
    });
    for (let i = 0; i < 3; i += 1) entered(breaker);
    clock.jump(100);
    entered(breaker);

    expect(moves.filter((move) => move === 'probe lost')).toHaveLength(3);
  });

  it('only the places whose lease is over are taken back', () => {
    const { breaker, clock, moves } = probeDue({
      halfOpenCalls: 3,
      successThreshold: 3,
      halfOpenLease: 100,
    });
    entered(breaker);
    clock.jump(50);
    entered(breaker);
    entered(breaker);
    clock.jump(50);
    entered(breaker);

    expect(moves.filter((move) => move === 'probe lost')).toHaveLength(1);
    expect(breaker.canExecute()).toBe(false);
  });

  it('each of several probes is one', () => {
    const { breaker } = probeDue({ halfOpenCalls: 2, successThreshold: 2 });
    const probes = [entered(breaker), entered(breaker)];

    expect(probes.map((probe) => breaker.isProbe(probe))).toEqual([true, true]);
  });

  it('a probe that has lost its place and starts takes one that is free', () => {
    const { breaker, clock } = probeDue({ halfOpenLease: 100 });
    const lost = entered(breaker);
    clock.jump(100);
    breaker.settle(entered(breaker), 'cancelled');
    expect(breaker.canExecute()).toBe(true);

    breaker.started(lost);

    expect([breaker.canExecute(), breaker.retryAfter()]).toEqual([false, 100]);
  });

  it('a probe that has lost its place to another may still start', () => {
    const { breaker, clock, run } = probeDue({ halfOpenLease: 100 });
    const lost = entered(breaker);
    clock.jump(100);
    const other = entered(breaker);
    clock.jump(30);

    breaker.started(lost);

    expect(breaker.retryAfter()).toBe(70);
    expect(breaker.isProbe(lost)).toBe(false);
    expect(breaker.isProbe(other)).toBe(true);
    breaker.settle(other, 'success');
    expect([breaker.current, run(1, 'success')]).toEqual(['closed', 1]);
  });

  it('only a probe on its way is one: not a call from before, and none in another state', () => {
    const { breaker } = probeDue();
    const probe = entered(breaker);
    expect(breaker.isProbe(probe)).toBe(true);
    expect(breaker.isProbe((probe + 1) as Permit)).toBe(false);
    breaker.settle(probe, 'success');

    expect(breaker.isProbe(probe)).toBe(false);
    expect(breaker.isProbe(entered(breaker))).toBe(false);
  });

  it('there is no room to make in a breaker that is not half-open', () => {
    const { breaker } = make(FRAGILE);
    const permit = entered(breaker);
    breaker.makeRoom(permit);
    breaker.settle(permit, 'failure');
    breaker.makeRoom(permit);

    expect(breaker.current).toBe('open');
  });

  it('makes no room for a call from before the trip', () => {
    const { breaker, clock } = make(FRAGILE);
    const old = entered(breaker);
    breaker.settle(entered(breaker), 'failure');
    clock.jump(1_000);
    entered(breaker);
    breaker.makeRoom(old);

    expect(breaker.canExecute()).toBe(false);
  });
});

it('a quick call by hand is not slow', () => {
  const { breaker, clock } = make({ slowCallDuration: 10, slowCallRate: 1, minimumCalls: 1 });
  const permit = breaker.acquire()!;
  clock.jump(10);
  permit.success();

  expect(breaker.snapshot()).toMatchObject({ state: 'closed', slow: 0, calls: 1 });
});

it('a breaker says in which mode it is', () => {
  expect(make({}).breaker.mode).toBe('enforce');
  expect(make({ mode: 'shadow' }).breaker.mode).toBe('shadow');
});
