import {
  aFunction,
  checkOptions,
  integer,
  type Mistake,
  oneOf,
  type OptionRules,
} from '../../kernel/check.js';
import type { Redact } from '../record/clean.js';

/** What is kept of the arguments of a call, by name. */
export type Capture = (args: readonly unknown[]) => Record<string, string>;

/** How errors are kept. */
export interface ErrorLogOptions {
  /**
   * How many errors are kept, the oldest going first. From 1 to 10,000. Default 1,000. Whatever it
   * is, all that is kept stays under 1 MB: long ones are fewer.
   */
  limit?: number;
  /**
   * How many errors of one kind are kept, the first and the newest, so that a storm of one kind
   * does not drive out the others; all are counted. From 1 to 10,000. Default 20.
   */
  perGroup?: number;
  /**
   * Whose stack is read, which costs more than all the rest: of the `first` error of each kind,
   * and of at most 60 errors a minute; of `all`; or of `none`. Default `first`.
   */
  stacks?: 'first' | 'all' | 'none';
  /**
   * Takes more out of a text than we do: gets each text without the secrets we know, and answers
   * what may be kept and shown. It is asked when an error is kept and again when it is shown. If
   * it throws, or answers no string, the text is `[redaction failed]`. Default: nothing more.
   */
  redact?: Redact;
  /**
   * What is kept of the arguments of a call that failed, as texts by name: at most 16 of at most
   * 256 characters, redacted. If it throws, nothing is kept. Default: arguments are never kept.
   */
  capture?: Capture;
}

export const ERROR_LOG_DEFAULTS = { limit: 1_000, perGroup: 20, stacks: 'first' } as const;

const RULES: OptionRules<ErrorLogOptions> = {
  limit: integer(1, 10_000),
  perGroup: integer(1, 10_000),
  stacks: oneOf('first', 'all', 'none'),
  redact: aFunction,
  capture: aFunction,
};

/** Every mistake in the options. */
export function checkErrorLog(at: string, options: unknown): Mistake[] {
  return checkOptions(at, options, RULES);
}
