// Seeded traffic for the detectors: calls and failures per second, and moments of single errors.
import { seededRandom } from '../../dist/testing/seeded-random.js';

export { seededRandom };

const wave = (low, high, period) => (t) =>
  (low + high) / 2 - ((high - low) / 2) * Math.cos((2 * Math.PI * t) / period);
const always = (value) => () => value;
const ramp = (from, to, period) => (t) => from + (to - from) * Math.min(1, t / period);

const scenario = (rps, share) => ({ rps, share });

/** Those of reference/ecosystem.md (e). */
export const KNOWN = {
  'steady, 100/s, 1 %': scenario(always(100), always(0.01)),
  'quiet, 2/s, 1 %': scenario(always(2), always(0.01)),
  'diurnal, 5-200/s, 2 %': scenario(wave(5, 200, 7_200), always(0.02)),
  'noisy, 20/s, 8 %': scenario(always(20), always(0.08)),
};

/** Nothing was chosen by these: neither the formulae nor a number in them. */
export const HELD_OUT = {
  'busy, 1,000/s, 1 %': scenario(always(1_000), always(0.01)),
  'busy, 400/s, 5 %': scenario(always(400), always(0.05)),
  'steady, 40/s, 0.4 %': scenario(always(40), always(0.004)),
  'steady, 6/s, 4 %': scenario(always(6), always(0.04)),
  'clean, 10/s, 0 %': scenario(always(10), always(0)),
  'quiet, 0.8/s, 3 %': scenario(always(0.8), always(0.03)),
  'waves, 1-60/s, 1.2 %': scenario(wave(1, 60, 2_700), always(0.012)),
  'noisy, 35/s, 12 %': scenario(always(35), always(0.12)),
  'bad, 12/s, 40 %': scenario(always(12), always(0.4)),
  'drifting, 30/s, 1 to 3 % in 2 h': scenario(always(30), ramp(0.01, 0.03, 7_200)),
};

export function poisson(random, mean) {
  if (mean > 40) {
    const normal =
      Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) * Math.sqrt(mean);
    return Math.max(0, Math.round(mean + normal));
  }
  const limit = Math.exp(-mean);
  let count = 0;
  for (let p = random(); p > limit; p *= random()) count += 1;
  return count;
}

/** The calls of second t, and how many of them fail when `jump` is added to the share. */
export function second({ rps, share }, t, random, jump = 0) {
  const [mean, p] = [rps(t), Math.min(1, share(t) + jump)];
  const failures = poisson(random, mean * p);
  return { failures, calls: failures + poisson(random, mean * (1 - p)) };
}

/** Time to the next of independent errors. */
export const gap = (random, mean) => -Math.log(1 - random()) * mean;

export const normal = (random) =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

export const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
