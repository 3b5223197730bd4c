import type { ExecutionContext } from '@nestjs/common';
import type { FailureLimiter } from '../failure-limiter.js';
import { OPERATIONS, type RecoveryLevel, type RecoveryOperation } from '../operations.js';
import { Refusal } from '../refusal.js';
import { addressOf, headerOf, rawRequest } from '../requests.js';
import { LEVELS, type Secrets } from '../secrets.js';
import { refuseBlocked, unauthorized, type Way } from './way.js';

const BEARER = /^Bearer ([\x21-\x7e]{1,1000})$/;

/** Whoever has a token of the level. */
export class TokenWay implements Way {
  constructor(private readonly secrets: Secrets) {}

  async admit(
    context: ExecutionContext,
    operation: RecoveryOperation,
    limiter: FailureLimiter,
  ): Promise<string> {
    const known = this.find(context);
    if (known === undefined) {
      const raw = rawRequest(context.switchToHttp().getRequest());
      const address = addressOf(raw);
      // a right token is never kept out: others behind the same proxy could keep the operator out
      if (headerOf(raw, 'authorization') !== undefined) {
        refuseBlocked(limiter, address);
        limiter.failed(address);
      }
      throw unauthorized();
    }
    const { level } = OPERATIONS[operation];
    if (!includes(known.level, level))
      throw new Refusal(403, 'LEVEL', `This token does not open the level ${level}.`);
    return known.actor;
  }

  async allowed(
    context: ExecutionContext,
    operations: readonly RecoveryOperation[],
  ): Promise<readonly RecoveryOperation[]> {
    const level = this.find(context)?.level;
    return operations.filter((operation) => includes(level, OPERATIONS[operation].level));
  }

  private find(context: ExecutionContext): ReturnType<Secrets['find']> {
    const raw = rawRequest(context.switchToHttp().getRequest());
    const token = BEARER.exec(headerOf(raw, 'authorization') ?? '')?.[1];
    return token === undefined ? undefined : this.secrets.find(token);
  }
}

function includes(has: RecoveryLevel | undefined, wanted: RecoveryLevel): boolean {
  return has !== undefined && LEVELS.indexOf(has) >= LEVELS.indexOf(wanted);
}
