import { CircuitBreaker } from '../../../../lib/policies/circuit-breaker/circuit-breaker.js';
import type { CircuitBreakerOptions } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { FakeClock } from '../../../../lib/testing/index.js';
import { FRAGILE, type Made, make } from './made-breaker.js';

/** The open times of so many trips in a row, each after a failed probe. */
function openTimes(made: Made, trips: number): number[] {
  return Array.from({ length: trips }, () => {
    made.run(1, 'failure');
    const time = made.breaker.retryAfter()!;
    made.clock.jump(time);
    return time;
  });
}

describe('the open time', () => {
  it('doubles with each re-opening up to 10 s, and starts anew after a close', () => {
    const made = make({ ...FRAGILE, openFor: 2_000 });
    expect(openTimes(made, 5)).toEqual([2_000, 4_000, 8_000, 10_000, 10_000]);

    made.run(1, 'success');

    expect(openTimes(made, 2)).toEqual([2_000, 4_000]);
  });

  it('an openFor above 10 s is its own limit, and a maxOpenFor is another', () => {
    expect(openTimes(make({ ...FRAGILE, openFor: 90_000 }), 3)).toEqual([90_000, 90_000, 90_000]);
    expect(openTimes(make({ ...FRAGILE, maxOpenFor: 1_500 }), 3)).toEqual([1_000, 1_500, 1_500]);
  });

  it('stays at its limit however often it re-opens', () => {
    const times = openTimes(make(FRAGILE), 2_000);

    expect(new Set(times.slice(6))).toEqual(new Set([10_000]));
  });

  it.each([
    [0, 900],
    [0.5, 1_000],
    [0.999_999, 1_100],
  ])('dice at %d make 1,000 ms with a jitter of a tenth %d ms', (dice, expected) => {
    const listener = { stateChanged: () => {}, probeLost: () => {}, predicateFailed: () => {} };
    const breaker = new CircuitBreaker(FRAGILE, new FakeClock(), () => dice, listener);
    breaker.recordFailure();

    expect(breaker.retryAfter()).toBe(expected);
  });
});

it('the longest open time is spread too, so that replicas do not probe in step', () => {
  const clock = new FakeClock();
  const listener = { stateChanged: () => {}, probeLost: () => {}, predicateFailed: () => {} };
  const options = { ...FRAGILE, maxOpenFor: 1_000 };
  const breaker = new CircuitBreaker(options, clock, () => 0, listener);
  breaker.recordFailure();
  clock.jump(1_000);
  breaker.recordFailure();

  expect(breaker.retryAfter()).toBe(900);
});

describe('an open time that is a function of the trip', () => {
  const asking = (openFor: unknown, more: CircuitBreakerOptions = {}): Made =>
    make({ ...FRAGILE, ...more, openFor: openFor as () => number });

  it('is asked at each trip, with its evidence and how often it opened', () => {
    const asked: unknown[] = [];
    const made = asking((trip: { openings: number }) => {
      asked.push(trip);
      return trip.openings * 100;
    });
    expect(openTimes(made, 3)).toEqual([100, 200, 300]);
    made.run(1, 'success');
    expect(openTimes(made, 1)).toEqual([100]);

    expect(asked).toMatchObject([
      { rule: 'failure-threshold', openings: 1, outcomes: [{ outcome: 'failure' }] },
      { rule: 'probes', openings: 2, failures: 1 },
      { rule: 'probes', openings: 3 },
      { rule: 'failure-threshold', openings: 1 },
    ]);
  });

  it('is taken as it is: neither doubled nor cut, but for a maxOpenFor that was given', () => {
    expect(
      openTimes(
        asking(() => 300_000),
        2,
      ),
    ).toEqual([300_000, 300_000]);
    expect(
      openTimes(
        asking(() => 300_000, { maxOpenFor: 70_000 }),
        1,
      ),
    ).toEqual([70_000]);
  });

  it.each([
    ['NaN', () => Number.NaN],
    ['0', () => 0],
    ['-5', () => -5],
    ['Infinity', () => Number.POSITIVE_INFINITY],
    ['2147483648', () => 2_147_483_648],
    ['soon', () => 'soon'],
    ['undefined', () => undefined],
  ])(
    'an answer of %s is reported once, and the default taken with its growth',
    (shown, openFor) => {
      const made = asking(openFor);

      expect(openTimes(made, 2)).toEqual([5_000, 10_000]);
      expect(made.moves.filter((m) => m.startsWith('openFor failed'))).toEqual(
        Array.from(
          { length: 2 },
          () =>
            `openFor failed: RangeError: openFor answered ${shown}, expected a number of milliseconds from 1 to 2147483647`,
        ),
      );
    },
  );

  it('#42 one that throws is reported, and the breaker opens all the same', () => {
    const made = asking(() => {
      throw new Error('no idea');
    });
    made.run(1, 'failure');

    expect(made.moves).toEqual(['openFor failed: Error: no idea', 'open: 1 failures in a row']);
    expect(made.breaker.retryAfter()).toBe(5_000);
  });

  it('#40 one that calls back in wins over the trip that asked it', () => {
    const made: Made = asking(() => {
      made.breaker.isolate('by the function');
      return 100;
    });
    made.run(1, 'failure');

    expect(made.moves).toEqual(['isolated: by the function']);
    expect(made.breaker.snapshot().lastTrip).toBeUndefined();
  });
});

describe('Retry-After of the failures', () => {
  const after = (retryAfters: (number | undefined)[], more: CircuitBreakerOptions = {}): number => {
    const { run, breaker, clock } = make({
      ...FRAGILE,
      failureThreshold: retryAfters.length,
      ...more,
    });
    for (const retryAfter of retryAfters) {
      clock.jump(100);
      run(1, 'failure', undefined, { retryAfter });
    }
    return breaker.retryAfter()!;
  };

  it('wins if it is longer, and not if it is shorter', () => {
    expect(after([30_000])).toBe(30_000);
    expect(after([999])).toBe(1_000);
  });

  it('is whole milliseconds, never early', () => {
    const { run, breaker } = make(FRAGILE);
    run(1, 'failure', undefined, { retryAfter: 1_500.2 });

    expect(breaker.snapshot().lastTrip).toMatchObject({ openFor: 1_501 });
  });

  it('wins over maxOpenFor, up to maxRetryAfter', () => {
    expect(after([120_000], { maxOpenFor: 2_000 })).toBe(120_000);
    expect(after([86_400_000])).toBe(600_000);
    expect(after([86_400_000], { maxRetryAfter: 7_000 })).toBe(7_000);
    expect(after([86_400_000], { maxRetryAfter: 0 })).toBe(1_000);
    expect(after([Number.POSITIVE_INFINITY])).toBe(600_000);
  });

  it('is the latest moment that any of the failures behind the trip named', () => {
    expect(after([30_000, undefined, 2_000])).toBe(29_800);
    expect(after([2_000, 30_000, undefined])).toBe(29_900);
  });

  it.each([Number.NaN, -5, 0])('of %d is none', (retryAfter) => {
    expect(after([retryAfter])).toBe(1_000);
  });

  it('of a failure that a success has outlived says nothing', () => {
    const { run, breaker } = make({ ...FRAGILE, failureThreshold: 2 });
    run(1, 'failure', undefined, { retryAfter: 60_000 });
    run(1, 'success');
    run(2, 'failure');

    expect(breaker.retryAfter()).toBe(1_000);
  });

  it('of a probe wins too', () => {
    const { run, breaker, clock } = make(FRAGILE);
    run(1, 'failure', undefined, { retryAfter: 30_000 });
    clock.jump(30_000);
    run(1, 'failure', undefined, { retryAfter: 45_000 });

    expect(breaker.retryAfter()).toBe(45_000);
  });

  it('#32 is kept by the monotonic clock', () => {
    const { run, breaker, clock } = make(FRAGILE);
    run(1, 'failure', undefined, { retryAfter: 30_000 });
    clock.stepWallClock(-3_600_000);

    expect(breaker.retryAfter()).toBe(30_000);
  });
});
