import { Recurrence } from '../../../../lib/errors/patterns/recurrence.js';
import { seededRandom } from '../../../../lib/testing/seeded-random.js';

const TERMS = { minimumPeriod: 10_000, episodes: 7, variation: 0.2 };

/** The reading after each of the errors. */
function after(times: readonly number[], terms = TERMS): Recurrence {
  const recurrence = new Recurrence(terms);
  for (const time of times) recurrence.failed(time);
  return recurrence;
}

const every = (period: number, times: number, start = 1_000): number[] =>
  Array.from({ length: times }, (_, i) => start + i * period);

describe('errors at regular intervals', () => {
  it('are seen the seventh time, and not before', () => {
    expect(after(every(60_000, 6)).reading(301_000)).toBeUndefined();
    expect(after(every(60_000, 7)).reading(361_000)).toEqual({
      period: 60_000,
      variation: 0,
      since: 1_000,
      episodes: 7,
    });
  });

  it('may come in bursts: the beginnings count', () => {
    const bursts = every(60_000, 7).flatMap((at) => [at, at + 10, at + 900, at + 4_000]);

    expect(after(bursts).reading(370_000)).toMatchObject({ period: 60_000, episodes: 7 });
  });

  it('may come in long bursts whose errors are seconds apart', () => {
    const bursts = every(600_000, 8).flatMap((at) => every(4_000, 20, at));

    expect(after(bursts).reading(4_500_000)).toMatchObject({ period: 600_000, episodes: 8 });
  });

  it('begin anew after a quiet time five times longer than usual', () => {
    const burst = (at: number, pause: number): number[] => [
      ...every(4_000, 20, at),
      ...every(4_000, 20, at + 76_000 + pause),
    ];
    const period = (pause: number): number | undefined =>
      after(every(600_000, 8).flatMap((at) => burst(at, pause))).reading(4_400_000)?.period;

    expect(period(17_000)).toBe(600_000);
    expect(period(23_000)).toBeUndefined(); // two bursts each time
  });

  it('are quiet for half of the shortest interval at least', () => {
    const bursts = every(60_000, 7).flatMap((at) => [at, at + 5_000]);

    expect(after(bursts).reading(370_000)).toMatchObject({ period: 60_000, episodes: 7 });
    expect(after(bursts.map((at) => at * 1.001)).reading(370_000)).toBeUndefined();
  });

  it('may vary a little', () => {
    const jitter = [0, 5_000, -5_000, 5_000, 0, -5_000, 5_000];
    const times = every(60_000, 7, 10_000).map((at, i) => at + jitter[i]!);

    expect(after(times).reading(times.at(-1)!)?.variation).toBeGreaterThan(0.05);
  });

  it('vary too much at more than a fifth, and at twice that once they were seen', () => {
    const times = [0, 60, 120, 200, 220, 300, 360, 420].map((s) => s * 1_000);
    const recurrence = after(times);

    expect(recurrence.reading(420_000)).toBeUndefined();
    expect(recurrence.reading(420_000, 2)?.variation).toBeGreaterThan(0.2);
  });

  it('are over when they did not come two and a half times', () => {
    const recurrence = after(every(60_000, 7));

    expect(recurrence.reading(361_000 + 150_000)).toBeDefined();
    expect(recurrence.reading(361_000 + 150_001)).toBeUndefined();
  });

  it('follow a new interval after as many times', () => {
    const recurrence = after([...every(60_000, 7), ...every(20_000, 7, 500_000)]);

    expect(recurrence.reading(620_000)).toMatchObject({ period: 20_000, since: 500_000 });
  });

  it('are not looked at when they are close together', () => {
    expect(after(every(9_000, 20)).reading(180_000)).toBeUndefined();
    expect(after(every(1_000, 100)).reading(100_000)).toBeUndefined();
    expect(after(every(10_000, 7)).reading(61_000)).toMatchObject({ period: 10_000 });
  });
});

it('errors by chance are not taken for regular: less than once in 20,000', () => {
  let raised = 0;
  for (const mean of [3_000, 10_000, 30_000, 60_000, 300_000]) {
    const random = seededRandom(mean);
    const recurrence = new Recurrence(TERMS);
    let [now, holds] = [0, false];
    for (let i = 0; i < 20_000; i += 1) {
      now += -Math.log(1 - random()) * mean;
      recurrence.failed(now);
      const found = recurrence.reading(now, holds ? 2 : 1) !== undefined;
      if (found && !holds) raised += 1;
      holds = found;
    }
  }
  expect(raised).toBeLessThanOrEqual(5);
});
