import fc from 'fast-check';
import { FailureRun } from '../../../../lib/policies/circuit-breaker/failure-run.js';
import {
  CountWindow,
  TimeWindow,
} from '../../../../lib/policies/circuit-breaker/failure-window.js';

describe('TimeWindow', () => {
  it('#35 counts an outcome for the whole window and forgets it within a bucket more', () => {
    const window = new TimeWindow(60_000, 60);
    window.record(true, false, 999);

    const failuresAt = (now: number): number => {
      window.forget(now);
      return window.failures;
    };

    expect([59_999, 60_000, 60_001, 60_999].map(failuresAt)).toEqual([1, 1, 1, 1]);
    expect(failuresAt(61_000)).toBe(0);
  });

  it('forgets in silence: what is hours old is gone at the next reading', () => {
    const window = new TimeWindow(5_000);
    for (let i = 0; i < 4; i += 1) window.record(true, false, i);

    window.record(true, false, 3_600_000);

    expect([window.calls, window.failures]).toEqual([1, 1]);
  });

  it('does not move when the clock stands still or steps back', () => {
    const window = new TimeWindow(5_000);
    window.record(true, false, 10_000);
    window.forget(1_000);

    expect(window.failures).toBe(1);
  });

  it('#35 does not drift over a million buckets', () => {
    const window = new TimeWindow(1_000);
    for (let i = 0; i < 1_000_000; i += 1) window.record(i % 3 === 0, i % 5 === 0, i * 100);

    expect([window.calls, window.failures, window.slow]).toEqual([11, 4, 2]);
  });

  it('#36 stays exact beyond 2³¹ calls and ticks', () => {
    const window = new TimeWindow(1_000);
    const now = 2 ** 40;
    window.seed({ calls: 2 ** 31 + 10, failures: 2 ** 31 + 5, slow: 2 ** 31 + 1 }, now);
    window.record(true, true, now + 100);
    expect([window.calls, window.failures, window.slow]).toEqual([
      2 ** 31 + 11,
      2 ** 31 + 6,
      2 ** 31 + 2,
    ]);
    window.forget(now + 1_100);

    expect([window.calls, window.failures, window.slow]).toEqual([1, 1, 1]);
  });

  it('equals a naive twin that keeps every outcome with its bucket', () => {
    const steps = fc.array(
      fc.tuple(fc.boolean(), fc.boolean(), fc.integer({ min: 0, max: 40_000 })),
      {
        maxLength: 200,
      },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), (history, buckets) => {
        const window = new TimeWindow(30_000, buckets);
        const width = 30_000 / buckets;
        const all: { failed: boolean; slow: boolean; tick: number }[] = [];
        let now = 123;
        for (const [failed, slow, gap] of history) {
          now += gap;
          window.record(failed, slow, now);
          const tick = Math.floor(now / width);
          all.push({ failed, slow, tick });
          const known = all.filter((o) => o.tick >= tick - buckets);
          expect([window.calls, window.failures, window.slow]).toEqual([
            known.length,
            known.filter((o) => o.failed).length,
            known.filter((o) => o.slow).length,
          ]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('CountWindow', () => {
  it('equals a naive twin that keeps the last n outcomes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 100 }),
        fc.integer({ min: 1, max: 20 }),
        (history, size) => {
          const window = new CountWindow(size);
          history.forEach(([failed, slow], i) => {
            window.record(failed, slow);
            const last = history.slice(Math.max(0, i + 1 - size), i + 1);
            expect([window.calls, window.failures, window.slow]).toEqual([
              last.length,
              last.filter(([f]) => f).length,
              last.filter(([, s]) => s).length,
            ]);
          });
        },
      ),
    );
  });

  it.each([
    [10, 4, 2, 10],
    [100, 40, 20, 10],
    [7, 7, 0, 7],
    [3, 1, 1, 3],
    [1_000, 1, 999, 10],
    [0, 0, 0, 0],
  ])('takes %d calls, %d failed and %d slow, at their share', (calls, failures, slow, kept) => {
    const window = new CountWindow(10);
    window.seed({ calls, failures, slow });

    expect(window).toMatchObject({
      calls: kept,
      failures: calls === 0 ? 0 : Math.round((failures * kept) / calls),
      slow: calls === 0 ? 0 : Math.round((slow * kept) / calls),
    });
  });

  it('spreads what it was seeded with', () => {
    const window = new CountWindow(10);
    window.seed({ calls: 10, failures: 5, slow: 0 });
    const left = Array.from({ length: 10 }, () => {
      window.record(false, false);
      return window.failures;
    });

    expect(left).toEqual([5, 4, 4, 3, 3, 2, 2, 1, 1, 0]);
  });

  it('is empty after clear', () => {
    const window = new CountWindow(3);
    [true, true, true, true].forEach((failed) => window.record(failed, failed));
    window.clear();
    window.record(false, false);

    expect([window.calls, window.failures, window.slow]).toEqual([1, 0, 0]);
  });
});

describe('FailureRun', () => {
  it('#36 stays exact beyond 2³¹ failures in a row', () => {
    const run = new FailureRun(5, 1_000);
    run.seed(2 ** 31 + 10, 0);
    const answers = [0, 500, 900, 1_100, 1_200, 1_300].map((now) => run.add(now));

    expect(run.length).toBe(2 ** 31 + 16);
    expect(answers).toEqual([true, true, true, false, false, true]);
  });
});
