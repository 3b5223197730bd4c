import type { ExecutionContext } from '@nestjs/common';
import type { AtRoute } from '../at-route.js';
import type { RecoveryAsk } from '../operations.js';
import { HostWay } from './host-way.js';

/** Whoever a function of the application says. */
export class FunctionWay extends HostWay {
  constructor(
    atRoute: AtRoute,
    private readonly authorize: (context: ExecutionContext, ask: RecoveryAsk) => unknown,
  ) {
    super(atRoute, 'recovery.access.authorize');
  }

  protected override ask(context: ExecutionContext, ask: RecoveryAsk): unknown {
    return this.authorize(context, ask);
  }
}
