import {
  aFunction,
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
import { checkLastGood, type FallbackCacheOptions } from './last-good.options.js';

/** Gets the error and the arguments of the call, with the instance as `this`; answers instead of the method. */
// oxlint-disable-next-line typescript/no-explicit-any -- the decorator types fit it to the method
export type FallbackFunction = (error: unknown, ...args: any[]) => unknown;

interface FallbackConditions {
  /** Only for these errors, and for these even where a fallback would not answer by default; a cancellation excepted. */
  on?: ErrorMatchers;
  /** Not for these errors. Wins over `on`. */
  except?: ErrorMatchers;
}

/** Asks somebody else what the method was asked: gets the arguments of the call, with the instance as `this`. */
// oxlint-disable-next-line typescript/no-explicit-any -- the decorator types fit it to the method
export type AlternativeFunction = (...args: any[]) => unknown;

/** One way to answer when the method has failed for good. Exactly one of the kinds below. */
export type FallbackOptions = FallbackConditions &
  (
    | {
        /** A function. */
        handler: FallbackFunction;
      }
    | {
        /** The name of a method of the same class, which gets what a function would. */
        method: string;
      }
    | {
        /** A value, the same object for every call. */
        value: unknown;
      }
    | {
        /** The last good answer of the method. Once in a list. */
        cache: FallbackCacheOptions;
      }
    | {
        /**
         * Other endpoints, asked one after another until one answers. They are neither retried
         * nor limited in time; give them a method with policies of its own for that. The error of
         * the last one, or the first refusal of access, is the error of the call.
         */
        alternative: AlternativeFunction | readonly AlternativeFunction[];
      }
    | {
        /** The dead letters that the call goes to. Not yet: refused at boot, there is no store of them. */
        queue: string;
        /** What the caller gets for it. */
        receipt?: unknown;
      }
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

/** What an entry may be; exactly one of them. */
const KINDS = ['handler', 'method', 'value', 'cache', 'alternative', 'queue'] as const;

const functions: OptionRule = (v) => {
  const list: readonly unknown[] = Array.isArray(v) ? [...(v as unknown[])] : [v]; // no holes
  const good = list.length > 0 && list.every((f) => typeof f === 'function');
  return good ? undefined : 'a function, or a list of at least one';
};

/** Looked into elsewhere, or anything at all. */
const anything: OptionRule = () => undefined;

const RULES: OptionRules<Record<(typeof KINDS)[number] | 'receipt' | 'on' | 'except', unknown>> = {
  handler: aFunction,
  method: text,
  value: anything,
  cache: anything,
  alternative: functions,
  queue: () => 'another kind of fallback: no dead-letter store configured',
  receipt: anything,
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
  const entries: readonly unknown[] = Array.isArray(plan) ? [...(plan as unknown[])] : [plan]; // no holes
  if (entries.length === 0)
    return [{ at, problem: 'got an empty list, expected at least one fallback' }];
  const mistakes = entries.flatMap((entry, i) =>
    checkEntry(entries.length === 1 ? at : `${at} [${i}]`, entry, hasMethod),
  );
  const caches = entries.filter((entry) => isOptionsObject(entry) && 'cache' in entry).length;
  if (caches > 1)
    mistakes.push({ at, problem: `got ${caches} times cache, expected it once in a list` });
  return mistakes;
}

function checkEntry(at: string, entry: unknown, hasMethod?: (name: string) => boolean): Mistake[] {
  if (typeof entry === 'function') return [];
  if (!isOptionsObject(entry)) {
    const kinds = KINDS.map((kind) => `{ ${kind} }`).join(', ');
    return [{ at, problem: `got ${show(entry)}, expected a function or one of ${kinds}` }];
  }
  const unreadable = checkObject(at, entry);
  if (unreadable.length > 0) return unreadable;
  const mistakes = checkOptions(at, entry, RULES);
  for (const key of ['handler', 'method', 'alternative', 'on', 'except'] as const) {
    // an error class that a circular import has not made yet must not come to mean every error
    if (!(key in entry) || entry[key] !== undefined) continue;
    mistakes.push({
      at: `${at} ${key}`,
      problem: `got undefined, expected ${RULES[key](undefined)}`,
    });
  }
  const kinds = KINDS.filter((kind) => kind in entry);
  if (kinds.length !== 1) {
    const got = kinds.length === 0 ? 'none of them' : kinds.join(' and ');
    mistakes.push({ at, problem: `got ${got}, expected exactly one of ${KINDS.join(', ')}` });
  }
  if ('cache' in entry) mistakes.push(...checkLastGood(`${at} cache`, entry['cache']));
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
