import { hours } from '../../../../lib/kernel/duration.js';
import { RateLimit } from '../../../../lib/policies/rate-limit/rate-limit.js';
import { seededRandom } from '../../../../lib/testing/index.js';

const START = 1_000_000;
const DAY = hours(24);

/** How many of `calls` calls at one moment start. */
function storm(limit: RateLimit, now: number, calls = 1_000): number {
  let started = 0;
  for (let i = 0; i < calls; i += 1) if (limit.enter(now) === 0) started += 1;
  return started;
}

describe('the rate', () => {
  it('after a reset has its whole burst again, and who waits goes first', () => {
    const limit = new RateLimit({ limit: 10, per: 1_000, burst: 3, maxWait: 10_000 });
    expect(storm(limit, START, 3)).toBe(3);
    expect(limit.enter(START)).toBeGreaterThan(0);
    const granted: string[] = [];
    limit.join(() => granted.push('waiter'));
    limit.reset(START + 1);

    expect(granted).toEqual(['waiter']);
    expect(storm(limit, START + 1)).toBe(2);
  });

  it('lets a burst through at once, then one call each per / limit', () => {
    const limit = new RateLimit({ limit: 10, per: 1_000, burst: 3 });

    expect(storm(limit, START)).toBe(3);
    expect(storm(limit, START + 99)).toBe(0);
    expect(storm(limit, START + 100)).toBe(1);
    expect(storm(limit, START + 350)).toBe(2);
    expect(storm(limit, START + 399)).toBe(0);
    expect(storm(limit, START + 400)).toBe(1);
  });

  it('by default the burst is the limit, the time a second, and nobody waits', () => {
    const limit = new RateLimit({ limit: 5 });

    expect(storm(limit, START)).toBe(5);
    expect(limit.snapshot(START)).toEqual({
      available: 0,
      waiting: 0,
      limit: 5,
      per: 1_000,
      burst: 5,
      maxWait: 0,
      admitted: 5,
      waited: 0,
      refused: 995,
      version: 1,
    });
  });

  it('a refused call is not charged: who hammers does not lock himself out', () => {
    const limit = new RateLimit({ limit: 1, per: 1_000 });
    limit.enter(START);
    for (let ms = 0; ms < 1_000; ms += 1) expect(limit.enter(START + ms)).toBe(ms - 1_000);

    expect(limit.enter(START + 1_000)).toBe(0);
  });

  it('says in whole milliseconds when to come back: then it starts, and not one before', () => {
    const random = seededRandom(7);
    for (let i = 0; i < 1_000; i += 1) {
      const now = START * random();
      const limit = new RateLimit({
        limit: Math.ceil(random() * 1_000),
        per: Math.ceil(random() * 100_000),
        burst: Math.ceil(random() * 20),
      });
      storm(limit, now, 30);
      const back = -limit.enter(now);

      if (back === 0) continue;
      expect(back).toBe(Math.ceil(back));
      if (back > 1) expect(limit.enter(now + back - 1)).toBeLessThan(0);
      expect(limit.enter(now + back)).toBe(0);
    }
  });

  it('comes back in time also where the reckoning of fractions would be a hair early', () => {
    // 0.1 + 4 − 0.1 is less than 4 for the machine
    const now = 0.1;
    const limit = new RateLimit({ limit: 1, per: 4 });
    limit.enter(now);

    const back = -limit.enter(now);

    expect(limit.enter(now + back)).toBe(0);
  });

  it('#33 after eight hours of sleep there is one burst, not the calls of a night', () => {
    const limit = new RateLimit({ limit: 100, per: 1_000, burst: 20 });
    storm(limit, START);

    expect(storm(limit, START + hours(8), 10_000)).toBe(20);
    expect(limit.snapshot(START + hours(8) + 5_000).available).toBe(20);
  });

  it('one a day is one a day, to the millisecond', () => {
    const limit = new RateLimit({ limit: 1, per: DAY });

    expect(limit.enter(START)).toBe(0);
    expect(limit.enter(START)).toBe(-DAY);
    expect(limit.enter(START + DAY - 1)).toBe(-1);
    expect(limit.enter(START + DAY)).toBe(0);
    expect(limit.enter(START + DAY)).toBe(-DAY);
  });

  it('a million a second is a million a second', () => {
    const limit = new RateLimit({ limit: 1_000_000, per: 1_000, burst: 1 });

    let started = 0;
    for (let ms = 0; ms <= 1_000; ms += 1) started += storm(limit, START + ms, 1_001);

    // whoever asks each millisecond gets one; who asks in time gets all
    expect(started).toBe(1_001);
    const wide = new RateLimit({ limit: 1_000_000, per: 1_000, burst: 1_000 });
    started = 0;
    for (let ms = 0; ms < 1_000; ms += 1) started += storm(wide, START + ms, 1_001);
    expect(started).toBe(1_000_000);
  });

  it('does not drift in ten million calls whose distance no machine number holds', () => {
    // a third of a millisecond, from a moment that is no round number either
    const limit = new RateLimit({ limit: 3_000, per: 1_000, burst: 6 });
    const start = 123_456.789;
    const milliseconds = 3_333_334;

    let started = 0;
    for (let ms = 0; ms <= milliseconds; ms += 1) {
      for (let call = 0; call < 4; call += 1) if (limit.enter(start + ms) === 0) started += 1;
    }

    // a reading that falls a hair before its millisecond keeps the last call back
    const due = 6 + 3 * milliseconds;
    expect(started).toBeLessThanOrEqual(due);
    expect(started).toBeGreaterThanOrEqual(due - 1);
  });
});

describe('waiting', () => {
  it('who need not wait longer than maxWait may wait, and is served in order', () => {
    const limit = new RateLimit({ limit: 10, per: 1_000, burst: 1, maxWait: 250 });
    const served: string[] = [];
    limit.enter(START);

    expect(limit.enter(START)).toBe(100);
    limit.join(() => served.push('first'));
    expect(limit.enter(START)).toBe(200);
    limit.join(() => served.push('second'));
    expect(limit.enter(START)).toBe(-300);

    expect(limit.nextTurn(START)).toBe(100);
    limit.serve(START + 99);
    expect(served).toEqual([]);
    limit.serve(START + 100);
    expect(served).toEqual(['first']);
    expect(limit.nextTurn(START + 100)).toBe(100);
    limit.serve(START + 200);
    expect(served).toEqual(['first', 'second']);
    expect(limit.nextTurn(START + 200)).toBeUndefined();
    expect(limit.snapshot(START + 200)).toMatchObject({ admitted: 3, waited: 2, refused: 1 });
  });

  it('exactly maxWait is not too long', () => {
    const limit = new RateLimit({ limit: 10, per: 1_000, burst: 1, maxWait: 100 });
    limit.enter(START);

    expect(limit.enter(START)).toBe(100);
    const shorter = new RateLimit({ limit: 10, per: 1_000, burst: 1, maxWait: 99.9 });
    shorter.enter(START);
    expect(shorter.enter(START)).toBe(-100);
  });

  it('nobody overtakes who waits, even if its timer is late', () => {
    const limit = new RateLimit({ limit: 10, per: 1_000, burst: 2, maxWait: 1_000 });
    const served: string[] = [];
    storm(limit, START, 2);
    limit.enter(START);
    limit.join(() => served.push('first'));

    expect(limit.snapshot(START + 5_000).available).toBe(0);
    expect(limit.enter(START + 5_000)).toBe(1);
    limit.join(() => served.push('second'));
    limit.serve(START + 5_000);

    expect(served).toEqual(['first', 'second']);
  });

  it('a blocked event loop lets no more than a burst go at once', () => {
    const limit = new RateLimit({ limit: 10, per: 1_000, burst: 1, maxWait: 10_000 });
    const served: number[] = [];
    limit.enter(START);
    for (let i = 0; i < 50; i += 1) {
      expect(limit.enter(START)).toBe(100 * (i + 1));
      limit.join(() => served.push(i));
    }

    limit.serve(START + 3_000);

    expect(served).toEqual([0]);
    expect(limit.nextTurn(START + 3_000)).toBe(100);
  });

  it('#73 waiters who leave take nothing along: the rate stays full for those behind', () => {
    const limit = new RateLimit({ limit: 10, per: 1_000, burst: 1, maxWait: 10_000 });
    limit.enter(START);
    const waiters = Array.from({ length: 100 }, () => {
      limit.enter(START);
      return limit.join(() => {});
    });
    expect(limit.enter(START)).toBe(-10_100);

    for (const waiter of waiters) limit.leave(waiter);
    for (const waiter of waiters) limit.leave(waiter);

    expect(limit.snapshot(START).waiting).toBe(0);
    expect(limit.nextTurn(START)).toBeUndefined();
    expect(limit.enter(START)).toBe(100);
  });

  it('leaving after the turn came does nothing', () => {
    const limit = new RateLimit({ limit: 1, per: 100, maxWait: 1_000 });
    limit.enter(START);
    limit.enter(START);
    const waiter = limit.join(() => {});
    limit.join(() => {});
    limit.serve(START + 100);

    limit.leave(waiter);

    expect(limit.snapshot(START + 100)).toMatchObject({ waiting: 1, waited: 1 });
  });

  it('a grant may ask again: it stands behind those who wait', () => {
    const limit = new RateLimit({ limit: 1, per: 100, burst: 2, maxWait: 1_000 });
    const served: string[] = [];
    storm(limit, START, 2);
    limit.enter(START);
    limit.join(() => {
      expect(limit.enter(START + 200)).toBeGreaterThan(0);
      limit.join(() => served.push('again'));
    });
    limit.enter(START);
    limit.join(() => served.push('second'));

    limit.serve(START + 200);
    expect(served).toEqual(['second']);
    limit.serve(START + 300);
    expect(served).toEqual(['second', 'again']);
  });
});

describe('reconfigure', () => {
  it('calls that were made stay made: a higher limit adds only what it is higher by', () => {
    const limit = new RateLimit({ limit: 10, per: 1_000 });
    storm(limit, START);
    expect(limit.version).toBe(1);

    limit.reconfigure({ limit: 100, per: 1_000 }, START);

    expect(limit.version).toBe(2);
    expect(limit.snapshot(START)).toMatchObject({ available: 90, limit: 100, version: 2 });
    expect(storm(limit, START)).toBe(90);
  });

  it('a lower burst forgives what is above it: the next call starts within per / limit', () => {
    const limit = new RateLimit({ limit: 100, per: 1_000 });
    storm(limit, START);

    limit.reconfigure({ limit: 10, per: 1_000, burst: 2 }, START);

    expect(limit.enter(START)).toBe(-100);
    expect(storm(limit, START + 200)).toBe(2);
  });

  it('what is paid of a call stays paid: reading the same options again and again starves nobody', () => {
    const limit = new RateLimit({ limit: 1, per: 1_000 });
    limit.enter(START);
    for (let ms = 100; ms < 1_000; ms += 100) limit.reconfigure({ limit: 1 }, START + ms);

    expect(limit.enter(START + 998)).toBeLessThan(0);
    expect(limit.enter(START + 1_001)).toBe(0);
  });

  it('a rested one has its new burst at once', () => {
    const limit = new RateLimit({ limit: 10 });
    storm(limit, START);

    limit.reconfigure({ limit: 20 }, START + hours(1));

    expect(storm(limit, START + hours(1))).toBe(20);
    const fresh = new RateLimit({ limit: 10 });
    fresh.reconfigure({ limit: 20 }, START);
    expect(storm(fresh, START)).toBe(20);
  });

  it('grants at once whose turn came by the change, and never refuses who waits', () => {
    const limit = new RateLimit({ limit: 1, per: 1_000, burst: 1, maxWait: 5_000 });
    let served = 0;
    limit.enter(START);
    for (let i = 0; i < 5; i += 1) {
      limit.enter(START);
      limit.join(() => (served += 1));
    }

    limit.reconfigure({ limit: 1, per: 1_000, burst: 3 }, START);

    expect(served).toBe(2);
    expect(limit.snapshot(START)).toMatchObject({ waiting: 3, maxWait: 0 });
    limit.serve(START + 1_000);
    expect(served).toBe(3);
  });
});

it('may be forgotten when it has its whole burst back and nobody waits', () => {
  const limit = new RateLimit({ limit: 2, per: 1_000, maxWait: 1_000 });
  expect(limit.isIdle(START)).toBe(true);

  storm(limit, START, 2);
  expect(limit.isIdle(START + 999)).toBe(false);
  expect(limit.isIdle(START + 1_000)).toBe(true);
  const waiter = limit.join(() => {});
  expect(limit.isIdle(START + 1_000)).toBe(false);
  limit.leave(waiter);
  expect(limit.isIdle(START + 1_000)).toBe(true);
});

it('what is available is what would start', () => {
  const limit = new RateLimit({ limit: 10, per: 1_000, burst: 4 });
  expect(limit.snapshot(START).available).toBe(4);
  storm(limit, START, 3);

  expect(limit.snapshot(START).available).toBe(1);
  expect(limit.snapshot(START + 99).available).toBe(1);
  expect(limit.snapshot(START + 100).available).toBe(2);
  storm(limit, START + 100);
  expect(limit.snapshot(START + 100).available).toBe(0);
});

it('works with a clock that has its origin anywhere', () => {
  const limit = new RateLimit({ limit: 1, per: 100 });

  expect(limit.snapshot(-5_000).available).toBe(1);
  expect(limit.enter(-5_000)).toBe(0);
  expect(limit.enter(-5_000)).toBe(-100);
  expect(limit.enter(-4_900)).toBe(0);
});

it('a wait of just `maxWait` is allowed at any reading of the clock, also where machine numbers round', () => {
  for (const start of Array.from({ length: 2_000 }, (_, i) => 1_000 + i * 7.123_457)) {
    const limit = new RateLimit({ limit: 1, per: 60_000, maxWait: 60_000 });
    expect(limit.enter(start)).toBe(0);

    const wait = limit.enter(start);

    expect([start, wait >= 60_000 && wait <= 60_001]).toEqual([start, true]);
    limit.join(() => {});
    expect(limit.enter(start)).toBeLessThan(0);
  }
});
