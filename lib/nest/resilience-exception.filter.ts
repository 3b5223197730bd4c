import { type ArgumentsHost, Catch, type ExceptionFilter, HttpStatus } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ResilienceRejection } from '../kernel/rejection.js';

/**
 * Answers a refusal with its status and a `Retry-After` header. Optional: without it Nest answers
 * with the same status. `app.useGlobalFilters(app.get(ResilienceExceptionFilter))` or `@UseFilters`.
 */
@Catch(ResilienceRejection)
export class ResilienceExceptionFilter implements ExceptionFilter<ResilienceRejection> {
  constructor(private readonly adapters: HttpAdapterHost) {}

  catch(error: ResilienceRejection, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const { httpAdapter } = this.adapters;
    const response: unknown = host.switchToHttp().getResponse();
    // whole seconds, rounded up: a client that comes back early would only be refused again
    if (error.retryAfter !== undefined) {
      httpAdapter.setHeader(response, 'Retry-After', String(Math.ceil(error.retryAfter / 1_000)));
    }
    const message =
      HttpStatus[error.status]?.toLowerCase().replaceAll('_', ' ') ?? 'service unavailable';
    httpAdapter.reply(
      response,
      { statusCode: error.status, message, code: error.code },
      error.status,
    );
  }
}
