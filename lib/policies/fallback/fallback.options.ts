import {
  checkObject,
  checkOptions,
  isOptionsObject,
  type Mistake,
  type OptionRule,
  type OptionRules,
  show,
  text,
} from '../../kernel/check.js';
import { type ErrorMatchers, errorMatchers } from '../../kernel/matcher.js';

/** Gets the error and the arguments of the call, with the instance as `this`; answers instead of the method. */
// oxlint-disable-next-line typescript/no-explicit-any -- the decorator types fit it to the method
export type FallbackFunction = (error: unknown, ...args: any[]) => unknown;

interface FallbackConditions {
  /** Only for these errors, and for these even where a fallback would not answer by default. */
  on?: ErrorMatchers;
  /** Not for these errors. Wins over `on`. */
  except?: ErrorMatchers;
}

/** One way to answer when the method has failed for good. Exactly one of `handler`, `method`, `value`. */
export type FallbackOptions = FallbackConditions &
  (
    | { /** A function. */ handler: FallbackFunction }
    | { /** The name of a method of the same class. */ method: string }
    | { /** A value, the same for every call. */ value: unknown }
  );

/** A function, options, or a list of these that is tried in turn. */
export type FallbackPlan =
  FallbackFunction | FallbackOptions | readonly (FallbackFunction | FallbackOptions)[];

/** The list that a plan means. */
export function fallbackList(plan: FallbackPlan): readonly FallbackOptions[] {
  const entries = (Array.isArray(plan) ? plan : [plan]) as readonly (
    FallbackFunction | FallbackOptions
  )[];
  return entries.map((entry) => (typeof entry === 'function' ? { handler: entry } : entry));
}

const isFunction: OptionRule = (v) => (typeof v === 'function' ? undefined : 'a function');

const RULES: OptionRules<{
  handler: unknown;
  method: string;
  value: unknown;
  on: unknown;
  except: unknown;
}> = {
  handler: isFunction,
  method: text,
  value: () => undefined,
  on: errorMatchers,
  except: errorMatchers,
};

/**
 * Every mistake in the plan.
 *
 * @param hasMethod whether the class has a method of that name; undefined where there is no class
 */
export function checkFallback(
  at: string,
  plan: FallbackPlan,
  hasMethod?: (name: string) => boolean,
): Mistake[] {
  const entries: readonly unknown[] = Array.isArray(plan) ? plan : [plan];
  if (entries.length === 0)
    return [{ at, problem: 'got an empty list, expected at least one fallback' }];
  return entries.flatMap((entry, i) =>
    checkEntry(entries.length === 1 ? at : `${at} [${i}]`, entry, hasMethod),
  );
}

function checkEntry(at: string, entry: unknown, hasMethod?: (name: string) => boolean): Mistake[] {
  if (typeof entry === 'function') return [];
  if (!isOptionsObject(entry)) {
    return [
      {
        at,
        problem: `got ${show(entry)}, expected a function or one of { handler }, { method }, { value }`,
      },
    ];
  }
  const unreadable = checkObject(at, entry);
  if (unreadable.length > 0) return unreadable;
  const mistakes = checkOptions(at, entry, RULES);
  for (const key of ['handler', 'method', 'on', 'except'] as const) {
    // an error class that a circular import has not made yet must not come to mean every error
    if (!(key in entry) || entry[key] !== undefined) continue;
    mistakes.push({
      at: `${at} ${key}`,
      problem: `got undefined, expected ${RULES[key](undefined)}`,
    });
  }
  const kinds = ['handler', 'method', 'value'].filter((kind) => kind in entry);
  if (kinds.length !== 1) {
    const got = kinds.length === 0 ? 'none of them' : kinds.join(' and ');
    mistakes.push({ at, problem: `got ${got}, expected exactly one of handler, method, value` });
  }
  const { method } = entry;
  if (typeof method === 'string' && method !== '' && hasMethod?.(method) !== true) {
    const expected =
      hasMethod === undefined
        ? 'a handler or a value: there is no class here'
        : 'a method of the class';
    mistakes.push({ at: `${at} method`, problem: `got ${show(method)}, expected ${expected}` });
  }
  return mistakes;
}
