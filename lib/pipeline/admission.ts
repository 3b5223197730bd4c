import { retryAfterOf } from '../errors/retry-after.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { Outcome } from '../kernel/outcome.js';
import { type Permit, REFUSED } from '../kernel/permit.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import { CircuitOpenError } from '../policies/circuit-breaker/circuit-open.error.js';
import { failureFacts } from '../policies/circuit-breaker/trip.js';
import type { Environment } from './environment.js';
import type { Named } from './lane.js';

/** The refusal of a breaker that is open and stays it; undefined where it takes `enter` to know. */
export function refusalOf(
  { name, policy }: Named<CircuitBreaker>,
  env: Environment,
): CircuitOpenError | undefined {
  const wait = policy.refuse();
  return wait === undefined
    ? undefined
    : new CircuitOpenError(name, 'open', wait, env.stack, policy);
}

/** An attempt's leave from a circuit breaker, which hears exactly once how the attempt ended. */
export class Admission {
  private permit: Permit = REFUSED;
  /** When the method started, where the breaker measures. */
  private startedAt: Milliseconds | undefined;

  constructor(
    private readonly breaker: Named<CircuitBreaker>,
    private readonly env: Environment,
  ) {}

  /** Takes over a permit that was given without us. */
  adopt(permit: Permit, startedAt: Milliseconds | undefined): void {
    this.permit = permit;
    this.startedAt = startedAt;
  }

  /** @returns the refusal, if there is one; in shadow mode the attempt runs unobserved instead */
  enter(): CircuitOpenError | undefined {
    const { name, policy } = this.breaker;
    const refusal = refusalOf(this.breaker, this.env);
    if (refusal !== undefined) return refusal;
    this.permit = policy.enter();
    if (this.permit !== REFUSED || policy.mode === 'shadow') return undefined;
    return new CircuitOpenError(name, policy.current, policy.retryAfter(), this.env.stack, policy);
  }

  /** Whether the breaker would have refused the attempt. */
  get isUnobserved(): boolean {
    return this.permit === REFUSED;
  }

  /** The method starts. @param waited whether something came between admission and start */
  started(waited: boolean): void {
    const { policy } = this.breaker;
    if (waited) policy.started(this.permit);
    if (policy.slowCallDuration !== undefined) this.startedAt = this.env.clock.now();
  }

  /** Whether a first value is to be told at once: it decides a probe. */
  get isProbe(): boolean {
    return this.breaker.policy.isProbe(this.permit);
  }

  /** The method failed with a refusal of this very breaker, asked once more further in. */
  makeRoomIfRefused(error: unknown): void {
    const { policy } = this.breaker;
    if (CircuitOpenError.isBy(policy, error)) policy.makeRoom(this.permit);
  }

  /** Tells the outcome; the second time it does nothing. */
  settle(outcome: Outcome, error?: unknown): void {
    if (this.permit === REFUSED) return;
    const { permit, startedAt, env } = this;
    this.permit = REFUSED;
    const duration = startedAt === undefined ? undefined : env.clock.now() - startedAt;
    const facts =
      outcome === 'failure'
        ? failureFacts(error, retryAfterOf(error, env.clock.epoch()))
        : undefined;
    this.breaker.policy.settle(permit, outcome, duration, facts);
  }
}
