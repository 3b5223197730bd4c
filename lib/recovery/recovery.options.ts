import type { Milliseconds } from '../kernel/duration.js';

/** How an application is looked after. */
export interface RecoveryOptions {
  /** Milliseconds between two backups by themselves; `false`: none. Default 1 h, at least 1 s. */
  backupInterval?: Milliseconds | false;
  /** Milliseconds between two checks for corruption; `false`: none. Default 6 h, at least 1 s. */
  corruptionCheckInterval?: Milliseconds | false;
  /** How many backups made by themselves are kept, from 1. Those with names of yours stay. Default 24. */
  maxBackups?: number;
  /** Bytes that backups made by themselves may have together: the oldest go first. Default none. */
  maxBackupBytes?: number;
  /** Milliseconds between two samples of the health; the same as `health.sampleInterval`. Default 60 s. */
  healthCheckInterval?: Milliseconds;
  /** Milliseconds that all checks together may take. Default 60 s. */
  checkTimeout?: Milliseconds;
  /** Whether corruption that the scheduled check finds is mended where that loses no call. Default false. */
  autoFix?: boolean;
  /** How many actions are remembered, 10 to 10,000. Default 1,000. */
  maxActions?: number;
  /** How the application ends. */
  shutdown?: ShutdownOptions;
}

/** How the application ends. */
export interface ShutdownOptions {
  /** Milliseconds for which readiness says 503 before anything else happens, so that the load balancer hears of it. Default 0. */
  preStopDelay?: Milliseconds;
  /** Milliseconds that calls and requests on their way have to end. Default 10 s. */
  grace?: Milliseconds;
}

export const RECOVERY_DEFAULTS = {
  backupInterval: 3_600_000,
  corruptionCheckInterval: 21_600_000,
  maxBackups: 24,
  healthCheckInterval: 60_000,
  checkTimeout: 60_000,
  autoFix: false,
  maxActions: 1_000,
} as const;

export const SHUTDOWN_DEFAULTS = { preStopDelay: 0, grace: 10_000 } as const;

export const RECONNECT_DEFAULTS = {
  attempts: 3,
  delay: 1_000,
  coolDown: 5_000,
  retryEvery: 30_000,
  timeout: 10_000,
} as const;
