import { checkObject, type OptionRule } from './check.js';
import { ERROR_CATEGORIES, type ErrorCategory } from './classifier.js';
import { verdict } from './verdict.js';

// oxlint-disable-next-line typescript/no-explicit-any -- a constructor's parameters are contravariant
type ErrorClass = abstract new (...args: any[]) => unknown;

/** Errors by what the classifier says of them. */
export interface CategoryMatcher {
  /** One category or several. */
  category: ErrorCategory | readonly ErrorCategory[];
}

/**
 * Says which errors an option means: a class (by `instanceof`), a string (the error's `code` or
 * `name`), `{ category }` (what the classifier says), or a predicate. A list matches if one of its
 * entries does.
 */
export type ErrorMatcher = ErrorClass | string | CategoryMatcher | ((error: unknown) => boolean);

/** One matcher or several. */
export type ErrorMatchers = ErrorMatcher | readonly ErrorMatcher[];

/** What the classifier calls an error; asked only by matchers that name a category. */
export type CategoryOf = (error: unknown) => ErrorCategory;

/** An `ErrorMatchers` option made ready to be asked; undefined where the option was not given. */
export type CompiledMatcher = (error: unknown, categoryOf: CategoryOf) => boolean;

/** Hears that a function from the options threw. */
export type PredicateReport = (option: string, error: unknown) => void;

/**
 * Turns the option into one function, so that the shapes are told apart once and not per error.
 * The function never throws: a predicate that does is reported and answers `otherwise`.
 */
export function compileMatcher(
  option: ErrorMatchers | undefined,
  name: string,
  otherwise: boolean,
  report: PredicateReport,
): CompiledMatcher | undefined {
  if (option === undefined) return undefined;
  const tests = (Array.isArray(option) ? option : [option]).map(compileOne);
  return (error, categoryOf) => {
    try {
      return tests.some((test) => test(error, categoryOf));
    } catch (thrown) {
      report(name, thrown);
      return otherwise;
    }
  };
}

/** The rule for an option that `compileMatcher` is to understand. */
export const errorMatchers: OptionRule = (value) => {
  const entries: readonly unknown[] = Array.isArray(value) ? [...(value as unknown[])] : [value]; // no holes
  const wrong = entries.find((e) => isCategoryMatcher(e) && !areCategories(e.category));
  if (wrong !== undefined)
    return `{ category } with one or a list of ${ERROR_CATEGORIES.join(', ')}`;
  const good = entries.every(
    (e) => typeof e === 'function' || (typeof e === 'string' && e !== '') || isCategoryMatcher(e),
  );
  return good
    ? undefined
    : 'an error class, a code or name, { category }, a predicate, or a list of these';
};

function isCategoryMatcher(value: unknown): value is CategoryMatcher {
  return checkObject('', value).length === 0 && Object.keys(value as object).join() === 'category';
}

function areCategories(value: unknown): boolean {
  const list: readonly unknown[] = Array.isArray(value) ? [...(value as unknown[])] : [value];
  return list.length > 0 && list.every((e) => ERROR_CATEGORIES.includes(e as ErrorCategory));
}

function compileOne(matcher: ErrorMatcher): CompiledMatcher {
  if (typeof matcher === 'string') return (error) => hasCodeOrName(error, matcher);
  if (typeof matcher === 'object') {
    const wanted: readonly ErrorCategory[] = [matcher.category].flat();
    return (error, categoryOf) => wanted.includes(categoryOf(error));
  }
  if (isClass(matcher)) return (error) => isInstance(error, matcher);
  return (error) => verdict((matcher as (error: unknown) => boolean)(error));
}

function isClass(matcher: ErrorMatcher): matcher is ErrorClass {
  const { prototype } = matcher as { prototype?: unknown };
  if (matcher === Error || prototype instanceof Error) return true;
  return /^class\b/.test(Function.prototype.toString.call(matcher));
}

/** What cannot be looked at is of no class, and has no code: its getters and traps are nobody's options. */
function isInstance(error: unknown, type: ErrorClass): boolean {
  try {
    return error instanceof type;
  } catch {
    return false;
  }
}

function hasCodeOrName(error: unknown, word: string): boolean {
  if (typeof error !== 'object' || error === null) return false;
  return says(error, 'code', word) || says(error, 'name', word);
}

function says(error: object, key: string, word: string): boolean {
  try {
    return (error as Record<string, unknown>)[key] === word;
  } catch {
    return false;
  }
}
