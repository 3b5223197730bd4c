import type { ErrorCategory } from '../kernel/classifier.js';
import type { Milliseconds } from '../kernel/duration.js';

/**
 * How bad an error is: `critical` the system cannot continue, `high` the component must restart or
 * be restored, `medium` it is retried, `low` it is logged and work goes on, `info` no error at all
 * to anybody who operates this.
 */
export type ErrorSeverity = 'critical' | 'high' | 'medium' | 'low' | 'info';

/** What of an error object is read, and no more: bounded, redacted, on one line. */
export interface ErrorFacts {
  /** The class, at most 100 characters. */
  readonly name: string;
  /** At most 2 KB. */
  readonly message: string;
  readonly code?: string;
  readonly status?: number;
  /** At most 20 frames and 8 KB. */
  readonly stack?: string;
  /** The cause, to a depth of 5. */
  readonly cause?: ErrorFacts;
}

/** One error with everything that is known of how it came about, for decisions about recovery. */
export interface ErrorContext {
  /** Unique in this process. */
  readonly id: string;
  /** The same for errors of one kind, such as `v1:3f2a…`; the number is that of the algorithm. */
  readonly fingerprint: string;
  readonly severity: ErrorSeverity;
  readonly category: ErrorCategory;
  /** The rule of the classifier that decided, such as `node-code ECONNRESET`. */
  readonly rule: string;
  /** The target: `FeesClient.quote`. */
  readonly component: string;
  /** The dependency behind it: the name of its circuit breaker, where that is shared by name. */
  readonly port?: string;
  /** The method alone: `quote`. */
  readonly method: string;
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly traceId?: string;
  readonly sessionId?: string;
  readonly error: ErrorFacts;
  /** How often errors of this fingerprint have come, this one included. */
  readonly occurrences: number;
  /** Wall-clock time, milliseconds since 1970, as the next. */
  readonly firstOccurrence: Milliseconds;
  readonly lastOccurrence: Milliseconds;
  /** The attempts that the call had made before this one. */
  readonly recoveryAttempts: number;
  /** What a redactor from the configuration kept of the arguments; without one it is not there. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The work that an error belongs to, by the names that others know it under. */
export type CallIds = Pick<ErrorContext, 'correlationId' | 'traceId' | 'sessionId'>;
