import type { CallCounts } from '../../health/inputs.js';

/** Who counts the calls of the application. */
export interface CallFigures {
  /** Calls and failures of a recent span, such as the last minute. */
  recent(): CallCounts;
}

/** The injection token of `CallFigures`. */
export const CALL_FIGURES = Symbol('bulwark:call-figures');

/** What is known of the errors of the application. */
export interface ErrorFigures {
  /** What the errors of the last minute look like together: `no-errors`, `normal`, and what is worse. */
  analyse(): { readonly kind: string };
  /** What is going on: spikes, errors that come back, components that fail all the time. */
  active(): readonly { readonly kind: string; readonly component?: string }[];
}

/** The injection token of `ErrorFigures`. */
export const ERROR_FIGURES = Symbol('bulwark:error-figures');
