import type { ExecutionContext } from '@nestjs/common';
import type { FailureLimiter } from '../failure-limiter.js';
import type { RecoveryOperation } from '../operations.js';
import { Refusal } from '../refusal.js';

/** One way to decide who may do what. */
export interface Way {
  /**
   * Lets a caller in, and says who it is.
   *
   * @param limiter counts its failures
   * @throws Refusal
   */
  admit(
    context: ExecutionContext,
    operation: RecoveryOperation,
    limiter: FailureLimiter,
  ): Promise<string>;
  /** Those of the operations that this caller may do, who was let in for one of them. */
  allowed(
    context: ExecutionContext,
    operations: readonly RecoveryOperation[],
  ): Promise<readonly RecoveryOperation[]>;
}

/** Nobody may do anything. */
export const CLOSED: Way = {
  admit: () => {
    const message = 'Nobody is let in: recovery.access is not configured.';
    return Promise.reject(new Refusal(403, 'RECOVERY_CLOSED', message));
  },
  allowed: async () => [],
};

/** @throws Refusal if the address has failed too often */
export function refuseBlocked(limiter: FailureLimiter, address: string): void {
  const wait = limiter.blocked(address);
  if (wait === undefined) return;
  throw new Refusal(429, 'TOO_MANY_FAILURES', 'Too many failed attempts from this address.', {
    'Retry-After': String(Math.ceil(wait / 1_000)),
  });
}

/** The same for no credential and for a wrong one. */
export function unauthorized(): Refusal {
  return new Refusal(401, 'UNAUTHORIZED', 'A valid credential is required.', {
    'WWW-Authenticate': 'Bearer',
  });
}
