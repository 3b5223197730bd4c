import type { Milliseconds } from '../../kernel/duration.js';
import type { Random } from '../../kernel/random.js';
import { RETRY_DEFAULTS as DEFAULTS, type RetryOptions } from './retry.options.js';

/** The delay after the n-th failed attempt, counted from 1: a whole number from 0 to `maxDelay`. */
export type Backoff = (failedAttempts: number) => Milliseconds;

/** Makes the back-off of the options. Growth without bound ends at `maxDelay`, never in overflow. */
export function backoffOf(options: RetryOptions, random: Random): Backoff {
  const delay = options.delay ?? DEFAULTS.delay;
  const multiplier = options.multiplier ?? DEFAULTS.multiplier;
  const maxDelay = Math.floor(options.maxDelay ?? Math.max(DEFAULTS.maxDelay, delay));
  const kind = options.backoff ?? DEFAULTS.backoff;
  const jitter = options.jitter ?? DEFAULTS.jitter;

  return (failedAttempts) => {
    const grown = delay === 0 ? 0 : delay * growth(kind, multiplier, failedAttempts);
    const capped = Math.floor(Math.min(grown, maxDelay));
    return jitter === 'full' ? Math.floor(random() * (capped + 1)) : capped;
  };
}

function growth(
  kind: NonNullable<RetryOptions['backoff']>,
  multiplier: number,
  failedAttempts: number,
): number {
  switch (kind) {
    case 'exponential':
      return multiplier ** (failedAttempts - 1);
    case 'linear':
      return failedAttempts;
    case 'constant':
      return 1;
    default:
      return kind satisfies never;
  }
}
