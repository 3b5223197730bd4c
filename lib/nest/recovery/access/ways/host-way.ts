import { type ExecutionContext, HttpException } from '@nestjs/common';
import { clean } from '../../../../errors/record/clean.js';
import { factsOf, headline } from '../../../../errors/record/facts.js';
import { SafeLogger } from '../../../safe-logger.js';
import type { AtRoute } from '../at-route.js';
import type { FailureLimiter } from '../failure-limiter.js';
import { OPERATIONS, type RecoveryAsk, type RecoveryOperation } from '../operations.js';
import { Refusal } from '../refusal.js';
import { addressOf, type HostRequest, rawRequest } from '../requests.js';
import { ANONYMOUS } from '../visit.js';
import { refuseBlocked, unauthorized, type Way } from './way.js';

const MAX_ACTOR = 100;
const MAX_LINE = 1_000;

/** Whoever code of the application lets in. Whatever goes wrong in it, the answer is no. */
export abstract class HostWay implements Way {
  private readonly logger = new SafeLogger('Bulwark');

  /** @param what it is called in the log */
  constructor(
    private readonly atRoute: AtRoute,
    private readonly what: string,
  ) {}

  /** `true`, or the name of the caller, lets it in. */
  protected abstract ask(context: ExecutionContext, ask: RecoveryAsk): unknown;

  async admit(
    context: ExecutionContext,
    operation: RecoveryOperation,
    limiter: FailureLimiter,
  ): Promise<string> {
    const address = addressOf(rawRequest(context.switchToHttp().getRequest()));
    // what it checks may be guessed, or dear: it is not asked again at once for one who fails
    refuseBlocked(limiter, address);
    try {
      return await this.actor(context, operation);
    } catch (error) {
      limiter.failed(address);
      throw error;
    }
  }

  async allowed(
    context: ExecutionContext,
    operations: readonly RecoveryOperation[],
  ): Promise<readonly RecoveryOperation[]> {
    const isAllowed = await Promise.all(
      operations.map((operation) =>
        this.actor(context, operation).then(
          () => true,
          () => false,
        ),
      ),
    );
    return operations.filter((_, i) => isAllowed[i]);
  }

  private async actor(context: ExecutionContext, operation: RecoveryOperation): Promise<string> {
    const answer = await this.answer(context, { operation, level: OPERATIONS[operation].level });
    if (typeof answer === 'string' && answer !== '') return clean(answer, MAX_ACTOR);
    if (answer !== true) throw forbidden();
    return userIn(context.switchToHttp().getRequest<HostRequest>());
  }

  private async answer(context: ExecutionContext, ask: RecoveryAsk): Promise<unknown> {
    try {
      return await this.ask(this.atRoute(context, ask.operation), ask);
    } catch (error) {
      if (error instanceof HttpException && error.getStatus() === 401) throw unauthorized();
      if (!(error instanceof HttpException)) {
        const line = `recovery: ${this.what} threw ${headline(factsOf(error))}`;
        this.logger.warn(clean(line, MAX_LINE));
      }
      throw forbidden();
    }
  }
}

function forbidden(): Refusal {
  return new Refusal(403, 'FORBIDDEN', 'The access control of the application says no.');
}

/** The usual names for who somebody is, as guards leave them on the request. */
function userIn({ user }: HostRequest): string {
  if (typeof user === 'string') return clean(user, MAX_ACTOR);
  if (typeof user !== 'object' || user === null) return ANONYMOUS;
  for (const field of ['id', 'sub', 'username', 'name', 'email']) {
    const value = (user as Record<string, unknown>)[field];
    if (typeof value === 'string' || typeof value === 'number')
      return clean(String(value), MAX_ACTOR);
  }
  return ANONYMOUS;
}
