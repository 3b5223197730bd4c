import { REFUSED } from '../../../../lib/kernel/permit.js';
import { entered, FRAGILE, make, probeDue } from './made-breaker.js';

describe('isolation', () => {
  it('#38 nests: the last release closes, and results in flight change nothing', () => {
    const { breaker, run, moves } = make(FRAGILE);
    const early = entered(breaker);
    const first = breaker.isolate('maintenance');
    const second = breaker.isolate('incident');
    first();
    first();
    breaker.settle(early, 'failure');
    breaker.reset();

    expect(breaker.current).toBe('isolated');
    expect(run(5, 'success')).toBe(0);
    second();
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', calls: 0 });
    expect(moves).toEqual(['isolated: maintenance', 'closed: released by hand']);
    expect(breaker.counters).toMatchObject({ stale: 1, failure: 0, notPermitted: 5 });
  });

  it('is released by release() where its handle was lost, the latest first', () => {
    const { breaker, moves } = make(FRAGILE);
    const kept = breaker.isolate('one');
    const lost = breaker.isolate('two');

    expect(breaker.release('on call')).toBe(true);
    expect(breaker.current).toBe('isolated');
    lost();
    expect(breaker.current).toBe('isolated');
    kept();
    expect(breaker.current).toBe('closed');
    expect(breaker.release()).toBe(false);

    breaker.isolate('three');
    breaker.release('on call');
    expect(moves.at(-1)).toBe('closed: on call');
  });

  it('a handle used twice does not close what has opened since', () => {
    const { breaker, run } = make(FRAGILE);
    const release = breaker.isolate();
    release();
    run(1, 'failure');
    release();

    expect(breaker.current).toBe('open');
  });

  it('a release where nothing is held does not close an open breaker', () => {
    const { breaker, run } = make(FRAGILE);
    run(1, 'failure');

    expect(breaker.release()).toBe(false);
    expect(breaker.current).toBe('open');
  });
});

describe('disabling', () => {
  it('lets all in and counts nothing, and closes at the end', () => {
    const { breaker, run, moves } = make(FRAGILE);
    const enable = breaker.disable('load test');

    expect(run(50, 'failure')).toBe(50);
    expect(breaker.snapshot()).toMatchObject({
      state: 'disabled',
      calls: 0,
      counters: { failure: 0, stale: 0, notPermitted: 0 },
    });
    expect(breaker.isClosed).toBe(false);
    const late = entered(breaker);
    enable();
    breaker.settle(late, 'failure');

    expect(breaker.current).toBe('closed');
    expect(breaker.counters).toMatchObject({ failure: 0, stale: 1 });
    expect(moves).toEqual(['disabled: load test', 'closed: released by hand']);
  });

  it('nests, and opens what is open', () => {
    const { breaker, run } = make(FRAGILE);
    run(1, 'failure');
    const first = breaker.disable();
    const second = breaker.disable();
    first();
    expect(run(3, 'failure')).toBe(3);
    second();

    expect(breaker.current).toBe('closed');
  });

  it('gives way to isolation, and comes back after it', () => {
    const { breaker, moves } = make(FRAGILE);
    const enable = breaker.disable('a');
    const release = breaker.isolate('b');
    expect(breaker.enter()).toBe(REFUSED);
    breaker.disable('c');
    expect(breaker.current).toBe('isolated');
    release();
    expect(breaker.current).toBe('disabled');
    enable();
    expect(breaker.current).toBe('disabled');
    expect(breaker.release('last')).toBe(true);

    expect(moves).toEqual([
      'disabled: a',
      'isolated: b',
      'disabled: released by hand',
      'closed: last',
    ]);
  });

  it('released while isolated changes nothing yet', () => {
    const { breaker } = make(FRAGILE);
    const enable = breaker.disable();
    const release = breaker.isolate();
    enable();
    expect(breaker.current).toBe('isolated');
    release();

    expect(breaker.current).toBe('closed');
  });
});

describe('opened by hand', () => {
  it('for a time, then probes decide; neither jitter nor limits touch the time', () => {
    const { breaker, run, clock, moves } = make({ ...FRAGILE, openJitter: 0.5 });
    expect(breaker.open(3_600_000, 'drill')).toBe(true);
    expect(breaker.retryAfter()).toBe(3_600_000);
    clock.jump(3_599_999);
    expect(run(1, 'success')).toBe(0);
    clock.jump(1);
    run(1, 'success');

    expect(moves).toEqual([
      'open: drill',
      'half-open: the open time has passed',
      'closed: 1 of 1 probes succeeded',
    ]);
    expect(breaker.snapshot().lastTrip).toBeUndefined();
  });

  it('does not make the next open time grow', () => {
    const { breaker, run, clock } = make(FRAGILE);
    for (let i = 0; i < 3; i += 1) {
      breaker.open(50);
      clock.jump(50);
    }
    run(1, 'failure');
    expect(breaker.retryAfter()).toBe(1_000);
    breaker.open(50);
    clock.jump(50);
    run(1, 'failure');

    expect(breaker.retryAfter()).toBe(2_000);
  });

  it('replaces the time of one that is open, in either direction, and a half-open period', () => {
    const { breaker, run } = make(FRAGILE);
    run(1, 'failure');
    breaker.open(9_000);
    expect(breaker.retryAfter()).toBe(9_000);
    breaker.open(10);
    expect(breaker.retryAfter()).toBe(10);

    const half = probeDue();
    const probe = entered(half.breaker);
    half.breaker.open(500);
    half.breaker.settle(probe, 'success');
    expect(half.breaker.current).toBe('open');
  });

  it('#32 until a moment by the wall clock as it stands, whatever that clock does later', () => {
    const { breaker, clock } = make(FRAGILE);
    expect(breaker.openUntil(clock.epoch() + 60_000, 'until noon')).toBe(true);
    clock.stepWallClock(-3_600_000);

    expect(breaker.snapshot()).toMatchObject({ retryAfter: 60_000, reason: 'until noon' });
  });

  it('does nothing until a moment that has passed', () => {
    const { breaker, clock } = make(FRAGILE);

    expect(breaker.openUntil(clock.epoch())).toBe(false);
    expect(breaker.openUntil(clock.epoch() - 1)).toBe(false);
    expect(breaker.current).toBe('closed');
  });

  it('is weaker than isolation and disabling', () => {
    const isolated = make(FRAGILE).breaker;
    isolated.isolate();
    const disabled = make(FRAGILE).breaker;
    disabled.disable();

    expect([isolated.open(5), disabled.open(5)]).toEqual([false, false]);
    expect([isolated.current, disabled.current]).toEqual(['isolated', 'disabled']);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('for %d is a mistake', (time) => {
    const { breaker } = make(FRAGILE);

    expect(() => breaker.open(time)).toThrow(RangeError);
    expect(() => breaker.open(time)).toThrow(`got ${time}, expected milliseconds above 0`);
    expect(breaker.current).toBe('closed');
  });

  it('until NaN is a mistake', () => {
    expect(() => make(FRAGILE).breaker.openUntil(Number.NaN)).toThrow(
      'got NaN, expected milliseconds since 1970',
    );
  });
});

it('#39 a reset during a probe closes, and the failure of that probe is not counted', () => {
  const { breaker } = probeDue();
  const probe = entered(breaker);
  breaker.reset('by me');
  breaker.settle(probe, 'failure');

  expect(breaker.snapshot()).toMatchObject({
    state: 'closed',
    reason: 'by me',
    consecutiveFailures: 0,
    counters: { failure: 1, stale: 1 },
  });
});
