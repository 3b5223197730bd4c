import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Inject,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CheckpointError, type CheckpointErrorCode } from '../../../checkpoint/checkpoint.error.js';
import { type Clean, makeClean } from '../../../errors/record/clean.js';
import { factsOf, headline } from '../../../errors/record/facts.js';
import { isResilienceRejection } from '../../../kernel/rejection.js';
import { RecoveryError } from '../../../recovery/recovery.error.js';
import { Refusal } from '../access/refusal.js';
import { Visits } from '../access/visits.js';
import type { ResilienceConfig } from '../../config.js';
import { SafeLogger } from '../../safe-logger.js';
import { CONFIG } from '../../tokens.js';
import { outgoing } from './outgoing.js';

/** What a caller is told of an error. */
interface Told {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly facts?: object;
}

const MAX_LINE = 2_048;
const CHECKPOINT_STATUS: { readonly [C in CheckpointErrorCode]: number } = {
  CHECKPOINT_DAMAGED: 422,
  CHECKPOINT_VERSION: 422,
  CHECKPOINT_KEY: 422,
  CHECKPOINT_NAME: 400,
  CHECKPOINT_UNKNOWN: 404,
  CHECKPOINT_EXISTS: 409,
  CHECKPOINT_LOCKED: 503,
  CHECKPOINT_IO: 503,
  CHECKPOINT_FENCED: 503,
  CHECKPOINT_CLOSED: 503,
  CHECKPOINT_QUOTA: 507,
};

/** The answers of the recovery controller where something is wrong: always of one form, and never what a driver says. */
@Catch()
export class RecoveryErrorsFilter implements ExceptionFilter {
  private readonly logger = new SafeLogger('Bulwark');
  private readonly clean: Clean;

  constructor(
    @Inject(HttpAdapterHost) private readonly adapters: HttpAdapterHost,
    @Inject(Visits) private readonly visits: Visits,
    @Inject(CONFIG) config: ResilienceConfig | undefined,
  ) {
    this.clean = makeClean(config?.errors?.log?.redact);
  }

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType<string>() !== 'http') throw error;
    const http = host.switchToHttp();
    const response = http.getResponse<unknown>();
    const told = toldOf(error);
    const visit =
      this.visits.of(http.getRequest()) ?? this.visits.begin(http.getRequest(), response);
    // whoever stands before us in the application has refused it; who gave up waiting has not ended it
    if (!visit.isWorking) visit.settle(told.status < 500 ? 'denied' : 'failed', told.code);
    if (told.status === 500) {
      const facts = factsOf(error, { stack: true, clean: this.clean });
      const line = `recovery: request ${visit.requestId} failed: ${headline(facts)}`;
      this.logger.error(this.clean(line, MAX_LINE), facts.stack);
    }
    const { httpAdapter } = this.adapters;
    if (httpAdapter.isHeadersSent(response)) {
      httpAdapter.end(response); // a stream that failed midway can only be cut
      return;
    }
    for (const [name, value] of Object.entries({ ...told.headers, 'Cache-Control': 'no-store' }))
      httpAdapter.setHeader(response, name, value);
    const { status, code, message } = told;
    const { requestId } = visit;
    // one that knows nobody gets the same answer to every guess
    const id = status === 401 ? {} : { requestId };
    const body = { ...told.facts, success: false, code, message, ...id };
    httpAdapter.reply(response, outgoing(body, this.clean), status);
  }
}

/** The code that the audit has of an error. */
export function codeOf(error: unknown): string {
  return toldOf(error).code;
}

function toldOf(error: unknown): Told {
  if (error instanceof Refusal) {
    const { code, message, headers, facts } = error;
    return { status: error.getStatus(), code, message, headers, facts };
  }
  if (error instanceof RecoveryError) {
    const { status, code, message } = error;
    return { status, code, message };
  }
  if (error instanceof CheckpointError) {
    const { code } = error;
    return { status: CHECKPOINT_STATUS[code], code, message: 'The checkpoint store refused.' };
  }
  if (isResilienceRejection(error)) {
    const { status, code, retryAfter } = error;
    const headers: Record<string, string> = {};
    if (retryAfter !== undefined) headers['Retry-After'] = String(Math.ceil(retryAfter / 1_000));
    return { status, code, message: 'It was refused for now.', headers };
  }
  if (error instanceof HttpException) {
    const status = error.getStatus();
    const message = 'The application refused the request.';
    return { status, code: status === 401 ? 'UNAUTHORIZED' : 'REFUSED', message };
  }
  return {
    status: 500,
    code: 'INTERNAL',
    message: 'It failed; the log of the application says why, under this requestId.',
  };
}
