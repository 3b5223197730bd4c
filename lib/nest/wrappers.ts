import type { ModulesContainer } from '@nestjs/core';

type Module = ModulesContainer extends Map<string, infer M> ? M : never;

/** The parts of Nest's `InstanceWrapper` that are read here. */
export interface Wrapper {
  readonly instance?: unknown;
  metatype?: unknown;
  readonly inject?: unknown;
  readonly isAlias?: boolean;
  readonly isTransient?: boolean;
  isDependencyTreeStatic(): boolean;
  getInstanceByContextId(context: { readonly id: number }): { readonly isResolved?: boolean };
  getStaticTransientInstances?(): readonly ({ readonly instance?: unknown } | undefined)[];
}

/** Everything of a module that Nest makes instances of, or that has one already. */
export function wrappersOf(module: Module): Wrapper[] {
  const { providers, controllers, injectables, middlewares } = module;
  return [providers, controllers, injectables, middlewares].flatMap(
    (collection) => [...collection.values()] as Wrapper[],
  );
}

/** The same of all modules. */
export function allWrappers(modules: ModulesContainer): Wrapper[] {
  return [...modules.values()].flatMap(wrappersOf);
}
