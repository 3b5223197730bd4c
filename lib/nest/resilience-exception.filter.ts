import { type ArgumentsHost, Catch, type ExceptionFilter, HttpStatus } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Observable, throwError } from 'rxjs';
import { ResilienceRejection } from '../kernel/rejection.js';

/** What a client may know of a refusal. Not its message, which names classes. */
interface PublicRefusal {
  readonly message: string;
  readonly code: string;
}

/** A socket.io client sends with `emit`, a native WebSocket with `send`; its `emit` stays at home. */
interface SocketClient {
  readonly readyState?: unknown;
  send?(text: string): void;
  emit?(event: string, data: unknown): void;
}

/**
 * Answers a refusal with its status and a `Retry-After` header, over microservices and WebSockets
 * with its code and `retryAfter`, over GraphQL with both in `extensions`. Optional: without it Nest answers with the same status.
 * `app.useGlobalFilters(app.get(ResilienceExceptionFilter))` or `@UseFilters`.
 */
@Catch(ResilienceRejection)
export class ResilienceExceptionFilter implements ExceptionFilter<ResilienceRejection> {
  constructor(private readonly adapters: HttpAdapterHost) {}

  catch(error: ResilienceRejection, host: ArgumentsHost): Observable<never> | void {
    const message =
      HttpStatus[error.status]?.toLowerCase().replaceAll('_', ' ') ?? 'service unavailable';
    const refusal: PublicRefusal = { message, code: error.code };
    switch (host.getType<string>()) {
      case 'http':
        this.reply(error, refusal, host.switchToHttp().getResponse());
        return;
      case 'rpc':
        return throwError(() => ({ status: 'error', ...refusal, ...waitOf(error) }));
      case 'ws':
        send(host.switchToWs().getClient<SocketClient>(), {
          status: 'error',
          ...refusal,
          ...waitOf(error),
        });
        return;
      default:
        // GraphQL and others make an answer of an error themselves, its message included
        throw Object.assign(new Error(message), {
          extensions: { code: error.code, ...waitOf(error) },
          cause: error,
        });
    }
  }

  private reply(error: ResilienceRejection, refusal: PublicRefusal, response: unknown): void {
    const { httpAdapter } = this.adapters;
    if (httpAdapter.isHeadersSent(response)) {
      httpAdapter.end(response); // a stream that failed midway can only be cut
      return;
    }
    // whole seconds, rounded up: a client that comes back early would only be refused again
    if (error.retryAfter !== undefined) {
      httpAdapter.setHeader(response, 'Retry-After', String(Math.ceil(error.retryAfter / 1_000)));
    }
    httpAdapter.reply(response, { statusCode: error.status, ...refusal }, error.status);
  }
}

function waitOf({ retryAfter }: ResilienceRejection): object {
  return retryAfter === undefined ? {} : { retryAfter: Math.ceil(retryAfter) };
}

function send(client: SocketClient, data: object): void {
  if (typeof client.readyState === 'number')
    client.send?.(JSON.stringify({ event: 'exception', data }));
  else client.emit?.('exception', data);
}
