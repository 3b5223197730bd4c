import {
  Controller,
  type ControllerOptions,
  type INestApplication,
  Module,
  type Type,
} from '@nestjs/common';

export const MINE = 'the application itself';

/** A controller with one handler. */
export function controller(
  path: string | string[] | ControllerOptions | undefined,
  handler: MethodDecorator,
): Type {
  class Mine {
    read(): string {
      return MINE;
    }
  }
  if (path === undefined) Controller()(Mine);
  else Controller(path as string)(Mine);
  handler(Mine.prototype, 'read', Object.getOwnPropertyDescriptor(Mine.prototype, 'read')!);
  return Mine;
}

export function moduleWith(controllers: Type[]): Type {
  @Module({ controllers })
  class HostModule {}
  return HostModule;
}

export interface RawServer {
  get(path: string, handler: (request: unknown, reply: { send(body: string): void }) => void): void;
  post: RawServer['get'];
}

/** A route on the Express or Fastify instance itself. */
export function raw(app: INestApplication, path: string, method: 'get' | 'post' = 'get'): void {
  const server = app.getHttpAdapter().getInstance() as RawServer;
  server[method](path, (_request, reply) => reply.send(MINE));
}
