import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Closable } from '../../recovery/recovery-manager.js';
import type { Traffic } from '../../recovery/shutdown/shutdown-host.js';

/** Nobody is surprised: Nest answers refusals of ours with the same. */
const REFUSAL = JSON.stringify({ statusCode: 503, message: 'Service Unavailable' });

/** The traffic of an application without a server of its own. */
const NONE: Traffic = {
  isListening: true,
  requests: 0,
  connections: 0,
  sayGoodbye() {},
  stop() {},
  refuse() {},
  disconnect() {},
};

/** The HTTP requests of an application, whatever framework answers them. */
export class HttpTraffic implements Traffic {
  private readonly open = new Set<ServerResponse>();
  private sockets = 0;
  private isLeaving = false;
  private isStopped = false;

  constructor(private readonly server: Server) {
    server.prependListener('connection', (socket: Socket) => {
      this.sockets += 1;
      socket.once('close', () => (this.sockets -= 1));
    });
    server.prependListener('request', (_, response) => this.arrived(response));
  }

  static of(app: Closable): Traffic {
    const server = app.getHttpServer?.() as Server | undefined;
    return typeof server?.prependListener === 'function' ? new HttpTraffic(server) : NONE;
  }

  get isListening(): boolean {
    return this.server.listening;
  }

  get requests(): number {
    return this.open.size;
  }

  get connections(): number {
    return this.sockets;
  }

  sayGoodbye(): void {
    this.isLeaving = true;
    for (const response of this.open) response.shouldKeepAlive = false;
  }

  stop(): void {
    this.isStopped = true;
    this.server.close();
    this.closeIdle();
    for (const response of this.open) if (isEventStream(response)) end(response);
  }

  refuse(): void {
    for (const response of this.open) {
      if (isEventStream(response)) end(response);
      else if (response.headersSent) response.destroy();
      else answerRefusal(response);
    }
  }

  disconnect(): void {
    this.server.closeAllConnections?.(); // HTTP/2 has none
  }

  private arrived(response: ServerResponse): void {
    this.open.add(response);
    if (this.isLeaving) response.shouldKeepAlive = false;
    response.once('close', () => {
      this.open.delete(response);
      // its headers may have promised to keep the connection, as those of event streams do
      if (this.isStopped) setImmediate(() => this.closeIdle());
    });
  }

  private closeIdle(): void {
    this.server.closeIdleConnections?.();
  }
}

/** Node keeps the headers that were sent as text, and no other way: `writeHead` may pass `getHeader` by. */
function isEventStream(response: ServerResponse): boolean {
  const { _header: sent } = response as { _header?: unknown };
  return typeof sent === 'string' && /^content-type:\s*text\/event-stream/im.test(sent);
}

/** Whoever still writes into it does so in vain, and breaks nothing. */
function end(response: ServerResponse): void {
  response.on('error', () => {});
  response.end();
}

function answerRefusal(response: ServerResponse): void {
  try {
    response.shouldKeepAlive = false;
    response.writeHead(503, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(REFUSAL),
    });
    response.on('error', () => {});
    response.end(REFUSAL);
  } catch {
    response.destroy();
  }
}
