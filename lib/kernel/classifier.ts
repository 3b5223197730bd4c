import type { Outcome } from './outcome.js';

/** What an error is, as far as recovery from it is concerned. */
export type ErrorCategory =
  | 'transient'
  | 'permanent'
  | 'poison'
  | 'resource'
  | 'timeout'
  | 'validation'
  | 'communication'
  | 'dependency';

/** Every category. */
export const ERROR_CATEGORIES = [
  'transient',
  'permanent',
  'poison',
  'resource',
  'timeout',
  'validation',
  'communication',
  'dependency',
] as const satisfies readonly ErrorCategory[];

/** What a classifier says of one error. */
export interface Classification {
  readonly category: ErrorCategory;
  /** Whether another attempt may succeed. */
  readonly retryable: boolean;
  /**
   * How the breaker sees it: `failure` blames the dependency, `ignored` does not (the dependency
   * answered), `cancelled` means the caller left, `rejected` that one of our own policies refused.
   */
  readonly outcome: Exclude<Outcome, 'success'>;
  /**
   * False for errors that a fallback must not hide unless told to: a programmer's mistake, or a
   * refusal of access, which turned into data would be a hole.
   */
  readonly fallback: boolean;
  /** The rule that decided, such as `node-code ECONNRESET`; for people. Default: not said. */
  readonly rule?: string;
}

/** Says what an error is. A port: policies never know the table. Must not throw. */
export interface Classifier {
  classify(error: unknown): Classification;
}
