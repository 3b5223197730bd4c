import type { IncomingMessage } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { NestApplicationOptions } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from '../app.module.js';
import type { NodeSettings } from '../settings.js';

const RPC_BODY_LIMIT = '64kb';

/** A node, ready to listen. */
export async function createNode(
  settings: NodeSettings,
  options: Pick<NestApplicationOptions, 'logger'> = {},
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(settings), {
    ...options,
    abortOnError: false,
    // Without it, closing would wait for clients that keep their connection open.
    forceCloseConnections: true,
  });
  // JSON-RPC has an error of its own for JSON that does not parse, so it gets the bare text.
  app.useBodyParser('text', { type: isRpc, limit: RPC_BODY_LIMIT });
  return app;
}

function isRpc(request: IncomingMessage): boolean {
  return request.url?.split('?')[0] === '/rpc';
}
