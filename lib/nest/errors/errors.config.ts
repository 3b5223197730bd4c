import { checkClassify, type ClassifyRule } from '../../errors/classifier/classify.options.js';
import { checkErrorLog, type ErrorLogOptions } from '../../errors/log/error-log.options.js';
import {
  checkErrorPatterns,
  type ErrorPatternsOptions,
} from '../../errors/patterns/patterns.options.js';
import {
  aFunction,
  boolean,
  checkObject,
  checkOptions,
  type Mistake,
  type OptionRules,
} from '../../kernel/check.js';
import type { CorrelationSource } from './call-ids.js';

/** What errors mean, and what is kept of them. */
export interface ErrorsConfig {
  /** Rules of the application, asked before the built-in table; the first that knows the error decides. Default: none. */
  classify?: readonly ClassifyRule[];
  /** How errors are kept. */
  log?: ErrorLogOptions;
  /** When errors follow a pattern that somebody should know of. */
  patterns?: ErrorPatternsOptions;
  /**
   * Answers the id of the work that is going on, or `{ correlationId, traceId, sessionId }`: called
   * when an error is recorded, in the async context of its call. Default: what the headers
   * `x-correlation-id`, `x-request-id` and `traceparent` of a request among the arguments say, and
   * the active span of OpenTelemetry, where the application has its API.
   */
  correlation?: CorrelationSource;
  /**
   * Every request runs in an async context of ours, which keeps these headers for all that it
   * calls. It makes every promise of a Node 20 process about 3 times slower. Default false.
   */
  context?: boolean;
}

const RULES: OptionRules<ErrorsConfig> = {
  classify: () => undefined,
  log: () => undefined,
  patterns: () => undefined,
  correlation: aFunction,
  context: boolean,
};

/** Every mistake in `errors: { … }`. */
export function checkErrorsConfig(at: string, config: unknown): Mistake[] {
  if (config === undefined) return [];
  const mistakes = checkOptions<ErrorsConfig>(at, config, RULES);
  if (checkObject(at, config).length > 0) return mistakes;
  const { classify, log, patterns } = config as ErrorsConfig;
  if (classify !== undefined) mistakes.push(...checkClassify(`${at} classify`, classify));
  if (log !== undefined) mistakes.push(...checkErrorLog(`${at} log`, log));
  if (patterns !== undefined) mistakes.push(...checkErrorPatterns(`${at} patterns`, patterns));
  return mistakes;
}
