import type { Classification } from '../kernel/classifier.js';

/** An attempt that came to a bad end which its dependency, or its code, has to answer for. */
export interface FailedAttempt {
  readonly error: unknown;
  readonly classification: Classification;
  /** The name of the protected method, `FeesClient.quote`. */
  readonly target: string;
  /** The name of its circuit breaker, where it has one. */
  readonly port: string | undefined;
  /** The message that was worked on, where the call says so. */
  readonly messageId?: string | undefined;
  /** Counted from 1. */
  readonly attempt: number;
  /** What the method was called with. */
  readonly args: readonly unknown[];
}

/** Hears of every failed attempt, before it is decided what follows from it. Must not throw. */
export interface ErrorObserver {
  failed(attempt: FailedAttempt): void;
}
