import type { PolicySet } from '../pipeline/policy-set.js';
import type { ActionEntry, ActionLog } from './actions/action-log.js';
import type {
  Backup,
  CorruptionOutcome,
  CorruptionReport,
  DrillReport,
  ErrorRecovery,
  InvalidDataReport,
  OperationOutcome,
  PartitionReport,
  RecoveryAction,
  RecoveryContext,
  RecoveryStatus,
  RestoreReport,
} from './recovery-report.js';
import type { InvalidKind } from './hooks.js';

/** Who asks, and whether still. */
export interface RecoveryRequest {
  /** For the log of actions. Default `code`. */
  by?: string;
  /** Ends it: a recovery that has begun to change the state goes on to its end. */
  signal?: AbortSignal;
}

/** The same, to see what would happen. */
export interface DryRunRequest extends RecoveryRequest {
  /** Whether nothing is to be changed. Default false. */
  dryRun?: boolean;
}

/** Makes, lists and restores backups. */
export interface BackupDesk {
  /** @param name default `manual-` and the time */
  create(name: string | undefined, request: RecoveryRequest): Promise<Backup>;
  list(): Promise<readonly Backup[]>;
  restore(name: string, request: DryRunRequest): Promise<RestoreReport>;
  remove(name: string, request: RecoveryRequest): Promise<void>;
  /** Removes the oldest named ones beyond so many; answers their names. */
  cleanup(keep: number, request: RecoveryRequest): Promise<readonly string[]>;
  drill(request: RecoveryRequest): Promise<DrillReport>;
}

/** Looks for corruption and mends it. */
export interface CorruptionDesk {
  check(request: RecoveryRequest): Promise<CorruptionReport>;
  handle(force: boolean, request: DryRunRequest): Promise<CorruptionOutcome>;
  /** Of the last check or treatment: whether corruption is known and not mended. */
  readonly isCorrupted: boolean;
}

/** Gets connections back. */
export interface NetworkDesk {
  /** @param name one of them; default all */
  reconnect(name: string | undefined, request: RecoveryRequest): Promise<PartitionReport>;
  /** The names of those that can be asked for. */
  readonly names: readonly string[];
  /** Those that are cut. */
  readonly partitions: readonly string[];
}

/** Heals errors. */
export interface ErrorDesk {
  recover(error: unknown, context: RecoveryContext): Promise<ErrorRecovery>;
}

/** Treats data that the application refused. */
export interface InvalidDataDesk {
  handle(kind: InvalidKind, item: unknown): Promise<InvalidDataReport>;
}

/** What can be ended: a Nest application. */
export interface Closable {
  close(): Promise<void>;
  getHttpServer?(): unknown;
}

/** Ends the application. */
export interface ShutdownDesk {
  /** Which application is to be closed. */
  attach(app: Closable, options?: AttachOptions): void;
  readonly isAttached: boolean;
  readonly isShuttingDown: boolean;
  /** Resolves when the application is closed; a second call joins the first. @throws RecoveryError */
  shutdown(reason: string, request: RecoveryRequest): Promise<void>;
}

/** How the process ends with the application. */
export interface AttachOptions {
  /** Called when all is closed, if the process has not ended by itself a second later. Default `process.exit`, in tests nothing. */
  exit?: ((code: number) => void) | false;
  /** Signals of the system that shut the application down. Default `SIGTERM` and `SIGINT`. */
  signals?: readonly NodeJS.Signals[] | false;
}

/** What a recovery manager is made of. */
export interface RecoveryManagerParts {
  readonly actions: ActionLog;
  readonly backups: BackupDesk;
  readonly corruption: CorruptionDesk;
  readonly network: NetworkDesk;
  readonly errors: ErrorDesk;
  readonly invalid: InvalidDataDesk;
  readonly shutdown: ShutdownDesk;
  readonly status: () => Promise<RecoveryStatus>;
  readonly execute: <T>(name: string, work: () => Promise<T>, policies?: PolicySet) => Promise<T>;
  readonly reset: () => void;
}

/** The coordinator of all that is done when something has gone wrong. */
export class RecoveryManager {
  /** @internal */
  constructor(private readonly parts: RecoveryManagerParts) {}

  /** Runs a critical operation under a name, with policies if they are given, and never throws. */
  async wrapOperation<T>(
    operation: string,
    work: () => Promise<T>,
    policies?: PolicySet,
  ): Promise<OperationOutcome<T>> {
    try {
      return { success: true, result: await this.parts.execute(operation, work, policies) };
    } catch (error) {
      return { success: false, error };
    }
  }

  /** Heals what can be healed of an error (`@Remedy`, `@Reconnect`) and does the work again, as often as its category is worth. */
  recoverFromError(error: unknown, context: RecoveryContext): Promise<ErrorRecovery> {
    return this.parts.errors.recover(error, context);
  }

  /** Runs every `@IntegrityCheck` over one moment's state, and looks at what is on disk. */
  checkCorruption(request: RecoveryRequest = {}): Promise<CorruptionReport> {
    return this.parts.corruption.check(request);
  }

  /**
   * Mends corrupted state: from the newest backup that passes the checks, with as much of the journal
   * since as passes them too.
   *
   * @param force whether it may lose acknowledged calls, which go to the quarantine then. Default false
   */
  handleCorruption(force = false, request: DryRunRequest = {}): Promise<CorruptionOutcome> {
    return this.parts.corruption.handle(force, request);
  }

  /** Gets connections back, or goes on without them. @param name of one `@Reconnect`; default all */
  handleNetworkPartition(name?: string, request: RecoveryRequest = {}): Promise<PartitionReport> {
    return this.parts.network.reconnect(name, request);
  }

  /** Rejects a block, looks whether it did harm, and asks for a valid one, by the `@OnInvalid('block')` hooks. */
  handleInvalidBlock(block: unknown): Promise<InvalidDataReport> {
    return this.parts.invalid.handle('block', block);
  }

  /** Rejects a transaction, by the `@OnInvalid('transaction')` hooks. */
  handleInvalidTransaction(transaction: unknown): Promise<InvalidDataReport> {
    return this.parts.invalid.handle('transaction', transaction);
  }

  /** Makes a backup. @throws RecoveryError for a name that may not be one, or is taken */
  createCheckpoint(name?: string, request: RecoveryRequest = {}): Promise<Backup> {
    return this.parts.backups.create(name, request);
  }

  /** What can be restored, newest first. */
  listBackups(): Promise<readonly Backup[]> {
    return this.parts.backups.list();
  }

  /** Puts everything back to a backup that is whole and passes the checks. @throws RecoveryError; then nothing has changed */
  restoreBackup(name: string, request: DryRunRequest = {}): Promise<RestoreReport> {
    return this.parts.backups.restore(name, request);
  }

  removeBackup(name: string, request: RecoveryRequest = {}): Promise<void> {
    return this.parts.backups.remove(name, request);
  }

  /** Removes the oldest named backups beyond so many; answers their names. */
  cleanupOldBackups(keep: number, request: RecoveryRequest = {}): Promise<readonly string[]> {
    return this.parts.backups.cleanup(keep, request);
  }

  /** Restores the newest backup into a scratch copy, and runs the checks over it. */
  restoreDrill(request: RecoveryRequest = {}): Promise<DrillReport> {
    return this.parts.backups.drill(request);
  }

  getRecoveryStatus(): Promise<RecoveryStatus> {
    return this.parts.status();
  }

  /** The newest actions, newest first. @param limit default 50 */
  actions(limit = 50): readonly RecoveryAction[] {
    return this.parts.actions.list(limit);
  }

  /** Notes an action of somebody else, such as a reset of a circuit breaker by the controller. */
  noteAction(entry: ActionEntry): void {
    this.parts.actions.record(entry);
  }

  /** The names that `handleNetworkPartition` takes. */
  get connections(): readonly string[] {
    return this.parts.network.names;
  }

  /** Forgets errors, statistics and patterns; circuit breakers and state stay. */
  resetCounters(): void {
    this.parts.reset();
  }

  /** Says which application `gracefulShutdown` is to close: call it in `main.ts`, before `listen`. */
  attach(app: Closable, options: AttachOptions = {}): void {
    this.parts.shutdown.attach(app, options);
  }

  /** Whether `attach` was called. */
  get isAttached(): boolean {
    return this.parts.shutdown.isAttached;
  }

  get isShuttingDown(): boolean {
    return this.parts.shutdown.isShuttingDown;
  }

  /** Ends the application in good order; a second call joins the first. @throws RecoveryError `RECOVERY_NOT_ATTACHED` */
  gracefulShutdown(reason: string, request: RecoveryRequest = {}): Promise<void> {
    return this.parts.shutdown.shutdown(reason, request);
  }
}
