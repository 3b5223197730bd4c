import { RequestMethod, type Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

type Module = ModulesContainer extends Map<string, infer M> ? M : never;

/**
 * Takes our controller out of the application if the host serves the path itself: the host's own
 * wins, and a second handler for one path would not start on Fastify. Must run before routes are
 * registered. Answers whether it withdrew.
 */
export function withdrawIfTaken(modules: ModulesContainer, ours: Type): boolean {
  const all = [...modules.values()];
  const home = all.find((module) => module.controllers.has(ours));
  if (home === undefined) return false;
  const mine = new Set(routesOf(home, ours, modules));
  const taken = all.some((module) =>
    [...module.controllers.keys()].some(
      (controller) =>
        controller !== ours &&
        typeof controller === 'function' &&
        routesOf(module, controller as Type, modules).some((route) => mine.has(route)),
    ),
  );
  if (taken) home.controllers.delete(ours);
  return taken;
}

/** The paths a controller answers GET on, and the controller's own. */
function routesOf(module: Module, controller: Type, modules: ModulesContainer): string[] {
  const prefix = modulePath(module, modules);
  const prototype = controller.prototype as object;
  const bases = paths(Reflect.getMetadata('path', controller)).map((path) => join(prefix, path));
  const handlers = methodsOf(prototype)
    .filter((handler) => {
      const method: unknown = Reflect.getMetadata('method', handler);
      return method === RequestMethod.GET || method === RequestMethod.ALL;
    })
    .flatMap((handler) => paths(Reflect.getMetadata('path', handler)));
  // a bare `@Controller()` is at home everywhere: only its handlers are on a path
  const named = bases.filter((base) => base !== '');
  return [...named, ...bases.flatMap((base) => handlers.map((path) => join(base, path)))];
}

/** What `RouterModule` puts before the paths of a module. */
function modulePath(module: Module, modules: ModulesContainer): string {
  const key = `__module_path__${(modules as { applicationId?: string }).applicationId ?? ''}`;
  return paths(Reflect.getMetadata(key, module.metatype))[0] ?? '';
}

function paths(metadata: unknown): string[] {
  if (metadata === undefined) return [];
  return (Array.isArray(metadata) ? metadata : [metadata]).filter(
    (path) => typeof path === 'string',
  );
}

function join(...parts: string[]): string {
  return parts
    .flatMap((part) => part.split('/'))
    .filter((part) => part !== '')
    .join('/')
    .toLowerCase();
}

function methodsOf(prototype: object): object[] {
  const found: object[] = [];
  for (
    let p = prototype;
    p !== Object.prototype && p !== null;
    p = Object.getPrototypeOf(p) as object
  ) {
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(p)) as {
      value?: unknown;
    }[]) {
      if (typeof value === 'function') found.push(value);
    }
  }
  return found;
}
