import type { ExecutionContext, Type } from '@nestjs/common';
import { operationOf, type RecoveryOperation } from './operations.js';

/** The same request, as if it had been made to the route of that operation. */
export type AtRoute = (context: ExecutionContext, operation: RecoveryOperation) => ExecutionContext;

/**
 * What guards of the application see: they go by the metadata of class and handler, and what is
 * `@Public()` elsewhere, such as /health, says nothing of recovery.
 *
 * @param controller undefined where none is mounted
 */
export function atRouteOf(controller: Type | undefined): AtRoute {
  if (controller === undefined) return (context) => context;
  const endpoints = Object.getPrototypeOf(controller.prototype) as object;
  const handlers = new Map<RecoveryOperation, unknown>();
  for (const { value } of Object.values(Object.getOwnPropertyDescriptors(endpoints))) {
    const operation = typeof value === 'function' && operationOf(value as object);
    if (operation) handlers.set(operation, value);
  }
  return (context, operation) =>
    Object.create(context, {
      getClass: { value: () => controller },
      getHandler: { value: () => handlers.get(operation) },
    }) as ExecutionContext;
}
