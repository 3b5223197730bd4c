import type { ErrorCategory } from '../kernel/classifier.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { CircuitState } from '../kernel/event.js';
import type { ErrorSeverity } from '../errors/error-context.js';
import type { HealthBand } from '../health/weights.js';

/**
 * How the application is doing as far as recovery goes. `recovering`: a recovery is under way.
 * `critical`: corruption is known and not mended, the store is fenced, or the health is. `degraded`:
 * a connection is cut, or the health is not what it should be.
 */
export type RecoveryState = 'healthy' | 'degraded' | 'recovering' | 'critical';

/** What an operator sees first. */
export interface RecoveryStatus {
  readonly state: RecoveryState;
  readonly recoveryInProgress: boolean;
  /** Why it is not `healthy`, in words. */
  readonly reasons: readonly string[];
  readonly health: { readonly status: HealthBand; readonly score: number };
  readonly circuitBreakers: Readonly<Record<string, CircuitState>>;
  readonly backupsAvailable: number;
  /** Connections that are cut, by the name of their `@Reconnect`. */
  readonly partitions: readonly string[];
  /** Whether a graceful shutdown has begun. */
  readonly isShuttingDown: boolean;
}

/** One step of a recovery, or of the care before one: evidence, kept over a restart. */
export interface RecoveryAction {
  /** Ascending, also over restarts. */
  readonly id: number;
  /** Wall-clock time, milliseconds since 1970. */
  readonly at: Milliseconds;
  readonly type: RecoveryActionType;
  readonly status: 'started' | 'success' | 'failed' | 'refused';
  /** One line, redacted. */
  readonly details: string;
  /** Who asked for it: `schedule`, `code`, or what the access control of the controller calls the caller. */
  readonly by: string;
}

export type RecoveryActionType =
  | 'backup'
  | 'backup_cleanup'
  | 'backup_removal'
  | 'restore'
  | 'restore_drill'
  | 'corruption_check'
  | 'corruption_recovery'
  | 'network_partition'
  | 'invalid_block'
  | 'invalid_transaction'
  | 'error_recovery'
  | 'circuit_breaker'
  | 'shutdown';

/** Something that is wrong with the state, or with what is kept of it. */
export interface IntegrityIssue {
  /** The name of the check, or `store` for the files. */
  readonly check: string;
  /** Where it is, such as `block 3`. */
  readonly at?: string;
  readonly problem: string;
}

/** What the checks found. */
export interface CorruptionReport {
  readonly isCorrupted: boolean;
  /** At most 1,000; `issueCount` has them all. */
  readonly issues: readonly IntegrityIssue[];
  readonly issueCount: number;
  /** What is wrong with backups, and not with the state. */
  readonly warnings: readonly string[];
  /** The checks that ran. */
  readonly checks: readonly string[];
  readonly duration: Milliseconds;
}

/** A state that can be restored. */
export interface Backup {
  /** What `restoreBackup` takes: a name, or the number of a generation. */
  readonly name: string;
  /** `named` until it is removed; a `snapshot` comes and goes by itself. */
  readonly kind: 'named' | 'snapshot';
  /** Where it is, for people; the wire never takes it. */
  readonly path: string;
  /** Wall-clock time of its making, milliseconds since 1970. */
  readonly createdAt: Milliseconds;
  /** Bytes. */
  readonly size: number;
  /** Whether it was read whole and passed the checks; undefined while nobody has looked. */
  readonly verified?: boolean;
  /** What the primary component says of itself by `describeState`, such as `chain_height`. */
  readonly summary: Readonly<Record<string, string | number | boolean | null>>;
}

/** What a restore did, or would do. */
export interface RestoreReport {
  readonly isDryRun: boolean;
  readonly backup: Backup;
  /** The components that are, or would be, put back. */
  readonly components: readonly string[];
  /** Calls that are in the present state and not in the backup. */
  readonly lostCalls: number;
  /** The name of the backup of the state before; undefined for a dry run. */
  readonly before?: string;
  /** What the checks say of the backup: a restore refuses a corrupted one. */
  readonly issues: readonly IntegrityIssue[];
  /** What was put back of what participants had carried over, by participant. */
  readonly handedBack: Readonly<Record<string, unknown>>;
  /** What could not be carried over or put back. */
  readonly problems: readonly string[];
}

/** What the treatment of corruption did, or would do. */
export interface CorruptionOutcome {
  readonly isDryRun: boolean;
  /**
   * - `sound`: there is nothing to mend, and nothing was changed.
   * - `fixed` (of a dry run: would be).
   * - `refused`: calls would be lost and `force` was not given; nothing was changed.
   * - `failed`: there is no way back to a sound state; the old one stands.
   */
  readonly result: 'sound' | 'fixed' | 'refused' | 'failed';
  /** One sentence for the operator. */
  readonly message: string;
  readonly issues: readonly IntegrityIssue[];
  /** The backup from which the state was, or would be, taken. */
  readonly from?: string;
  /** Calls of the journal that were, or would be, done again after it. */
  readonly replayedCalls: number;
  /** Acknowledged calls that cannot be done again: they are in the quarantine. */
  readonly lostCalls: number;
  /** The backup of the broken state, with the lost calls. */
  readonly quarantine?: string;
  /** What was put back of the components' own keeping, by participant. */
  readonly handedBack: Readonly<Record<string, unknown>>;
  /** What would be done, or was, in order. */
  readonly steps: readonly string[];
}

/** The newest backup in a scratch copy of the state, and what the checks say of it. */
export interface DrillReport {
  readonly backup: string;
  readonly passed: boolean;
  readonly issues: readonly IntegrityIssue[];
  readonly duration: Milliseconds;
}

/** What became of an attempt to get connections back. */
export interface PartitionReport {
  /** Whether every one of them is back. */
  readonly reconnected: boolean;
  readonly connections: readonly {
    readonly name: string;
    /** `cooling-down`: it was tried a moment ago, and that answer counts. */
    readonly outcome: 'connected' | 'failed' | 'cooling-down';
    readonly attempts: number;
    readonly error?: string;
  }[];
  /** Whether the application goes on without them. */
  readonly isDegraded: boolean;
}

/** What became of data that a check of the application refused. */
export interface InvalidDataReport {
  readonly rejected: boolean;
  readonly isCorrupted: boolean;
  /** What was done about the corruption, if there was any. */
  readonly corruption?: CorruptionOutcome;
  /** What the hook that asks for a valid one answered. */
  readonly replacement?: unknown;
  readonly problems: readonly string[];
}

/** What `recoverFromError` is told. */
export interface RecoveryContext {
  /** Whose error it is, such as `payments`. */
  readonly serviceId: string;
  readonly operation?: string;
  /** Does the work again, as often as the category of the error is worth. */
  readonly retry?: () => unknown;
}

/** What became of an error; the word `recovery_status` is that of the wire. */
export interface ErrorRecovery {
  readonly recovery_status: 'success' | 'failed';
  readonly category: ErrorCategory;
  readonly severity: ErrorSeverity;
  /** The id of the error in the log. */
  readonly error_id: string;
  /** What was done, in order: `remedy:QuoteCache.clear`, `reconnect:database`, `retry`. */
  readonly strategy: readonly string[];
  readonly attempts: number;
  readonly result?: unknown;
  /** The last error, as it was. */
  readonly error?: unknown;
}

/** What `wrapOperation` answers, whatever happens. */
export type OperationOutcome<T> =
  | { readonly success: true; readonly result: T }
  | { readonly success: false; readonly error: unknown };
