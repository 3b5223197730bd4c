import type { IncomingMessage } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { NestApplicationOptions } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from '../app.module.js';
import type { NodeSettings } from '../settings.js';

/** Within these a request must have arrived: who sends it drop by drop holds a connection no longer. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** A node, ready to listen. */
export async function createNode(
  settings: NodeSettings,
  options: Pick<NestApplicationOptions, 'logger'> = {},
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(settings), {
    ...options,
    abortOnError: false,
    // Bodies of /rpc are read by its controller: what is wrong with one is to be answered as
    // JSON-RPC, and a parser ahead of it would answer as it likes. Those of /recovery are parsed.
    bodyParser: false,
    // Without it, closing would wait for clients that keep their connection open.
    forceCloseConnections: true,
  });
  app.useBodyParser('json', { type: isForRecovery });
  const server = app.getHttpServer();
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  return app;
}

function isForRecovery({ url }: IncomingMessage): boolean {
  return url?.startsWith('/recovery/') === true;
}
