import type { Random } from '../../lib/kernel/random.js';

/** Calls per second, and the share of them that fails. */
export interface Traffic {
  readonly rps: number;
  readonly share: number;
}

/** How many of independent things happen, if `mean` do on average. */
export function poisson(random: Random, mean: number): number {
  if (mean > 40) {
    const angle = Math.cos(2 * Math.PI * random());
    const normal = Math.sqrt(-2 * Math.log(1 - random()) * mean) * angle;
    return Math.max(0, Math.round(mean + normal));
  }
  const limit = Math.exp(-mean);
  let count = 0;
  for (let p = random(); p > limit; p *= random()) count += 1;
  return count;
}

/** A second of traffic. */
export function second(
  { rps, share }: Traffic,
  random: Random,
): { readonly calls: number; readonly failures: number } {
  const failures = poisson(random, rps * share);
  return { failures, calls: failures + poisson(random, rps * (1 - share)) };
}
