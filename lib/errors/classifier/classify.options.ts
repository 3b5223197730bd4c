import {
  boolean,
  checkObject,
  checkOptions,
  type Mistake,
  oneOf,
  type OptionRules,
  show,
  text,
} from '../../kernel/check.js';
import { ERROR_CATEGORIES, type ErrorCategory } from '../../kernel/classifier.js';
import { type ErrorMatchers, errorMatchers } from '../../kernel/matcher.js';
import type { ErrorSeverity } from '../error-context.js';

/** What a rule of the application says of an error. What it leaves out is that of the category. */
export interface ClassifyAnswer {
  category: ErrorCategory;
  /** Default: that of the category. */
  severity?: ErrorSeverity;
  /** Whether another attempt may succeed. Default: that of the category. */
  retryable?: boolean;
  /**
   * How the breaker sees it: `failure` blames the dependency, `ignored` does not, `cancelled` means
   * that the caller left. Default: `ignored` for `validation` and `poison`, else `failure`.
   */
  outcome?: 'failure' | 'ignored' | 'cancelled';
  /** False keeps fallbacks from hiding it unless they list it. Default true. */
  fallback?: boolean;
  /** It tells of a setting that is wrong. Default false. */
  configuration?: boolean;
}

/** One rule for errors that match. */
export interface ClassifyMatch extends ClassifyAnswer {
  /** Which errors: as for `retryOn`; `{ category }` is what the built-in table says of them. */
  match: ErrorMatchers;
  /** What the rule is called where it says that it decided. Default `user rule 2`, by its place. */
  name?: string;
}

/** A rule, or a function that answers a category, more than that, or undefined: not mine. */
export type ClassifyRule =
  ClassifyMatch | ((error: unknown) => ClassifyAnswer | ErrorCategory | undefined);

const ANSWER_RULES: OptionRules<ClassifyAnswer> = {
  category: oneOf(...ERROR_CATEGORIES),
  severity: oneOf('critical', 'high', 'medium', 'low', 'info'),
  retryable: boolean,
  outcome: oneOf('failure', 'ignored', 'cancelled'),
  fallback: boolean,
  configuration: boolean,
};

const MATCH_RULES: OptionRules<ClassifyMatch> = {
  ...ANSWER_RULES,
  match: errorMatchers,
  name: text,
};

/** Every mistake in `errors: { classify }`. */
export function checkClassify(at: string, rules: unknown): Mistake[] {
  if (!Array.isArray(rules))
    return [{ at, problem: `got ${show(rules)}, expected a list of rules` }];
  return ([...rules] as unknown[]).flatMap((rule, i) => checkRule(`${at} [${i}]`, rule));
}

function checkRule(at: string, rule: unknown): Mistake[] {
  if (typeof rule === 'function') return [];
  const mistakes = checkOptions(at, rule, MATCH_RULES);
  if (mistakes.some((mistake) => mistake.at === at)) return mistakes; // no options at all
  const { match, category } = rule as Partial<ClassifyMatch>;
  // an error class that a circular import has not made yet must not come to mean nothing
  if (match === undefined) mistakes.push(missing(`${at} match`, errorMatchers(undefined)!));
  if (category === undefined)
    mistakes.push(missing(`${at} category`, ANSWER_RULES.category(undefined)!));
  return mistakes;
}

function missing(at: string, expected: string): Mistake {
  return { at, problem: `got undefined, expected ${expected}` };
}

/** What is wrong with what a function answered. */
export function checkAnswer(answer: unknown): Mistake[] {
  const mistakes = checkObject('', answer, `${ANSWER_RULES.category(undefined)}, or { category }`);
  if (mistakes.length > 0) return mistakes;
  mistakes.push(...checkOptions('', answer, ANSWER_RULES));
  if (mistakes.length > 0 || (answer as ClassifyAnswer).category !== undefined) return mistakes;
  return [missing(' category', ANSWER_RULES.category(undefined)!)];
}
