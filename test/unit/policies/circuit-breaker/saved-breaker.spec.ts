import type { CircuitBreakerOptions } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { legalize } from '../../../../lib/policies/circuit-breaker/saved-breaker.js';
import { FakeClock } from '../../../../lib/testing/index.js';
import { FRAGILE, type Made, make } from './made-breaker.js';

/** What came of one breaker after a restart `later` milliseconds on. */
function restarted(before: Made, options: CircuitBreakerOptions, later = 0): Made {
  const saved: unknown = JSON.parse(JSON.stringify(before.breaker.save()));
  const after = make(options, new FakeClock(5, before.clock.epoch() + later));
  expect(after.breaker.restore(saved)).toEqual([]);
  return after;
}

/** Restores into a breaker that opens for 5 s, and believes what was saved up to a minute. */
function restored(saved: unknown): Made & { changes: readonly string[] } {
  const made = make({ failureRate: 0.5, successThreshold: 1, halfOpenCalls: 1 });
  return { ...made, changes: made.breaker.restore(saved) };
}

describe('a breaker over a restart', () => {
  it('goes on counting where it was', () => {
    const options = { failureRate: 0.5, minimumCalls: 4 };
    const before = make(options);
    before.run(2, 'success');
    before.run(1, 'failure');
    const after = restarted(before, options, 9_000);

    expect(after.breaker.snapshot()).toMatchObject({ state: 'closed', calls: 3, failures: 1 });
    after.run(1, 'failure');
    expect(after.breaker.current).toBe('open');
  });

  it('forgets what its window would have forgotten, and a count window forgets nothing', () => {
    const byTime = make({ failureThreshold: 3, failureRate: 0.5, window: 1_000 });
    byTime.run(2, 'failure');
    const byCalls = make({ failureRate: 0.5, window: { calls: 5 } });
    byCalls.run(2, 'failure');
    const bare = make({ failureThreshold: 3 });
    bare.run(2, 'failure');

    expect(
      restarted(
        byTime,
        { failureThreshold: 3, failureRate: 0.5, window: 1_000 },
        1_001,
      ).breaker.snapshot(),
    ).toMatchObject({ calls: 0, failures: 0, consecutiveFailures: 0 });
    expect(
      restarted(byCalls, { failureRate: 0.5, window: { calls: 5 } }, 86_400_000).breaker.snapshot(),
    ).toMatchObject({ calls: 2, failures: 2 });
    const again = restarted(bare, { failureThreshold: 3 }, 86_400_000);
    again.run(1, 'failure');
    expect(again.breaker.current).toBe('open');
  });

  it('stays open for what is left, and the open time goes on growing', () => {
    const before = make(FRAGILE);
    before.run(1, 'failure');
    before.clock.jump(1_000);
    before.run(1, 'failure');
    const after = restarted(before, FRAGILE, 500);

    expect(after.breaker.retryAfter()).toBe(1_500);
    after.clock.jump(1_500);
    after.run(1, 'failure');
    expect(after.breaker.retryAfter()).toBe(4_000);
  });

  it('comes back from half-open and from recovery with a probe due at once', () => {
    const options = { ...FRAGILE, gradualClose: true };
    const before = make(options);
    before.run(1, 'failure');
    before.clock.jump(1_000);
    before.breaker.enter();
    const half = restarted(before, options);
    expect(half.breaker.snapshot()).toMatchObject({ state: 'open', probeDue: true });
    half.run(1, 'success');
    expect(half.breaker.current).toBe('recovering');

    expect(restarted(half, options).breaker.snapshot()).toMatchObject({
      state: 'open',
      probeDue: true,
    });
  });

  it('is still isolated or disabled by hand, and released without the lost handles', () => {
    const before = make(FRAGILE);
    before.breaker.disable('load test');
    before.breaker.isolate('incident 7');
    before.breaker.isolate('incident 8');
    const { breaker } = restarted(before, FRAGILE);

    expect(breaker.current).toBe('isolated');
    expect(breaker.save()).toMatchObject({
      state: 'closed',
      isolated: ['incident 7', 'incident 8'],
      disabled: ['load test'],
    });
    breaker.release();
    breaker.release();
    expect(breaker.current).toBe('disabled');
    breaker.release();
    expect(breaker.current).toBe('closed');
  });

  it('a restore does not undo what hands have done meanwhile', () => {
    const open = make(FRAGILE);
    open.run(1, 'failure');
    const { breaker } = make(FRAGILE);
    const release = breaker.isolate();
    breaker.restore(open.breaker.save());

    expect(breaker.current).toBe('isolated');
    release();
    expect(breaker.current).toBe('closed');
  });

  it('a restore begins an era: what was on its way changes nothing', () => {
    const { breaker } = make(FRAGILE);
    const permit = breaker.enter();
    breaker.restore(breaker.save());
    breaker.settle(permit, 'failure');

    expect(breaker.current).toBe('closed');
    expect(breaker.counters.stale).toBe(1);
  });

  it('has no part in the evidence of what came before the restore', () => {
    const { breaker, run } = make({ failureThreshold: 3 });
    run(1, 'failure', 7);
    breaker.restore({ state: 'closed', at: 0, consecutiveFailures: 2 });
    run(1, 'failure', 8);

    expect(breaker.snapshot().lastTrip).toMatchObject({
      failures: 3,
      outcomes: [{ outcome: 'failure', duration: 8 }],
    });
  });

  it('does not open by itself: a run as long as the threshold is one short of it', () => {
    const { breaker, run } = make({ failureThreshold: 3 });
    breaker.restore({ state: 'closed', at: 0, consecutiveFailures: 99 });
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', consecutiveFailures: 2 });
    run(1, 'failure');

    expect(breaker.current).toBe('open');
  });
});

describe('#37 a persisted state is not trusted', () => {
  const at = new FakeClock().epoch();
  const TEN_YEARS = 315_360_000_000;

  it.each<[string, unknown]>([
    ['a moment in ten years', { state: 'open', probeAt: at + TEN_YEARS }],
    ['a moment that never comes', { state: 'open', probeAt: Number.POSITIVE_INFINITY }],
    ['a moment that is none', { state: 'open', probeAt: Number.NaN }],
    ['a moment in words', { state: 'open', probeAt: 'tomorrow' }],
    ['no moment', { state: 'open' }],
    ['a moment long ago', { state: 'open', probeAt: -TEN_YEARS }],
    ['the field of another library', { state: 'OPEN', openedAt: at + TEN_YEARS }],
    ['half-open without places', { state: 'half-open', permits: 0, probes: [] }],
    ['openings beyond counting', { state: 'open', openings: 1e300, probeAt: at + 5_000 }],
    ['openings below zero', { state: 'open', openings: -7, probeAt: at + 5_000 }],
    ['a state of the prototype', { state: '__proto__' }],
    ['a state that objects have', { state: 'constructor' }],
    ['a state that is an object', { state: { toString: () => 'open' } }],
    ['a prototype of its own', JSON.parse('{"__proto__":{"state":"open"},"calls":1}')],
    ['an inherited state', Object.create({ state: 'open', probeAt: at + TEN_YEARS })],
    ['no prototype', Object.assign(Object.create(null), { state: 'open', probeAt: at })],
    ['nothing', undefined],
    ['null', null],
    ['text', 'open'],
    ['a list', ['open']],
    [
      'a getter that throws',
      {
        get state() {
          throw new Error('gotcha');
        },
      },
    ],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          getOwnPropertyDescriptor() {
            throw new Error('gotcha');
          },
        },
      ),
    ],
  ])('%s: a probe within one open time, and then it closes', (_name, saved) => {
    const { breaker, clock, run } = restored(saved);
    clock.jump(60_000);

    expect(run(1, 'success')).toBe(1);
    expect(breaker.current).toBe('closed');
    expect(({} as { state?: unknown }).state).toBeUndefined();
  });

  it('what is no saved breaker at all is named once, whatever it is', () => {
    const hostile = new Proxy(
      {},
      {
        getOwnPropertyDescriptor() {
          throw new Error('gotcha');
        },
      },
    );
    for (const saved of [undefined, 5, 'open', ['open'], hostile])
      expect(restored(saved)).toMatchObject({ changes: ['not a saved breaker: closed'] });
    expect(restored(hostile).breaker.current).toBe('closed');
  });

  it.each(['closed', 'half-open', 'recovering'])('a state of %s is legal as it is', (state) => {
    const { changes, breaker } = restored({ state });

    expect(changes).toEqual([]);
    expect(breaker.current).toBe(state === 'closed' ? 'closed' : 'open');
  });

  it('says what it changed', () => {
    expect(restored({ state: 'open', probeAt: at + TEN_YEARS }).changes).toEqual([
      'its probe is further away than 60000 ms: due after them',
    ]);
    expect(restored({ state: 'open' }).changes).toEqual([
      'open without the time of its probe: due now',
    ]);
    expect(restored({ state: 'open', probeAt: Number.NaN }).changes).toEqual([
      'open without the time of its probe: due now',
    ]);
    expect(restored(Object.create({ state: 'open' })).changes).toEqual(['unknown state: closed']);
    expect(restored({ state: '__proto__' }).changes).toEqual(['unknown state: closed']);
    expect(restored(null).changes).toEqual(['not a saved breaker: closed']);
    expect(
      restored({ state: 'closed', calls: 2, failures: -1, slow: 3, isolated: 'me' }).changes,
    ).toEqual([
      'failures is not a whole number from 0 to 2: 0',
      'slow is not a whole number from 0 to 2: 0',
      'isolated is not a list of reasons: 0 kept',
    ]);
  });

  it.each([-1, Number.NaN, 0.5, 1e12, '7', {}])('counts of %p are none', (n) => {
    const { breaker, changes } = restored({
      state: 'closed',
      at,
      calls: n,
      failures: n,
      consecutiveFailures: n,
    });

    expect(breaker.snapshot()).toMatchObject({ calls: 0, failures: 0, consecutiveFailures: 0 });
    expect(changes).toHaveLength(3);
  });

  it('counts of a day that has not come are forgotten', () => {
    const counts = { state: 'closed', calls: 3, failures: 3 };

    expect(restored({ ...counts, at: at + 1 }).breaker.snapshot().calls).toBe(0);
    expect(restored({ ...counts, at }).breaker.snapshot().calls).toBe(3);
    expect(restored({ ...counts, at: String(at) }).breaker.snapshot().calls).toBe(0);
  });

  it('a moment that has passed is no negative wait', () => {
    expect(legalize({ state: 'open', probeAt: at - 5 }, at, 60_000)).toMatchObject({
      wait: 0,
      changes: [],
    });
  });

  it('takes at most a hundred hands, with reasons of at most 200 characters', () => {
    const isolated = Array.from({ length: 5_000 }, () => 'x'.repeat(5_000));
    const { breaker, changes } = restored({ state: 'closed', isolated: [7, ...isolated] });

    expect(changes).toEqual(['isolated is not a list of reasons: 99 kept']);
    expect(new Set(breaker.save().isolated)).toEqual(new Set(['x'.repeat(200)]));
  });

  it('of a wall clock that is NaN says nothing that matters', () => {
    const made = make(FRAGILE, new FakeClock(5, Number.NaN));
    made.breaker.restore({ state: 'open', at, probeAt: at });
    made.clock.jump(60_000);

    expect(made.run(1, 'success')).toBe(1);
    expect(made.breaker.openUntil(at)).toBe(false);
  });
});
