import { Inject, Injectable } from '@nestjs/common';
import { SafeLogger } from '../../safe-logger.js';
import type { Clock } from '../../../kernel/clock.js';
import { ignore } from '../../../kernel/ignore.js';
import type { ResilienceConfig } from '../../config.js';
import { CLOCK, CONFIG } from '../../tokens.js';
import { recoveryConfigOf } from '../recovery.config.js';
import { OPERATIONS, type RecoveryOperation } from './operations.js';
import { rawRequest, rawResponse } from './requests.js';
import { type AuditRecord, Visit } from './visit.js';

/** The requests that are on their way through the controller, and the audit of them. */
@Injectable()
export class Visits {
  private readonly logger = new SafeLogger('Bulwark');
  private readonly byRequest = new WeakMap<object, Visit>();
  private readonly audit: ((record: AuditRecord) => unknown) | undefined;

  constructor(
    @Inject(CONFIG) config: ResilienceConfig | undefined,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.audit = recoveryConfigOf(config).audit;
  }

  /** @param operation undefined where the request was refused before anybody looked what it was */
  begin(request: unknown, response: unknown, operation?: RecoveryOperation): Visit {
    const raw = rawRequest(request);
    const level = operation === undefined ? 'unknown' : OPERATIONS[operation].level;
    const visit = new Visit(operation ?? 'unknown', level, raw, rawResponse(response), (facts) =>
      this.tell({ at: this.clock.epoch(), ...facts }),
    );
    this.byRequest.set(raw, visit);
    return visit;
  }

  of(request: unknown): Visit | undefined {
    return this.byRequest.get(rawRequest(request));
  }

  private tell(record: AuditRecord): void {
    if (this.audit === undefined) {
      const { operation, outcome, actor, address, code, requestId } = record;
      const why = code === undefined ? '' : ` (${code})`;
      const line = `recovery: ${operation} ${outcome}${why} for ${actor} at ${address}, request ${requestId}`;
      if (outcome === 'done') this.logger.log(line, record);
      else this.logger.warn(line, record);
      return;
    }
    try {
      ignore(this.audit(record));
    } catch {
      this.logger.error('recovery: the function given as recovery.audit threw', record);
    }
  }
}
