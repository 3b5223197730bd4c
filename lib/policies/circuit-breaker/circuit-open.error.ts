import type { Milliseconds } from '../../kernel/duration.js';
import { ResilienceRejection } from '../../kernel/rejection.js';

/** The breaker is open, isolated by hand, or half-open with all its probes on the way. */
export class CircuitOpenError extends ResilienceRejection {
  constructor(target: string, state: string, retryAfter?: Milliseconds, stack?: boolean) {
    const when = retryAfter === undefined ? '' : `; next probe in ${Math.ceil(retryAfter)} ms`;
    super({
      message: `circuit breaker ${target} is ${state}${when}`,
      code: 'CIRCUIT_OPEN',
      policy: 'circuit-breaker',
      target,
      status: 503,
      retryAfter,
      stack,
    });
  }
}
