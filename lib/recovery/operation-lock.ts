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
      return await work();
    } finally {
      this.held = undefined;
    }
  }
}
