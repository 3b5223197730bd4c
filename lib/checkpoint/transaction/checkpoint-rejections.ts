import { COMMIT_UNKNOWN } from '../../kernel/commit-unknown.js';
import { ResilienceRejection } from '../../kernel/rejection.js';

/** Too many calls wait for their turn in this component. */
export class ComponentBusyError extends ResilienceRejection {
  /** @param maxPending how many may wait */
  constructor(target: string, component: string, maxPending: number) {
    const message = `${target}: ${maxPending} calls wait for component ${component} already`;
    super({ message, code: 'COMPONENT_BUSY', policy: 'checkpoint', target, status: 503 });
  }
}

/** Two calls wait for a component that the other one has; this one is the younger. Nothing of it was kept. */
export class ComponentDeadlockError extends ResilienceRejection {
  constructor(target: string, component: string) {
    const message = `${target}: waits for component ${component}, whose call waits for this one; call components in the same order everywhere`;
    super({ message, code: 'COMPONENT_DEADLOCK', policy: 'checkpoint', target, status: 503 });
  }
}

/** The store takes nothing now: it is fenced after a failed write, restoring, or closed. Nothing was kept. */
export class CheckpointUnavailableError extends ResilienceRejection {
  /** @param why such as `the store is fenced` */
  constructor(target: string, why: string, cause?: unknown) {
    const message = `${target}: nothing can be kept, ${why}`;
    super({ message, code: 'CHECKPOINT_UNAVAILABLE', policy: 'checkpoint', target, status: 503 });
    if (cause !== undefined) this.cause = cause;
  }
}

/**
 * The call was carried out in memory and its journaling failed: it may be on disk or not. Never
 * retried, and no fallback answers in its place. The state goes back to what is on disk.
 */
export class CommitUnknownError extends ResilienceRejection {
  constructor(target: string, cause: unknown) {
    const message = `${target}: carried out, but it is not known whether it was kept; look before you repeat it`;
    super({ message, code: COMMIT_UNKNOWN, policy: 'checkpoint', target, status: 503 });
    this.cause = cause;
  }
}
