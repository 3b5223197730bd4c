import type { ModulesContainer } from '@nestjs/core';
import { PolicyInterceptor } from './interceptors.js';
import { isHandler } from './method-record.js';

type AnyFunction = (...args: never[]) => unknown;
type AnyClass = AnyFunction & { readonly prototype: object };

type Module = ModulesContainer extends Map<string, infer M> ? M : never;

/** A handler with one of our interceptors. */
export interface Intercepted {
  readonly interceptor: PolicyInterceptor;
  readonly controller: AnyClass;
  readonly handler: AnyFunction;
}

const INTERCEPTORS = '__interceptors__';

/**
 * Every handler on which `@UseInterceptors` puts one of ours, on the method or on its class. Global
 * interceptors are not among them: they make their state with the first call of each handler.
 */
export function interceptedHandlers(modules: ModulesContainer): Intercepted[] {
  return [...modules.values()].flatMap((module) =>
    [...module.controllers.values(), ...module.providers.values()]
      .map(({ metatype }) => metatype)
      .filter(isClass)
      .flatMap((controller) =>
        entriesOf(controller).flatMap(([handler, entry]) => {
          const interceptor = instanceOf(module, entry);
          return interceptor === undefined ? [] : [{ interceptor, controller, handler }];
        }),
      ),
  );
}

/** What Nest made of an entry of `@UseInterceptors`, if it is one of ours. */
function instanceOf({ injectables }: Module, entry: unknown): PolicyInterceptor | undefined {
  const wrapper = typeof entry === 'function' ? injectables.get(entry as never) : undefined;
  const made: unknown = wrapper?.isDependencyTreeStatic() === true ? wrapper.instance : entry;
  return made instanceof PolicyInterceptor ? made : undefined;
}

/** Interceptors of ours that are made anew for each request, and would forget what they counted. */
export function forgetfulInterceptors(modules: ModulesContainer): string[] {
  const names = [...modules.values()].flatMap(({ providers, injectables }) =>
    [...providers.values(), ...injectables.values()]
      .filter(
        ({ metatype }) => isClass(metatype) && metatype.prototype instanceof PolicyInterceptor,
      )
      .filter((wrapper) => !wrapper.isDependencyTreeStatic())
      .map(({ metatype }) => (metatype as AnyClass).name),
  );
  return [...new Set(names)];
}

function entriesOf(type: AnyClass): [AnyFunction, unknown][] {
  const ofClass = listOf(type);
  return methodsOf(type.prototype).flatMap((handler) => {
    return [...(isHandler(handler) ? ofClass : []), ...listOf(handler)].map(
      (entry): [AnyFunction, unknown] => [handler, entry],
    );
  });
}

function listOf(target: object): readonly unknown[] {
  const list: unknown = Reflect.getMetadata(INTERCEPTORS, target);
  return Array.isArray(list) ? list : [];
}

/** The methods that instances have, those of parents included unless they are overridden. */
function methodsOf(prototype: object): AnyFunction[] {
  const found = new Map<string | symbol, unknown>();
  for (
    let p: object | null = prototype;
    p !== null && p !== Object.prototype;
    p = Object.getPrototypeOf(p) as object | null
  ) {
    for (const key of Reflect.ownKeys(p)) {
      if (key === 'constructor' || found.has(key)) continue;
      found.set(key, Object.getOwnPropertyDescriptor(p, key)!.value);
    }
  }
  return [...found.values()].filter((value) => typeof value === 'function') as AnyFunction[];
}

function isClass(type: unknown): type is AnyClass {
  return (
    typeof type === 'function' && typeof type.prototype === 'object' && type.prototype !== null
  );
}
