import { Inject, Injectable } from '@nestjs/common';
import { SafeLogger } from '../safe-logger.js';
import { clean } from '../../errors/record/clean.js';
import { factsOf, headline } from '../../errors/record/facts.js';
import { RecoveryManager } from '../../recovery/recovery-manager.js';
import { RecoveryError } from '../../recovery/recovery.error.js';
import type { Visit } from './access/visit.js';

const MAX_LINE = 1_000;

/** Ends the application when whoever asked for it has the answer. */
@Injectable()
export class ShutdownRoute {
  private readonly logger = new SafeLogger('Bulwark');
  private isAsked = false;

  constructor(@Inject(RecoveryManager) private readonly manager: RecoveryManager) {}

  /** @throws RecoveryError if it has begun, or if there is nothing that could be closed */
  begin(reason: string, { by, visit }: { by: string; visit: Visit }): object {
    const { manager } = this;
    if (this.isAsked || manager.isShuttingDown)
      throw new RecoveryError('RECOVERY_SHUTTING_DOWN', 'The application shuts down already.');
    if (!manager.isAttached) {
      const message =
        'Nobody said which application is to be closed: call app.get(RecoveryManager).attach(app) in main.ts.';
      throw new RecoveryError('RECOVERY_NOT_ATTACHED', message);
    }
    this.isAsked = true;
    visit.whenOver(() => void this.end(reason, by));
    return { message: 'Graceful shutdown initiated' };
  }

  private async end(reason: string, by: string): Promise<void> {
    if (this.manager.isShuttingDown) return;
    try {
      await this.manager.gracefulShutdown(reason, { by });
    } catch (error) {
      this.isAsked = false;
      this.logger.error(
        clean(`recovery: the shutdown failed: ${headline(factsOf(error))}`, MAX_LINE),
      );
    }
  }
}
