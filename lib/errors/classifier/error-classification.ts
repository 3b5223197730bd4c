import type { Classification, ErrorCategory } from '../../kernel/classifier.js';
import type { ErrorSeverity } from '../error-context.js';

/** Everything the table says of an error. One frozen object per row, shared by all errors it fits. */
export interface ErrorClassification extends Classification {
  readonly severity: ErrorSeverity;
  /** The row that decided: the family and what it went by, such as `node-code ECONNRESET`. */
  readonly rule: string;
  /**
   * The error tells of a setting that is wrong rather than of a system that is down: an unknown
   * host, credentials of ours that are refused, a certificate that does not verify. Waiting will
   * not heal it, somebody has to look.
   */
  readonly configuration: boolean;
}

/** What a row of a table says; the row itself is known when the table is made. */
export type Kind = Omit<ErrorClassification, 'rule'>;

const kind = (
  category: ErrorCategory,
  severity: ErrorSeverity,
  over: Partial<Kind> = {},
): Kind => ({
  category,
  severity,
  retryable: true,
  outcome: 'failure',
  fallback: true,
  configuration: false,
  ...over,
});

/** The dependency answered; that nothing came of it is not its fault. */
const ANSWERED = { retryable: false, outcome: 'ignored' } as const;

/** What an error of each category is taken for where nothing more is said of it. */
export const CATEGORY_DEFAULTS: Readonly<Record<ErrorCategory, Kind>> = Object.freeze({
  transient: Object.freeze(kind('transient', 'medium')),
  permanent: Object.freeze(kind('permanent', 'high', { retryable: false })),
  poison: Object.freeze(kind('poison', 'high', ANSWERED)),
  resource: Object.freeze(kind('resource', 'medium')),
  timeout: Object.freeze(kind('timeout', 'medium')),
  validation: Object.freeze(kind('validation', 'low', ANSWERED)),
  communication: Object.freeze(kind('communication', 'medium')),
  dependency: Object.freeze(kind('dependency', 'medium')),
});

/** A kind with something changed. */
export function but(like: Kind, over: Partial<Kind>): Kind {
  return { ...like, ...over };
}

/** One row. */
export function row(rule: string, like: Kind): ErrorClassification {
  return Object.freeze({ ...like, rule });
}

/** A family's rows by the word that they go by. */
export type Table = ReadonlyMap<string, ErrorClassification>;

export function table(family: string, rows: Readonly<Record<string, Kind>>): Table {
  return new Map(Object.entries(rows).map(([key, like]) => [key, row(`${family} ${key}`, like)]));
}
