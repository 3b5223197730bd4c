import type { CheckpointEngine } from '../checkpoint/engine/checkpoint-engine.js';
import type { Clock } from '../kernel/clock.js';
import type { ActionLog } from './actions/action-log.js';
import type { ParticipantHook } from './hooks.js';
import type { OperationLock } from './operation-lock.js';
import type { IntegrityIssue } from './recovery-report.js';
import { RecoveryError } from './recovery.error.js';
import type { Verdict } from './verdict.js';

/** What the checks found. */
export interface CheckResult {
  /** At most 1,000. */
  readonly issues: readonly IntegrityIssue[];
  readonly issueCount: number;
  /** The names of those that ran. */
  readonly checks: readonly string[];
  readonly duration: number;
}

/** Runs every check of the application. @throws RecoveryError `RECOVERY_ABORTED` */
export type RunChecks = (options: {
  /** Runs code where a state other than the present is looked at. Default: as it is. */
  readonly within?: <T>(look: () => T) => T;
  readonly signal?: AbortSignal | undefined;
}) => Promise<CheckResult>;

/** What everybody needs who takes care of the state. */
export interface Custody {
  /** Undefined in an application that keeps no checkpoints. */
  readonly engine: CheckpointEngine | undefined;
  readonly clock: Clock;
  readonly actions: ActionLog;
  readonly lock: OperationLock;
  readonly verdict: Verdict;
  readonly runChecks: RunChecks;
  readonly participants: readonly ParticipantHook[];
  /** Gives others a turn of the event loop. */
  readonly breathe: () => Promise<void>;
}

/** @throws RecoveryError `RECOVERY_NO_STORE` */
export function engineOf({ engine }: Pick<Custody, 'engine'>): CheckpointEngine {
  if (engine !== undefined) return engine;
  throw new RecoveryError(
    'RECOVERY_NO_STORE',
    'the application keeps no checkpoints; expected `checkpoint: { directory }` in ResilienceModule.forRoot',
  );
}

/** @throws RecoveryError `RECOVERY_ABORTED` if whoever asked has left */
export function assertWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new RecoveryError('RECOVERY_ABORTED', 'whoever asked for it has left; nothing has changed');
}
