import type { Milliseconds } from '../../kernel/duration.js';
import { ResilienceRejection } from '../../kernel/rejection.js';

/** The rate limit is used up. The call never started, and was not charged. */
export class RateLimitedError extends ResilienceRejection {
  /** Whole milliseconds after which the call would start at once, if nobody else came before. */
  declare readonly retryAfter: Milliseconds;

  constructor(target: string, retryAfter: Milliseconds, stack?: boolean) {
    super({
      message: `rate limit ${target} is used up: come back in ${retryAfter} ms`,
      code: 'RATE_LIMITED',
      policy: 'rate-limit',
      target,
      status: 429,
      retryAfter,
      stack,
    });
  }
}
