import { type BackoffPlan, backoffOf } from '../../../../lib/policies/retry/backoff.js';
import { seededRandom } from '../../../../lib/testing/index.js';

const PLAN: BackoffPlan = {
  delay: 100,
  backoff: 'exponential',
  multiplier: 2,
  maxDelay: 10_000,
  jitter: 'none',
};

const reports: { option: string; error: unknown }[] = [];
const report = (option: string, error: unknown): void => void reports.push({ option, error });
beforeEach(() => reports.splice(0));

/** The first delays in a row, each told the one before. */
const first = (count: number, plan: Partial<BackoffPlan>, seed = 1): number[] => {
  const backoff = backoffOf({ ...PLAN, ...plan }, seededRandom(seed), report);
  let previous = 0;
  return Array.from({ length: count }, (_, i) => (previous = backoff(i + 1, undefined, previous)));
};

/** Many times the first delay: no two depend on each other. */
const samples = (count: number, plan: Partial<BackoffPlan>, previous = 0, seed = 7): number[] => {
  const backoff = backoffOf({ ...PLAN, ...plan }, seededRandom(seed), report);
  return Array.from({ length: count }, () => backoff(1, undefined, previous));
};

const mean = (numbers: number[]): number => numbers.reduce((a, b) => a + b) / numbers.length;
const within = (delays: number[], low: number, high: number): boolean =>
  delays.every((d) => Number.isInteger(d) && d >= low && d <= high);

it.each<[BackoffPlan['backoff'] & string, number[]]>([
  ['exponential', [100, 200, 400, 800, 1_000, 1_000, 1_000]],
  ['linear', [100, 200, 300, 400, 500, 600, 700]],
  ['constant', [100, 100, 100, 100, 100, 100, 100]],
  ['fibonacci', [100, 200, 300, 500, 800, 1_000, 1_000]],
])('%s grows as its name says, up to maxDelay', (backoff, delays) => {
  expect(first(7, { backoff, maxDelay: 1_000 })).toEqual(delays);
});

it('fibonacci is exact over the whole range of a timer', () => {
  const delays = first(45, { backoff: 'fibonacci', delay: 1, maxDelay: 2_147_483_647 });

  for (let i = 2; i < 44; i += 1) expect(delays[i]).toBe(delays[i - 1]! + delays[i - 2]!);
  expect(delays.at(-1)).toBe(1_836_311_903);
});

const JITTERS = ['none', 'full', 'equal', 'decorrelated', 0, 0.3, 1] as const;
const BACKOFFS = [
  'exponential',
  'linear',
  'constant',
  'fibonacci',
  (n: number) => Math.min(9 ** n, 1e300),
] as const;

it('#46 never overflows to "now": 2,000 attempts, each back-off with each jitter, a hundred seeds', () => {
  for (let seed = 0; seed < 100; seed += 1) {
    // five and seven: within 35 seeds every back-off meets every jitter
    const backoff = BACKOFFS[seed % 5]!;
    const jitter = JITTERS[seed % 7]!;
    const plan = { delay: 1_000, multiplier: 10, maxDelay: 30_000, backoff, jitter };
    const delays = first(2_000, plan, seed);
    expect(within(delays, 0, 30_000)).toBe(true);
    if (jitter === 'none' && backoff !== 'constant') {
      expect(within(delays.slice(30), 30_000, 30_000)).toBe(true);
    }
  }
});

it('#46 at the longest delay of a timer nothing is longer, and nothing wraps', () => {
  for (const jitter of JITTERS) {
    const plan = { delay: 2_147_483_647, maxDelay: 2_147_483_647, jitter };
    expect(within(first(2_000, plan), 0, 2_147_483_647)).toBe(true);
  }
});

it('#50 full jitter covers the whole range evenly, and the same seed repeats', () => {
  const plan = { delay: 1_000, jitter: 'full' } as const;
  const delays = samples(100_000, plan);

  expect([Math.min(...delays), Math.max(...delays)]).toEqual([0, 1_000]);
  expect(Math.abs(mean(delays) - 500)).toBeLessThan(5);
  expect(samples(100, plan)).toEqual(samples(100, plan));
  expect(samples(100, plan, 0, 7)).not.toEqual(samples(100, plan, 0, 8));
});

it.each<[string, BackoffPlan['jitter'], number, number]>([
  ['equal jitter keeps at least half', 'equal', 500, 1_000],
  ['a share of 0.3 is up to 30 % less or more', 0.3, 700, 1_300],
  ['a share of 1 is from nothing to twice as much', 1, 0, 2_000],
  ['a share of 0 is none', 0, 1_000, 1_000],
])('#50 %s, evenly', (_name, jitter, low, high) => {
  const delays = samples(20_000, { delay: 1_000, jitter });

  expect([Math.min(...delays), Math.max(...delays)]).toEqual([low, high]);
  expect(Math.abs(mean(delays) - (low + high) / 2)).toBeLessThan(10);
});

it('#50 half of an odd delay is no less than half', () => {
  const delays = samples(1_000, { delay: 5, jitter: 'equal' });

  expect([Math.min(...delays), Math.max(...delays)]).toEqual([3, 5]);
});

it('#50 jitter never lifts a delay above maxDelay, nor piles them up there', () => {
  const delays = samples(20_000, { delay: 1_000, maxDelay: 1_000, jitter: 0.5 });

  expect([Math.min(...delays), Math.max(...delays)]).toEqual([500, 1_000]);
  expect(Math.abs(mean(delays) - 750)).toBeLessThan(5);
});

it('decorrelated jitter lies between delay and three times the delay before, capped', () => {
  const plan = { delay: 100, jitter: 'decorrelated', maxDelay: 2_000 } as const;
  const range = (delays: number[]): number[] => [Math.min(...delays), Math.max(...delays)];

  expect(range(samples(20_000, plan))).toEqual([100, 300]);
  expect(range(samples(20_000, plan, 400))).toEqual([100, 1_200]);
  expect(range(samples(20_000, plan, 50))).toEqual([100, 300]);
  expect(range(samples(20_000, plan, 1_500))).toEqual([100, 2_000]);
  expect(range(samples(20_000, plan, 1e300))).toEqual([100, 2_000]);
  expect(Math.abs(mean(samples(20_000, plan, 1e300)) - 1_050)).toBeLessThan(20);
});

it('a delay of zero stays zero however it grows', () => {
  for (const backoff of ['exponential', 'linear', 'constant', 'fibonacci'] as const) {
    for (const jitter of JITTERS) {
      expect(within(first(2_000, { delay: 0, multiplier: 10, backoff, jitter }), 0, 0)).toBe(true);
    }
  }
});

it('delays are whole milliseconds whatever they are made of', () => {
  for (const jitter of JITTERS) {
    const plan = { delay: 0.7, multiplier: 1.37, maxDelay: 99.9, jitter };
    expect(within(first(200, plan), 0, 99)).toBe(true);
  }
});

describe('a back-off function', () => {
  it('is asked with the attempt and the error, and its answer is capped', () => {
    const asked: unknown[] = [];
    const backoff = backoffOf(
      { ...PLAN, maxDelay: 500, backoff: (...args) => (asked.push(args), args[0] * 300.5) },
      seededRandom(1),
      report,
    );
    const error = new Error('x');

    expect([backoff(1, error, 0), backoff(2, undefined, 300)]).toEqual([300, 500]);
    expect(asked).toEqual([
      [1, error],
      [2, undefined],
    ]);
    expect(reports).toEqual([]);
  });

  it.each([Number.NaN, -1, -0.001, Number.POSITIVE_INFINITY, '5', undefined, null, 5n, {}])(
    'that answers %p is reported, and `delay` stands in for it',
    (answer) => {
      const backoff = (): number => answer as number;

      expect(first(3, { delay: 100, backoff })).toEqual([100, 100, 100]);
      expect(reports).toHaveLength(3);
      expect(reports[0]).toEqual({ option: 'backoff', error: expect.any(TypeError) });
      const came = typeof answer === 'number' ? String(answer) : `a ${typeof answer}`;
      expect((reports[0]!.error as Error).message).toBe(
        `answered ${came}, expected milliseconds of at least 0`,
      );
    },
  );

  it('that throws is reported, and the capped `delay` stands in for it', () => {
    const boom = new Error('boom');
    const backoff = (): number => {
      throw boom;
    };

    expect(first(1, { delay: 100, maxDelay: 60, backoff })).toEqual([60]);
    expect(reports).toEqual([{ option: 'backoff', error: boom }]);
  });

  it('may answer 0', () => {
    expect(first(2, { backoff: () => 0 })).toEqual([0, 0]);
    expect(reports).toEqual([]);
  });
});
