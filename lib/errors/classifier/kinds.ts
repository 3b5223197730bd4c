import { but, CATEGORY_DEFAULTS, type Kind } from './error-classification.js';

export const {
  transient: TRANSIENT,
  timeout: TIMEOUT,
  resource: RESOURCE,
  communication: COMMUNICATION,
  dependency: DEPENDENCY,
  validation: VALIDATION,
} = CATEGORY_DEFAULTS;

/** The dependency cannot do it at all; another attempt will not help, a fallback may. */
export const UNSUPPORTED: Kind = but(CATEGORY_DEFAULTS.permanent, { severity: 'medium' });

/** A setting is wrong: every call will fail until somebody mends it. */
export const MISCONFIGURED: Kind = but(CATEGORY_DEFAULTS.permanent, { configuration: true });

/** A refusal of access: turned into data by a fallback it would be a hole. */
export const FORBIDDEN: Kind = but(VALIDATION, { category: 'permanent', fallback: false });

/** The same, of credentials that are ours and not those of a user. */
export const CREDENTIALS: Kind = but(FORBIDDEN, { severity: 'high', configuration: true });

/** A mistake in a program: it will happen again, and hiding it helps nobody. */
export const PROGRAMMER: Kind = but(CATEGORY_DEFAULTS.permanent, { fallback: false });

/** Two wanted the same at once. The dependency is well, and it works out when one of them asks again. */
export const CONFLICT: Kind = but(TRANSIENT, { severity: 'low', outcome: 'ignored' });

/** Something of this machine or of a store is used up, and it does not come back by itself soon. */
export const EXHAUSTED: Kind = but(RESOURCE, { severity: 'high' });

/** Used up so that nothing works any more until somebody makes room. */
export const FULL: Kind = but(RESOURCE, { severity: 'critical', retryable: false });

/** What was stored is gone or broken. */
export const DAMAGED: Kind = but(CATEGORY_DEFAULTS.permanent, { severity: 'critical' });

/** The caller left. */
export const CANCELLED: Kind = but(TRANSIENT, {
  severity: 'info',
  retryable: false,
  outcome: 'cancelled',
  fallback: false,
});

/** One of our own policies refused; the dependency was not heard. */
export const REJECTED: Kind = but(RESOURCE, {
  severity: 'low',
  retryable: false,
  outcome: 'rejected',
});

/** We gave up on work that had started, and that may still be running. */
export const GIVEN_UP: Kind = but(REJECTED, {
  category: 'timeout',
  severity: 'medium',
  outcome: 'failure',
});

/** A query or a command is wrong, whatever the data: refused every time, and who refuses is well. */
export const BAD_QUERY: Kind = but(UNSUPPORTED, { severity: 'high', outcome: 'ignored' });
