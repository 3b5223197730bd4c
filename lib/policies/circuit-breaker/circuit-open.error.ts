import type { Milliseconds } from '../../kernel/duration.js';
import { ResilienceRejection } from '../../kernel/rejection.js';

/** The breaker is open, isolated by hand, or half-open with all its probes on the way. */
export class CircuitOpenError extends ResilienceRejection {
  readonly #by: object | undefined;

  /** @param by the breaker itself: those of several keys have one name */
  constructor(
    target: string,
    state: string,
    retryAfter?: Milliseconds,
    stack?: boolean,
    by?: object,
  ) {
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
    this.#by = by;
  }

  /** Whether that very breaker said so. Asks nothing of a hostile error. @internal */
  static isBy(breaker: object, error: unknown): boolean {
    return typeof error === 'object' && error !== null && #by in error && error.#by === breaker;
  }
}
