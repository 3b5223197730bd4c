/**
 * How errors of each category are retried where the options do not say otherwise: how long it makes
 * sense to leave a resource alone is no matter of taste of the method that ran into it. What is not
 * listed here is retried as any error is, if it is at all.
 */
export const RETRY_TABLE = {
  transient: { maxDelay: 5_000 },
  communication: { maxDelay: 5_000 },
  dependency: { maxDelay: 5_000 },
  timeout: { maxAttempts: 3, delay: 1_000, backoff: 'linear' },
  resource: { maxAttempts: 6, delay: 1_000, maxDelay: 30_000 },
} as const;
