import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { ResilienceConfig } from '../../config.js';
import { CONFIG } from '../../tokens.js';
import { type RecoveryConfig, recoveryConfigOf } from '../recovery.config.js';
import { OPERATIONS, operationOf } from './operations.js';
import { RecoveryAccess } from './recovery-access.js';
import { Refusal } from './refusal.js';
import { checkBody, checkSource } from './request-rules.js';
import { Visits } from './visits.js';

/** What a host's CORS puts on every answer is not for these. */
const GRANTS = ['Access-Control-Allow-Origin', 'Access-Control-Allow-Credentials'];

interface AnyResponse {
  removeHeader(name: string): unknown;
  header(name: string, value: string): unknown;
}

/** Stands before every route of the recovery controller, and before nothing else. */
@Injectable()
export class RecoveryGate implements CanActivate {
  private readonly config: RecoveryConfig;

  constructor(
    @Inject(RecoveryAccess) private readonly access: RecoveryAccess,
    @Inject(Visits) private readonly visits: Visits,
    @Inject(CONFIG) config: ResilienceConfig | undefined,
  ) {
    this.config = recoveryConfigOf(config);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return false;
    const operation = operationOf(context.getHandler());
    if (operation === undefined) return false;
    const http = context.switchToHttp();
    const request = http.getRequest<object>();
    const response = http.getResponse<AnyResponse>();
    const visit = this.visits.begin(request, response, operation);
    visit.context = context;
    for (const name of GRANTS) {
      response.removeHeader(name);
      visit.response.removeHeader(name); // where Fastify has middleware, that has a copy of them
    }
    response.header('Cache-Control', 'no-store');
    response.header('X-Content-Type-Options', 'nosniff');
    response.header('X-Request-Id', visit.requestId);
    try {
      checkSource(request, this.config);
      checkBody(request);
      visit.actor = await this.access.admit(context, operation);
      if (!this.access.isEnabled(operation)) {
        const { danger } = OPERATIONS[operation] as { danger?: string };
        const message = `It is not enabled: recovery.danger lacks '${danger}'.`;
        throw new Refusal(403, 'DANGER_DISABLED', message);
      }
      return true;
    } catch (error) {
      visit.settle('denied', error instanceof Refusal ? error.code : 'ERROR');
      throw error;
    }
  }
}
