import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** This sample is for looking at, not for strangers: it listens on this machine only. */
export const HOST = '127.0.0.1';

export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';

  constructor(port: number, variable: string) {
    super(`port ${port} is taken: choose another one with ${variable}=<port>`);
  }
}

/** Rethrows what listening failed with, in words that say what to do about a taken port. */
export function explained(error: unknown, port: number, variable: string): unknown {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  return taken ? new PortTakenError(port, variable) : error;
}

export function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve(urlOf(server));
    });
  });
}

export function urlOf(server: Server): string {
  const { port } = server.address() as AddressInfo;
  return `http://${HOST}:${port}`;
}

export function portFrom(text: string | undefined, otherwise: number, variable: string): number {
  if (text === undefined || text === '') return otherwise;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`${variable} must be a port from 0 to 65535, not ${JSON.stringify(text)}`);
  }
  return port;
}
