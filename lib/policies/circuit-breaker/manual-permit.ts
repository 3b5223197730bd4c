import type { Milliseconds } from '../../kernel/duration.js';
import type { Outcome } from '../../kernel/outcome.js';
import { type FailureFacts, failureFacts } from './trip.js';

/**
 * Leave to do one piece of work that is not a method call. Tell how it ended by one of these; only
 * the first of them takes effect.
 */
export interface ManualPermit {
  /** @param duration how long it took, in milliseconds; measured if not given and needed */
  success(duration?: Milliseconds): void;
  failure(error?: unknown, duration?: Milliseconds): void;
  /** It failed in a way that says nothing bad about the dependency. */
  ignore(): void;
  /** It did not take place, or nobody will ever know. */
  release(): void;
}

/** What is kept of the error behind a failure. Must not throw. */
export type FactsOf = (error: unknown) => FailureFacts;

/** @param settle hears of the first outcome */
export function manualPermit(
  settle: (outcome: Outcome, duration?: Milliseconds, facts?: FailureFacts) => void,
  factsOf: FactsOf = failureFacts,
): ManualPermit {
  let open = true;
  const once: typeof settle = (outcome, duration, facts) => {
    if (!open) return;
    open = false;
    settle(outcome, duration, facts);
  };
  return {
    success: (duration) => once('success', duration),
    failure: (error, duration) => once('failure', duration, factsOf(error)),
    ignore: () => once('ignored'),
    release: () => once('cancelled'),
  };
}
