import type { Type } from '@nestjs/common';
import { OPERATIONS, operationOf, type RecoveryOperation } from './access/operations.js';

type Decorate = (options: object) => MethodDecorator;

/** What is used of `@nestjs/swagger`. */
interface Swagger {
  ApiTags(name: string): ClassDecorator;
  ApiBearerAuth(): ClassDecorator;
  ApiOperation: Decorate;
  ApiBody: Decorate;
  ApiParam: Decorate;
  ApiQuery: Decorate;
  ApiResponse: Decorate;
}

const text = { type: 'string' };
const flag = { type: 'boolean', default: false };
const key = { ...text, description: 'Which one, where each key has a circuit breaker of its own' };
const backup_name = { ...text, maxLength: 100 };

/** The fields of the bodies. */
const BODIES: { readonly [O in RecoveryOperation]?: Record<string, object> } = {
  reset: { key },
  isolate: { ttl_ms: { type: 'integer', minimum: 1_000, default: 600_000 }, reason: text, key },
  release: { key },
  backup: { name: backup_name },
  reconnect: { name: text },
  restore: { backup_name, dry_run: flag },
  fix: { force_rollback: flag, dry_run: flag },
  delete: { backup_name },
  cleanup: { keep: { type: 'integer', minimum: 0 } },
  shutdown: { reason: text },
};
const REQUIRED = new Set(['backup_name', 'keep']);
const LISTS: readonly string[] = ['errors', 'actions'];

/** Documents the routes where `@nestjs/swagger` is there; it is nobody's dependency. */
export async function describeToSwagger(
  controller: Type,
  load: () => Promise<unknown> = loadSwagger,
): Promise<void> {
  try {
    describe(controller, (await load()) as Swagger);
  } catch {
    // not installed, or not as we know it: the routes work without
  }
}

/** Each decorator adds to what is there: a module may be that of many applications, and handlers are those of all. */
const described = new WeakSet<object>();

function isNew(what: object): boolean {
  if (described.has(what)) return false;
  described.add(what);
  return true;
}

function describe(controller: Type, swagger: Swagger): void {
  if (isNew(controller)) {
    swagger.ApiTags('recovery')(controller);
    swagger.ApiBearerAuth()(controller);
  }
  const endpoints = Object.getPrototypeOf(controller.prototype) as object;
  for (const name of Object.getOwnPropertyNames(endpoints)) {
    const descriptor = Object.getOwnPropertyDescriptor(endpoints, name)!;
    const operation = typeof descriptor.value === 'function' && operationOf(descriptor.value);
    if (!operation || !isNew(descriptor.value as object)) continue;
    for (const decorator of decoratorsOf(operation, swagger))
      decorator(controller.prototype as object, name, descriptor);
  }
}

function decoratorsOf(operation: RecoveryOperation, swagger: Swagger): MethodDecorator[] {
  const { path, level, summary, ...rest } = OPERATIONS[operation];
  const { danger, status = 200 } = rest as { danger?: string; status?: number };
  const needs = danger === undefined ? '' : `, enabled by \`${danger}\` in \`recovery.danger\``;
  const body = BODIES[operation];
  const given = (names: readonly string[], decorator: (name: string) => MethodDecorator) =>
    names.map((name) => decorator(name));
  return [
    swagger.ApiOperation({
      operationId: `recovery_${operation}`,
      summary,
      description: `Level ${level}${needs}.`,
    }),
    swagger.ApiResponse({ status, description: 'What was asked for, with `success`' }),
    swagger.ApiResponse({ status: 401, description: 'No credential, or a wrong one' }),
    swagger.ApiResponse({ status: 403, description: 'Not for this credential, or not enabled' }),
    ...given(path.includes(':name') ? ['name'] : [], (name) =>
      swagger.ApiParam({ name, schema: text }),
    ),
    ...given(LISTS.includes(operation) ? ['limit'] : [], (name) =>
      swagger.ApiQuery({
        name,
        required: false,
        schema: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
      }),
    ),
    ...(body === undefined ? [] : [swagger.ApiBody({ required: false, schema: schemaOf(body) })]),
  ];
}

function schemaOf(properties: Record<string, object>): object {
  const required = Object.keys(properties).filter((name) => REQUIRED.has(name));
  const needs = required.length === 0 ? {} : { required };
  return { type: 'object', properties, additionalProperties: false, ...needs };
}

function loadSwagger(): Promise<unknown> {
  const name = '@nestjs/swagger'; // not for the compiler to look for
  return import(name);
}
