import { REFUSED } from '../../../../lib/kernel/permit.js';
import { CircuitBreaker } from '../../../../lib/policies/circuit-breaker/circuit-breaker.js';
import { FakeClock, seededRandom } from '../../../../lib/testing/index.js';
import { entered, make, probeDue } from './made-breaker.js';

describe('the rules that open a closed breaker', () => {
  const strings = Array.from({ length: 1_024 }, (_, n) =>
    Array.from({ length: 10 }, (_, bit) => ((n >> bit) & 1) === 1),
  );

  it.each([
    ['of calls', { calls: 10 }],
    ['of time', 30_000],
  ] as const)(
    '#20 opens exactly at the threshold, in all 1,024 strings of ten outcomes (window %s)',
    (_name, window) => {
      for (const outcomes of strings) {
        const { breaker, tell } = make({ failureRate: 0.5, minimumCalls: 10, window });
        outcomes.slice(0, 9).forEach(tell);
        expect(breaker.current).toBe('closed');

        tell(outcomes[9]!);

        const failures = outcomes.filter(Boolean).length;
        expect([outcomes, breaker.current]).toEqual([outcomes, failures >= 5 ? 'open' : 'closed']);
      }
    },
  );

  it('a share that only rounding keeps away is reached: 7 of 100 at 0.07', () => {
    const { breaker, tell } = make({
      failureRate: 0.07,
      minimumCalls: 100,
      window: { calls: 100 },
    });
    for (let i = 0; i < 93; i += 1) tell(false);
    for (let i = 0; i < 7; i += 1) tell(true);

    expect(breaker.current).toBe('open');
  });

  it('a bare failureThreshold counts failures in a row however far apart', () => {
    const { breaker, clock, tell } = make({ failureThreshold: 3 });
    for (let i = 0; i < 3; i += 1) {
      clock.jump(86_400_000);
      tell(true);
    }

    expect(breaker.current).toBe('open');
  });

  it('a failureThreshold with a window forgets by time', () => {
    const { breaker, clock, tell } = make({ failureThreshold: 3, window: 10_000 });
    tell(true);
    tell(true);
    clock.jump(10_001);
    tell(true);
    expect(breaker.current).toBe('closed');

    tell(true);
    tell(true);
    expect(breaker.current).toBe('open');
  });

  it('a bare failureRate has no rule for runs', () => {
    const { breaker, tell } = make({ failureRate: 0.5, minimumCalls: 20 });
    for (let i = 0; i < 19; i += 1) tell(true);
    expect(breaker.current).toBe('closed');

    tell(false);
    expect(breaker.current).toBe('open');
  });

  it('by default five in a row within the window open it below twenty calls', () => {
    const { breaker, clock, tell } = make({});
    for (let i = 0; i < 4; i += 1) tell(true);
    clock.jump(30_001);
    for (let i = 0; i < 4; i += 1) tell(true);
    expect(breaker.current).toBe('closed');

    tell(true);
    expect(breaker.current).toBe('open');
  });

  it.each([
    [7_000, 'open'],
    [8_000, 'closed'],
  ])('by default the five may come one each %d ms: then it is %s', (apart, state) => {
    const { breaker, clock, tell } = make({});
    for (let i = 0; i < 5; i += 1) {
      clock.jump(apart);
      tell(true);
    }

    expect(breaker.current).toBe(state);
  });

  it('by default a rate forgets after ten seconds', () => {
    const { breaker, clock, tell } = make({});
    for (let i = 0; i < 100; i += 1) tell(false);
    clock.jump(11_001);
    for (let i = 0; i < 20; i += 1) tell(i % 2 === 0);

    expect(breaker.current).toBe('open');
  });

  it('by default from twenty calls on only the rate of half of them opens it', () => {
    const { breaker, tell } = make({});
    for (let i = 0; i < 20; i += 1) tell(false);
    for (let i = 0; i < 19; i += 1) tell(true);
    expect(breaker.current).toBe('closed');

    tell(true);
    expect(breaker.current).toBe('open');
  });

  it('keeps the evidence of its last trip', () => {
    const { breaker, clock, tell } = make({ failureThreshold: 2 });
    tell(true);
    tell(true);

    expect(breaker.snapshot().lastTrip).toEqual({
      rule: 'failure-threshold',
      calls: 2,
      failures: 2,
      slow: 0,
      rate: 1,
      at: clock.epoch(),
      outcomes: [
        { outcome: 'failure', age: 0 },
        { outcome: 'failure', age: 0 },
      ],
      openings: 1,
      openFor: 5_000,
      probeAt: clock.epoch() + 5_000,
    });
  });
});

describe('time', () => {
  it('#31 failures at the same moment open it once', () => {
    const { breaker, moves } = make({ failureThreshold: 5 });
    const permits = Array.from({ length: 6 }, () => breaker.enter());
    permits.forEach((permit) => breaker.settle(permit, 'failure'));

    expect(moves).toEqual(['open: 5 failures in a row']);
    expect(breaker.counters.stale).toBe(1);
  });

  it('#33 after eight hours of sleep one call is a probe and the windows are empty', () => {
    const { breaker, clock, tell } = make({
      failureRate: 0.5,
      minimumCalls: 2,
      halfOpenCalls: 1,
      successThreshold: 1,
    });
    tell(true);
    tell(true);
    clock.jump(8 * 3_600_000);

    expect(breaker.snapshot()).toMatchObject({ state: 'open', probeDue: true, calls: 0 });
    expect(breaker.enter()).not.toBe(REFUSED);
    expect(breaker.enter()).toBe(REFUSED);
  });

  it('#34 needs no timer, and reading never moves the state', () => {
    const { breaker, clock, tell } = make({ failureThreshold: 1, openFor: 1_000 });
    tell(true);
    expect(clock.pending).toBe(0);
    clock.jump(1_000);

    for (let i = 0; i < 3; i += 1) {
      expect(breaker.snapshot()).toMatchObject({ state: 'open', probeDue: true, retryAfter: 0 });
    }
  });

  it('the closing probe is not part of the new window', () => {
    const { breaker, clock, tell } = make({
      failureRate: 1,
      minimumCalls: 1,
      openFor: 10,
      halfOpenCalls: 1,
      successThreshold: 1,
    });
    tell(true);
    clock.jump(10);
    tell(false);

    expect(breaker.snapshot()).toMatchObject({ state: 'closed', calls: 0, failures: 0 });
  });

  it('jitter spreads the open time within its share, and never beyond maxOpenFor', () => {
    const times = Array.from({ length: 200 }, (_, seed) => {
      const clock = new FakeClock();
      const listener = { stateChanged: () => {}, probeLost: () => {}, predicateFailed: () => {} };
      const options = { failureThreshold: 1, openFor: 1_000, openJitter: 0.1, maxOpenFor: 1_050 };
      const breaker = new CircuitBreaker(options, clock, seededRandom(seed), listener);
      breaker.settle(breaker.enter(), 'failure');
      return breaker.retryAfter()!;
    });

    expect(Math.min(...times)).toBeGreaterThanOrEqual(900);
    expect(Math.max(...times)).toBe(1_050);
    expect(new Set(times).size).toBeGreaterThan(50);
  });
});

describe('probes that wait in a queue', () => {
  const options = {
    failureThreshold: 1,
    openFor: 10,
    halfOpenLease: 100,
    halfOpenCalls: 1,
    successThreshold: 1,
  };

  it('have their lease from the start of the method', () => {
    const { breaker, clock, tell } = make(options);
    tell(true);
    clock.jump(10);
    const probe = breaker.enter();
    clock.jump(90);

    breaker.started(probe);
    clock.jump(99);

    expect(breaker.enter()).toBe(REFUSED);
    breaker.settle(probe, 'success');
    expect(breaker.current).toBe('closed');
  });

  it('lose their place if the queue does not move, and take a free one again when they start', () => {
    const { breaker, clock, tell } = make(options);
    tell(true);
    clock.jump(10);
    const slow = breaker.enter();
    clock.jump(100);
    const other = breaker.enter();
    expect(other).not.toBe(REFUSED);
    breaker.settle(other, 'cancelled');

    breaker.started(slow);
    breaker.settle(slow, 'success');

    expect(breaker.current).toBe('closed');
  });

  it('stay out where no place is free', () => {
    const { breaker, clock, tell } = make(options);
    tell(true);
    clock.jump(10);
    const slow = breaker.enter();
    clock.jump(100);
    const other = breaker.enter();

    breaker.started(slow);
    breaker.settle(slow, 'failure');

    expect(breaker.current).toBe('half-open');
    breaker.settle(other, 'success');
    expect(breaker.current).toBe('closed');
  });
});

describe('release', () => {
  it('releases an isolation whose handle is lost; each isolation needs one of its own', () => {
    const { breaker, moves } = make({});
    breaker.isolate();
    breaker.isolate();

    breaker.release();
    expect(breaker.enter()).toBe(REFUSED);
    breaker.release('operator');

    expect(breaker.enter()).not.toBe(REFUSED);
    expect(moves).toEqual(['isolated: isolated by hand', 'closed: operator']);
  });

  it('takes the last isolation that is held, whose own handle then releases nothing more', () => {
    const { breaker } = make({});
    const [first, second] = [breaker.isolate(), breaker.isolate()];

    breaker.release();
    second();
    expect(breaker.current).toBe('isolated');
    first();
    expect(breaker.current).toBe('closed');

    breaker.isolate();
    first();
    second();
    expect(breaker.current).toBe('isolated');
  });

  it('does nothing to a breaker that nobody isolated: it is no reset', () => {
    const { breaker, tell } = make({ failureThreshold: 1 });
    tell(true);

    breaker.release();

    expect(breaker.current).toBe('open');
  });

  it('is what reset is not: reset leaves an isolated breaker isolated', () => {
    const { breaker } = make({});
    breaker.isolate();

    breaker.reset();
    expect(breaker.current).toBe('isolated');
    breaker.release();
    expect(breaker.current).toBe('closed');
  });
});
describe('places of a half-open period', () => {
  it('there is one more for a probe that calls the breaker again, and for no other', () => {
    const { breaker } = probeDue();
    const early = entered(make({}).breaker);
    const probe = entered(breaker);
    breaker.makeRoom(early);
    expect([breaker.canExecute(), breaker.enter()]).toEqual([false, REFUSED]);

    breaker.makeRoom(probe);

    expect(breaker.canExecute()).toBe(true);
    entered(breaker);
    expect(breaker.enter()).toBe(REFUSED);
  });

  it('there are as many as must succeed, if that is more than three', () => {
    const { breaker, clock, run } = make({ failureThreshold: 1, openFor: 10, successThreshold: 5 });
    run(1, 'failure');
    clock.jump(10);

    expect(run(5, 'success')).toBe(5);
    expect(breaker.current).toBe('closed');
  });

  it('a call from before the trip that starts late takes none', () => {
    const { breaker, run, clock } = make({ failureThreshold: 1, openFor: 10, halfOpenCalls: 2 });
    const queued = entered(breaker);
    run(1, 'failure');
    clock.jump(10);
    entered(breaker);
    breaker.started(queued);

    expect(breaker.isProbe(queued)).toBe(false);
    entered(breaker);
  });

  it('methods that share a breaker share the longest of their leases', () => {
    const { breaker, clock } = probeDue({ halfOpenLease: 200 });
    breaker.widenLease(300);
    breaker.widenLease(100);
    entered(breaker);

    expect(breaker.retryAfter()).toBe(300);
    clock.jump(300);
    expect(breaker.retryAfter()).toBe(0);
  });
});

it('refusals say when to come back, where time will tell', () => {
  const { breaker } = make({});
  expect(breaker.retryAfter()).toBeUndefined();
  breaker.isolate();

  expect(breaker.retryAfter()).toBeUndefined();
});

it('#40 a listener that acts on what it hears is obeyed last, and breaks no step', () => {
  const clock = new FakeClock();
  const heard: string[] = [];
  const breaker: CircuitBreaker = new CircuitBreaker(
    { failureThreshold: 1, openFor: 10, openJitter: 0, successThreshold: 1, halfOpenCalls: 1 },
    clock,
    seededRandom(1),
    {
      stateChanged: (from, to) => {
        heard.push(`${from} > ${to}`);
        if (to === 'half-open') breaker.reset();
        if (to === 'closed' && heard.length < 4) breaker.isolate()();
      },
      probeLost: () => {},
      predicateFailed: () => {},
    },
  );
  breaker.settle(breaker.enter(), 'failure');
  clock.jump(10);
  const probe = entered(breaker);

  expect(heard).toEqual([
    'closed > open',
    'open > half-open',
    'half-open > closed',
    'closed > isolated',
    'isolated > closed',
  ]);
  breaker.settle(probe, 'failure');
  expect(breaker.current).toBe('closed');
  expect(breaker.counters.stale).toBe(1);
});
