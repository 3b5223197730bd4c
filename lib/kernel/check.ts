import { MAX_TIMER } from './duration.js';

/** Something wrong with a configuration: where, what came, what was expected. */
export interface Mistake {
  /** The option with the place it was found, such as `FeesClient.quote @Retry maxAttempts`. */
  readonly at: string;
  readonly problem: string;
}

/** The configuration cannot be used. The message lists every mistake. */
export class ResilienceConfigError extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    const lines = mistakes.map(({ at, problem }) => `  - ${at}: ${problem}`);
    const count = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`;
    super(`Bulwark cannot start, ${count} in its configuration:\n${lines.join('\n')}`);
    this.name = 'ResilienceConfigError';
    this.mistakes = mistakes;
  }
}

/** What came, short enough for one line of a message and safe for any value. */
export function show(value: unknown): string {
  try {
    return describe(value);
  } catch {
    return 'what cannot be read'; // a proxy, or a name that is a getter, may throw
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  }
  if (typeof value === 'function')
    return value.name === '' ? 'a function' : `function ${value.name}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) {
    const kind = kindOf(value);
    return kind === 'Object' ? 'an object' : `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`;
  }
  return String(value);
}

/** `Object`, or the kind of the built-in, such as `Map`. */
function kindOf(value: object): string {
  try {
    return Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    return 'Object'; // its tag is a getter that throws
  }
}

/** Tests one option; answers what was expected, or undefined if the value is good. */
export type OptionRule = (value: unknown) => string | undefined;

/** A whole number in a range, both ends included. */
export const integer =
  (min: number, max: number = Number.MAX_SAFE_INTEGER): OptionRule =>
  (v) =>
    Number.isInteger(v) && (v as number) >= min && (v as number) <= max
      ? undefined
      : `a whole number ${range(min, max)}`;

/** Any finite number in a range, both ends included. */
export const number =
  (min: number, max: number = Number.MAX_VALUE, unit = ''): OptionRule =>
  (v) =>
    typeof v === 'number' && v >= min && v <= max
      ? undefined
      : `a number${unit} ${range(min, max)}`;

/** A time span in milliseconds that a timer can hold. */
export const span = (min: number, max = MAX_TIMER): OptionRule =>
  number(min, max, ' of milliseconds');

/** A share: more than 0, at most 1. */
export const ratio: OptionRule = (v) =>
  typeof v === 'number' && v > 0 && v <= 1 ? undefined : 'a number above 0 and at most 1';

export const boolean: OptionRule = (v) => (typeof v === 'boolean' ? undefined : 'true or false');

export const aFunction: OptionRule = (v) => (typeof v === 'function' ? undefined : 'a function');

export const text: OptionRule = (v) =>
  typeof v === 'string' && v.trim() !== '' ? undefined : 'a string that is not empty';

export const oneOf =
  (...words: readonly string[]): OptionRule =>
  (v) =>
    words.includes(v as string) ? undefined : words.map((w) => `'${w}'`).join(' or ');

/** Good if one of the rules is content. */
export const either =
  (...rules: readonly OptionRule[]): OptionRule =>
  (v) => {
    const wishes = rules.map((rule) => rule(v));
    return wishes.includes(undefined) ? undefined : wishes.join(', or ');
  };

/** The rules of an options object, one per option it may have. */
export type OptionRules<T> = { readonly [K in keyof Required<T>]: OptionRule };

/** Whether the value is an object that can carry options. */
export function isOptionsObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !isList(value);
}

function isList(value: object): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return true; // a revoked proxy carries no options either
  }
}

/**
 * What is wrong with an options object as a whole. Only its own fields are read, so a Map, a promise,
 * a getter of a class or an inherited field would be passed over and the defaults used in silence.
 */
export function checkObject(at: string, value: unknown, expected = 'an options object'): Mistake[] {
  if (!isOptionsObject(value) || kindOf(value) !== 'Object')
    return [{ at, problem: `got ${show(value)}, expected ${expected}` }];
  let place = at;
  try {
    const hidden = inherited(value);
    if (hidden !== undefined) {
      const problem =
        'is inherited, so it would not be read; expected a field of the object itself';
      return [{ at: `${at} ${hidden}`, problem }];
    }
    for (const key of Object.keys(value)) {
      place = `${at} ${key}`;
      void value[key];
    }
    return [];
  } catch (error) {
    const what = error instanceof Error ? error.message : show(error);
    return [{ at: place, problem: `cannot be read: ${what}` }];
  }
}

/** What an object has from a prototype, besides methods. */
function inherited(value: object): string | undefined {
  let prototype = Object.getPrototypeOf(value) as object | null;
  while (prototype !== null && !Object.hasOwn(prototype, 'isPrototypeOf')) {
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (property.enumerable === true || property.get !== undefined) return key;
    }
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return undefined;
}

/** Finds every mistake in an options object. An option that is undefined counts as not given. */
export function checkOptions<T>(at: string, options: unknown, rules: OptionRules<T>): Mistake[] {
  const mistakes = checkObject(at, options);
  if (mistakes.length > 0) return mistakes;
  for (const [key, value] of Object.entries(options as object) as [string, unknown][]) {
    const rule = Object.hasOwn(rules, key) ? rules[key as keyof T] : undefined;
    const expected =
      rule === undefined ? knownOptions(rules) : value === undefined ? undefined : rule(value);
    if (expected !== undefined) {
      const problem =
        rule === undefined
          ? `unknown option; ${expected}`
          : `got ${show(value)}, expected ${expected}`;
      mistakes.push({ at: `${at} ${key}`, problem });
    }
  }
  return mistakes;
}

function knownOptions(rules: object): string {
  return `known are ${Object.keys(rules).join(', ')}`;
}

function range(min: number, max: number): string {
  return max >= Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
}
