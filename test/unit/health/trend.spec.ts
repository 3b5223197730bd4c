import fc from 'fast-check';
import { Trend } from '../../../lib/health/trend.js';
import { bandOf } from '../../../lib/health/weights.js';

const MINUTE = 60_000;
const EPOCH = Date.UTC(2030, 0, 1);

function trendOf(...scores: [minute: number, score: number][]): Trend {
  const trend = new Trend();
  for (const [minute, score] of scores) {
    const now = minute * MINUTE;
    trend.add({ at: EPOCH + now, score, status: bandOf(score) }, now);
  }
  return trend;
}

describe('the trend', () => {
  it('is steady before there is anything to compare', () => {
    expect(new Trend().read(0)).toEqual({ direction: 'steady', samples: [] });
    expect(trendOf([0, 50]).read(0)).toEqual({
      direction: 'steady',
      samples: [{ at: EPOCH, score: 50, status: 'warning' }],
    });
  });

  it.each([
    ['worsening', 100, 95],
    ['steady', 100, 96],
    ['improving', 60, 65],
    ['steady', 60, 64],
  ] as const)('is %s from %i to %i', (direction, before, after) => {
    const trend = trendOf([0, before], [4, before], [10, after]);
    expect(trend.read(10 * MINUTE).direction).toBe(direction);
  });

  it('is of the last five minutes and the fifteen before', () => {
    const fell = trendOf([0, 100], [10, 50], [20, 50], [26, 50]);
    expect(fell.read(14 * MINUTE).direction).toBe('worsening');
    expect(fell.read(26 * MINUTE).direction).toBe('steady');
    const silent = trendOf([0, 100], [30, 50]);
    expect(silent.read(30 * MINUTE).direction).toBe('steady');
  });

  it('has sharp edges', () => {
    expect(trendOf([5, 60], [6, 55]).read(10 * MINUTE).direction).toBe('worsening');
    expect(trendOf([10, 0], [11, 100], [26, 95]).read(30 * MINUTE).direction).toBe('worsening');
  });

  it('keeps of each minute the worst', () => {
    const trend = trendOf([0, 100], [0.3, 40], [0.6, 90], [1, 100]);
    expect(trend.read(MINUTE).samples).toEqual([
      { at: EPOCH + 0.3 * MINUTE, score: 40, status: 'warning' },
      { at: EPOCH + MINUTE, score: 100, status: 'healthy' },
    ]);
  });

  it('forgets after an hour, also when nothing comes any more', () => {
    const trend = trendOf([0, 10], [1, 20], [60, 30]);
    expect(trend.read(60 * MINUTE).samples.map(({ score }) => score)).toEqual([20, 30]);
    expect(trend.read(200 * MINUTE).samples).toEqual([]);
  });

  it('#170 is not moved by a step of the wall clock', () => {
    const trend = trendOf([0, 100], [4, 100]);
    trend.add({ at: EPOCH - 86_400_000, score: 50, status: 'warning' }, 10 * MINUTE);
    const { direction, samples } = trend.read(10 * MINUTE);
    expect([direction, samples.length]).toEqual(['worsening', 3]);
  });

  it('has at most sixty samples, the oldest first, however they come', () => {
    const steps = fc.array(fc.tuple(fc.nat(400_000), fc.nat(100)), { maxLength: 500 });
    fc.assert(
      fc.property(steps, (each) => {
        const trend = new Trend();
        let now = 0;
        for (const [step, score] of each) {
          now += step;
          trend.add({ at: now, score, status: bandOf(score) }, now);
        }
        const { samples } = trend.read(now);
        expect(samples.length).toBeLessThanOrEqual(60);
        const at = samples.map((sample) => sample.at);
        expect(at).toEqual(at.toSorted((a, b) => a - b));
        expect(at.every((t) => now - t < 61 * MINUTE)).toBe(true);
      }),
    );
  });
});
