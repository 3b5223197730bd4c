import { type ExecutionContext, Inject, Injectable, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Mistake } from '../../../kernel/check.js';
import type { Clock } from '../../../kernel/clock.js';
import type { ResilienceConfig } from '../../config.js';
import { CLOCK, CONFIG } from '../../tokens.js';
import { type RecoveryConfig, recoveryConfigOf } from '../recovery.config.js';
import { type AtRoute, atRouteOf } from './at-route.js';
import { FailureLimiter } from './failure-limiter.js';
import { OPERATIONS, RECOVERY_CONTROLLER, type RecoveryOperation } from './operations.js';
import { checkSource } from './request-rules.js';
import { rawRequest } from './requests.js';
import { freshToken, Secrets } from './secrets.js';
import { FunctionWay } from './ways/function-way.js';
import { GuardWay } from './ways/guard-way.js';
import { TokenWay } from './ways/token-way.js';
import { CLOSED, type Way } from './ways/way.js';

/** Decides who may do what with the recovery of the application. */
@Injectable()
export class RecoveryAccess {
  /** The token of this run, where nobody configured another way in and somebody watches the log. */
  readonly freshToken: string | undefined;
  private readonly config: RecoveryConfig;
  private readonly way: Way;
  private readonly limiter: FailureLimiter;
  /** Of its own: those who ask for /health must not keep the operator out of here. */
  private readonly limiterOfReaders: FailureLimiter;

  constructor(
    @Inject(CONFIG) config: ResilienceConfig | undefined,
    @Inject(CLOCK) clock: Clock,
    @Inject(ModuleRef) modules: ModuleRef,
    @Inject(RECOVERY_CONTROLLER) controller: Type | undefined,
  ) {
    this.config = recoveryConfigOf(config);
    const isUnsaid = config?.recovery !== false && this.config.access === undefined;
    this.freshToken = isUnsaid && isWatched() ? freshToken() : undefined;
    this.way = wayOf(this.config.access, this.freshToken, modules, atRouteOf(controller));
    this.limiter = new FailureLimiter(clock);
    this.limiterOfReaders = new FailureLimiter(clock);
  }

  /** Whether nobody can get in. */
  get isClosed(): boolean {
    return this.way === CLOSED;
  }

  /** Finds the guards of the application; answers what stops the boot. */
  async resolve(): Promise<Mistake[]> {
    return this.way instanceof GuardWay ? this.way.resolve() : [];
  }

  /** Lets a caller in, and says who it is. @throws Refusal */
  admit(context: ExecutionContext, operation: RecoveryOperation): Promise<string> {
    return this.way.admit(context, operation, this.limiter);
  }

  /** What this caller may do, who was let in for one operation. */
  allowed(context: ExecutionContext): Promise<readonly RecoveryOperation[]> {
    const all = Object.keys(OPERATIONS) as RecoveryOperation[];
    return this.way.allowed(
      context,
      all.filter((operation) => this.isEnabled(operation)),
    );
  }

  /** Whether a caller of another endpoint has a credential that may look. Never throws. */
  async maySee(context: ExecutionContext): Promise<boolean> {
    try {
      if (context.getType() !== 'http') return false;
      const request = context.switchToHttp().getRequest<object>();
      checkSource(request, this.config);
      const { authorization, cookie } = rawRequest(request).headers;
      // a probe without a credential has guessed nothing
      const isGuess = (authorization ?? cookie) !== undefined;
      const limiter = isGuess ? this.limiterOfReaders : new FailureLimiter({ now: () => 0 });
      await this.way.admit(context, 'health', limiter);
      return true;
    } catch {
      return false;
    }
  }

  /** Whether an operation exists at all, as far as `danger` says. */
  isEnabled(operation: RecoveryOperation): boolean {
    const { danger } = OPERATIONS[operation] as { danger?: never };
    return danger === undefined || this.config.danger?.includes(danger) === true;
  }
}

function wayOf(
  access: RecoveryConfig['access'],
  token: string | undefined,
  modules: ModuleRef,
  atRoute: AtRoute,
): Way {
  if (token !== undefined) return new TokenWay(new Secrets({ danger: token }));
  if (access === undefined) return CLOSED;
  if ('tokens' in access) return new TokenWay(new Secrets(access.tokens));
  if ('guards' in access) return new GuardWay(atRoute, access.guards, modules);
  return new FunctionWay(atRoute, (...given) => access.authorize(...given));
}

/** Whether the log is read by the one who started this, and by nobody else. */
function isWatched(): boolean {
  const { NODE_ENV } = process.env;
  return NODE_ENV === 'development' || (process.stdout.isTTY && NODE_ENV !== 'production');
}
