import { outsideOfCalls } from '../checkpoint/transaction/scope.js';
import type { RecoveryActionType } from './recovery-report.js';
import { RecoveryError } from './recovery.error.js';

/** One recovery at a time. */
export class OperationLock {
  private held: RecoveryActionType | undefined;

  /** What is under way. */
  get current(): RecoveryActionType | undefined {
    return this.held;
  }

  /** @throws RecoveryError `RECOVERY_BUSY` if another is under way: it is not waited for */
  async run<T>(what: RecoveryActionType, work: () => Promise<T>): Promise<T> {
    if (this.held !== undefined)
      throw new RecoveryError(
        'RECOVERY_BUSY',
        `${what} was not begun: ${this.held} is under way; try again when it has ended`,
      );
    this.held = what;
    try {
      // asked for in the middle of a call, it calls that off: what is handed back must not go down with it
      return await outsideOfCalls(work);
    } finally {
      this.held = undefined;
    }
  }
}
