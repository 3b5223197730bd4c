import type { PredicateReport } from '../../kernel/matcher.js';
import type { Random } from '../../kernel/random.js';
import { type Backoff, backoffOf } from './backoff.js';
import { layered, RETRY_DEFAULTS as DEFAULTS, type RetryPlanOptions } from './retry.options.js';

/** How often, and how far apart, ready to be asked. */
export interface RetryPlan {
  readonly maxAttempts: number;
  readonly backoff: Backoff;
}

/**
 * @param own what the user said
 * @param table the built-in plan of the error's category: fills what the user left open
 */
export function retryPlan(
  own: RetryPlanOptions,
  table: RetryPlanOptions,
  random: Random,
  report: PredicateReport,
): RetryPlan {
  const { maxAttempts, delay, multiplier, ...rest } = { ...DEFAULTS, ...layered(own, table) };
  // a multiplier of one's own is a wish for the back-off that has one
  const backoff = own.multiplier === undefined ? rest.backoff : (own.backoff ?? 'exponential');
  // a delay of one's own may be longer than the cap that it never heard of
  const maxDelay = own.maxDelay ?? Math.max(rest.maxDelay, delay);
  // who computes delays by hand means what it says, unless it asks for dice
  const jitter = own.jitter ?? (typeof backoff === 'function' ? 'none' : rest.jitter);
  return {
    maxAttempts,
    backoff: backoffOf({ delay, backoff, multiplier, maxDelay, jitter }, random, report),
  };
}
