// Decorators and guards in a Nest application.

/** Applies decorators to a method as the TypeScript compiler does; the first is the outermost. */
export function decorate(Class, key, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(Class.prototype, key);
  for (const decorator of decorators.toReversed()) decorator(Class.prototype, key, descriptor);
  Object.defineProperty(Class.prototype, key, descriptor);
}

/** `GET` of a handler with a denying guard below the decorator, on both adapters. */
export async function guarded(decorator, imports = []) {
  const { Controller, Get, UseGuards } = await import('@nestjs/common');
  const { Test } = await import('@nestjs/testing');
  const { ExpressAdapter } = await import('@nestjs/platform-express');
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  class Deny {
    canActivate() {
      return false;
    }
  }
  const statuses = [];
  for (const Adapter of [ExpressAdapter, FastifyAdapter]) {
    class Secrets {
      async read() {
        return 'SECRET';
      }
    }
    Reflect.defineMetadata('design:returntype', Promise, Secrets.prototype, 'read');
    decorate(Secrets, 'read', Get(), decorator(), UseGuards(Deny));
    Controller('secret')(Secrets);
    const module = await Test.createTestingModule({ imports, controllers: [Secrets] }).compile();
    const app = module.createNestApplication(new Adapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    statuses.push((await fetch(`${await app.getUrl()}/secret`)).status);
  }
  return { ok: statuses.every((s) => s === 403), saw: statuses.join(', ') };
}
