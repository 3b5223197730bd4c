import { type Mistake, ResilienceConfigError, show } from '../kernel/check.js';
import type { Method } from '../pipeline/call.js';
import type { PolicySet } from '../pipeline/policy-set.js';
import { runPromise } from '../pipeline/promise-face.js';
import type { Target } from '../pipeline/target.js';

// oxlint-disable-next-line typescript/no-explicit-any -- parameters are contravariant
type PromiseMethod = (...args: any[]) => Promise<any>;

/** Policies, or the name of a preset, for methods of an object that return a promise. */
export type MethodPolicies<T> = {
  readonly [K in keyof T as T[K] extends PromiseMethod ? K : never]?: PolicySet | string;
};

/**
 * A proxy of the object whose listed methods run through their targets. All methods run on the
 * object itself, so that private fields work.
 */
export function wrapObject<T extends object>(
  object: T,
  policies: Readonly<Record<string, PolicySet | string>>,
  targetsOf: (named: readonly [name: string, policies: PolicySet | string][]) => Target[],
): T {
  const kind = object.constructor?.name ?? 'Object';
  const mistakes = Object.keys(policies).flatMap((key) => mistakesOf(object, kind, key));
  if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
  const keys = Object.keys(policies);
  const made = targetsOf(keys.map((key) => [`${kind}.${key}`, policies[key]!]));
  const targets = new Map<PropertyKey, Target>(keys.map((key, i) => [key, made[i]!]));

  /** The same function for the same method, as an object would give. */
  const bound = new WeakMap<object, Map<PropertyKey, unknown>>();
  const bind = (key: PropertyKey, method: Method): unknown => {
    let byKey = bound.get(method);
    if (byKey === undefined) bound.set(method, (byKey = new Map<PropertyKey, unknown>()));
    let made = byKey.get(key);
    if (made === undefined) {
      const target = targets.get(key);
      // of itself, for what hangs on the function, such as the static members of a class
      made = new Proxy(method, {
        apply: (_method, _self, args: unknown[]) => {
          if (target !== undefined) return runPromise(target, method, object, args);
          const answer: unknown = Reflect.apply(method, object, args);
          return answer === object ? wrapped : answer; // a chain goes on with its policies
        },
      });
      byKey.set(key, made);
    }
    return made;
  };
  const wrapped: T = new Proxy(object, {
    get(from, key) {
      const value: unknown = Reflect.get(from, key, from);
      return typeof value === 'function' && key !== 'constructor' && !isFixed(from, key)
        ? bind(key, value as Method)
        : value;
    },
    set: (from, key, value) => Reflect.set(from, key, value, from),
  });
  return wrapped;
}

function mistakesOf(object: object, kind: string, key: string): Mistake[] {
  const at = `wrapObject ${kind}.${key}`;
  const value = (object as Record<string, unknown>)[key];
  if (typeof value !== 'function')
    return [{ at, problem: `got ${show(value)}, expected a method of the object` }];
  if (!isFixed(object, key)) return [];
  return [{ at, problem: 'got a frozen property, expected one that may be another; use wrap' }];
}

/** What cannot be changed must be given as it is, or the language throws. */
function isFixed(object: object, key: PropertyKey): boolean {
  const own = Reflect.getOwnPropertyDescriptor(object, key);
  return own?.configurable === false && own.writable === false;
}
