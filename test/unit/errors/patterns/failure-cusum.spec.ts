import { FailureCusum } from '../../../../lib/errors/patterns/failure-cusum.js';
import { ERROR_PATTERNS_DEFAULTS } from '../../../../lib/errors/patterns/patterns.options.js';
import { seededRandom } from '../../../../lib/testing/seeded-random.js';
import { second, type Traffic } from '../../../support/failure-traffic.js';

const TERMS = ERROR_PATTERNS_DEFAULTS.spike;

interface Detector {
  readonly alarmed: boolean;
  observe(calls: number, failures: number, now: number): boolean;
}

const KNOWN: Record<string, Traffic> = {
  steady: { rps: 100, share: 0.01 },
  quiet: { rps: 2, share: 0.01 },
  noisy: { rps: 20, share: 0.08 },
};

/** Alarms in runs that each begin cold. */
function alarms(traffic: Traffic, runs: number, seconds: number, make: () => Detector): number {
  let raised = 0;
  for (let run = 0; run < runs; run += 1) {
    const random = seededRandom(run * 7_919 + 13);
    const detector = make();
    for (let t = 0; t < seconds; t += 1) {
      const { calls, failures } = second(traffic, random);
      if (detector.observe(calls, failures, t * 1_000) && detector.alarmed) raised += 1;
    }
  }
  return raised;
}

/** Median seconds to an alarm after 30 minutes as usual; 300 if there is none by then. */
function toDetect(traffic: Traffic, jump: number): number {
  const times = Array.from({ length: 15 }, (_, run) => {
    const random = seededRandom(run * 104_729 + 7);
    const detector = new FailureCusum(TERMS);
    let t = 0;
    const step = (share: number): void => {
      const { calls, failures } = second({ ...traffic, share }, random);
      detector.observe(calls, failures, t * 1_000);
      t += 1;
    };
    while (t < 1_800) step(traffic.share);
    while (t < 2_100 && !detector.alarmed) step(traffic.share + jump);
    return t - 1_800;
  });
  return times.toSorted((a, b) => a - b)[7]!;
}

describe('on seeded traffic', () => {
  it.each(Object.keys(KNOWN))('%s traffic gives less than a false alarm in five hours', (name) => {
    expect(alarms(KNOWN[name]!, 10, 3_600, () => new FailureCusum(TERMS))).toBeLessThanOrEqual(2);
  });

  it('a cold start gives none, however few calls there were', () => {
    const cold = (make: () => Detector): number => alarms(KNOWN['noisy']!, 400, 60, make);

    expect(cold(() => new FailureCusum(TERMS))).toBeLessThanOrEqual(2);
    // that this can fail: the same without warm-up and prior raises it again and again
    expect(cold(() => new Unwarmed())).toBeGreaterThan(15);
  });

  it.each([
    ['steady', 0.05, 4],
    ['steady', 0.15, 2],
    ['steady', 0.5, 1],
    ['quiet', 0.05, 120],
    ['quiet', 0.15, 35],
    ['quiet', 0.5, 9],
    ['noisy', 0.05, 50],
    ['noisy', 0.15, 10],
    ['noisy', 0.5, 3],
  ])('%s traffic: a jump of %p is found in at most %p s', (name, jump, seconds) => {
    expect(toDetect(KNOWN[name]!, jump)).toBeLessThanOrEqual(seconds);
  });
});

/** What the first version of many such detectors is: usual is what was seen so far, from the first call on. */
class Unwarmed implements Detector {
  alarmed = false;
  private calls = 0;
  private failures = 0;
  private sum = 0;

  observe(calls: number, failures: number): boolean {
    if (this.alarmed) return false;
    if (this.calls > 0) {
      const usual = Math.max(this.failures / this.calls, 0.001);
      const risen = Math.max(2 * usual, usual + 0.05);
      const gain =
        failures * Math.log(risen / usual) +
        (calls - failures) * Math.log((1 - risen) / (1 - usual));
      this.sum = Math.max(0, this.sum + gain);
      this.alarmed = this.sum >= 10;
    }
    this.calls += calls;
    this.failures += failures;
    return this.alarmed;
  }
}

/** Exactly so many calls a second, of which exactly so many fail. */
class Steady {
  readonly cusum = new FailureCusum(TERMS);
  now = 0;

  constructor(
    private readonly calls: number,
    seconds: number,
    failures: number,
  ) {
    this.pass(seconds, failures);
  }

  /** Answers the seconds after which the alarm was raised or ended. */
  pass(seconds: number, failures: number): number[] {
    const changes: number[] = [];
    for (let i = 1; i <= seconds; i += 1) {
      this.now += 1_000;
      if (this.cusum.observe(this.calls, failures, this.now)) changes.push(i);
    }
    return changes;
  }
}

describe('an alarm', () => {
  it('is not raised before the warm-up is over, whatever comes', () => {
    const cusum = new FailureCusum(TERMS);
    for (let i = 0; i < 199; i += 1) cusum.observe(1, i > 100 ? 1 : 0, i * 1_000);

    expect(cusum.alarmed).toBe(false);
  });

  it('is raised by what comes after the warm-up', () => {
    const cusum = new FailureCusum(TERMS);
    cusum.observe(200, 0, 1_000);

    expect(cusum.observe(10, 10, 2_000)).toBe(true);
    expect(cusum.alarmed).toBe(true);
  });

  it('tells since when, and what it saw', () => {
    const traffic = new Steady(100, 300, 1);
    const [raised] = traffic.pass(10, 5);

    expect(raised).toBe(3);
    expect(traffic.cusum.reading()).toEqual({
      usual: expect.closeTo(0.01, 3),
      rate: 0.05,
      calls: expect.any(Number),
      failures: expect.any(Number),
      since: 300_000,
    });
  });

  it('ends when things are as they were, and can be raised again', () => {
    const traffic = new Steady(100, 300, 1);
    traffic.pass(60, 20);
    expect(traffic.cusum.alarmed).toBe(true);

    expect(traffic.pass(60, 1)).toEqual([expect.any(Number)]);
    expect(traffic.cusum.alarmed).toBe(false);
    expect(traffic.pass(10, 20)).toEqual([1]);
  });

  it('does not end while it is half as bad', () => {
    const traffic = new Steady(100, 300, 1);
    traffic.pass(10, 40);

    expect(traffic.pass(600, 8)).toEqual([]);
  });

  it('freezes what is usual: a bad quarter of an hour teaches nothing', () => {
    const traffic = new Steady(100, 300, 1);
    traffic.pass(800, 30);
    const { usual } = traffic.cusum.reading();
    traffic.pass(30, 1);

    expect(usual).toBeCloseTo(0.01, 2);
    expect(traffic.cusum.reading().usual).toBeCloseTo(0.01, 2);
  });

  it('ends after a quarter of an hour, when what it found is what is usual', () => {
    const traffic = new Steady(100, 300, 1);
    const [raised] = traffic.pass(5, 30);
    expect(traffic.pass(1_000, 30)).toEqual([900 + raised! - 5]);

    expect(traffic.cusum.reading().usual).toBeCloseTo(0.3, 2);
    expect(traffic.pass(600, 30)).toEqual([]);
    expect(traffic.pass(10, 60)).toEqual([expect.any(Number)]);
  });

  it('is not raised by a single failure of few calls, nor by two where nothing ever failed', () => {
    const traffic = new Steady(1, 3_600, 0);

    expect(traffic.cusum.observe(1, 1, 3_601_000)).toBe(false);
    expect(traffic.cusum.observe(1, 1, 3_602_000)).toBe(false);
  });

  it('is raised also where nearly everything fails as usual', () => {
    const traffic = new Steady(100, 300, 70);

    expect(traffic.pass(30, 95)).toEqual([expect.any(Number)]);
    expect(new Steady(100, 600, 100).pass(60, 100)).toEqual([]);
  });

  it('forgets with the time, not with the calls: silence counts', () => {
    const traffic = new Steady(100, 600, 20);
    traffic.now += 3_600_000 * 3;
    traffic.pass(10, 0);

    expect(traffic.cusum.reading().usual).toBeLessThan(0.02);
  });
});
