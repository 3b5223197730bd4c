import { ERROR_CATEGORIES, type Classifier, type ErrorCategory } from '../../kernel/classifier.js';
import { ignore } from '../../kernel/ignore.js';
import { compileMatcher, type PredicateReport } from '../../kernel/matcher.js';
import { isResilienceRejection } from '../../kernel/rejection.js';
import { type ClassifyAnswer, type ClassifyRule, checkAnswer } from './classify.options.js';
import { classifyByTable } from './classify-by-table.js';
import { CATEGORY_DEFAULTS, type ErrorClassification, row } from './error-classification.js';

/** A classifier that says everything the table says. */
export interface ErrorClassifier extends Classifier {
  classify(error: unknown): ErrorClassification;
}

export interface ClassifierOptions {
  /** Asked in turn, before the table; the first that knows the error decides. */
  readonly classify?: readonly ClassifyRule[] | undefined;
  /** Hears that a rule threw or answered what cannot be used; it is passed over. */
  readonly report?: PredicateReport;
}

type CompiledRule = (error: unknown) => ErrorClassification | undefined;

/**
 * The rules of the application, then the table. Never throws. Our own refusals are not shown to the
 * rules: what they mean for the policies around is not a matter of taste.
 */
export function makeClassifier({
  classify,
  report = () => {},
}: ClassifierOptions = {}): ErrorClassifier {
  if (classify === undefined || classify.length === 0) return { classify: classifyByTable };
  const rules = classify.map((rule, i) => compileRule(rule, i, report));
  const decide = (error: unknown): ErrorClassification => {
    for (const rule of rules) {
      const found = rule(error);
      if (found !== undefined) return found;
    }
    return classifyByTable(error);
  };
  // several policies ask about one error, and are to hear the same
  const decided = new WeakMap<object, ErrorClassification>();
  return {
    classify(error) {
      if (isResilienceRejection(error)) return classifyByTable(error);
      if (typeof error !== 'object' || error === null) return decide(error);
      let verdict = decided.get(error);
      if (verdict === undefined) decided.set(error, (verdict = decide(error)));
      return verdict;
    },
  };
}

function compileRule(rule: ClassifyRule, place: number, report: PredicateReport): CompiledRule {
  const { name: given = '' } = rule;
  const name = `user rule ${given === '' ? place + 1 : given}`;
  if (typeof rule === 'function') return compileFunction(rule, name, report);
  const { match, name: _name, ...answer } = rule;
  const matches = compileMatcher(match, `errors.classify ${name}`, false, report)!;
  const found = fill(answer, name);
  return (error) => (matches(error, categoryOf) ? found : undefined);
}

const categoryOf = (error: unknown): ErrorCategory => classifyByTable(error).category;

function compileFunction(
  rule: Extract<ClassifyRule, (error: unknown) => unknown>,
  name: string,
  report: PredicateReport,
): CompiledRule {
  const plain = new Map<unknown, ErrorClassification>(
    ERROR_CATEGORIES.map((category) => [category, row(name, CATEGORY_DEFAULTS[category])]),
  );
  return (error) => {
    try {
      const answer: unknown = rule(error);
      if (answer === undefined) return undefined;
      return plain.get(answer) ?? fill(usable(answer), name);
    } catch (thrown) {
      report(`errors.classify ${name}`, thrown);
      return undefined;
    }
  };
}

/** @throws TypeError that says what came */
function usable(answer: unknown): ClassifyAnswer {
  const mistakes = checkAnswer(answer);
  if (mistakes.length === 0) return answer as ClassifyAnswer;
  ignore(answer); // a promise is no answer; if it rejects, that must not end the process
  throw new TypeError(
    `answered what is no classification: ${mistakes.map(({ at, problem }) => `${at} ${problem}`.trim()).join('; ')}`,
  );
}

/** What is left out comes from the category; an option that is undefined counts as not given. */
function fill(answer: ClassifyAnswer, rule: string): ErrorClassification {
  const base = CATEGORY_DEFAULTS[answer.category];
  return Object.freeze({
    category: answer.category,
    severity: answer.severity ?? base.severity,
    retryable: answer.retryable ?? base.retryable,
    outcome: answer.outcome ?? base.outcome,
    fallback: answer.fallback ?? base.fallback,
    configuration: answer.configuration ?? base.configuration,
    rule,
  });
}
