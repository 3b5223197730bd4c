import type { CheckpointEngine } from '../checkpoint/engine/checkpoint-engine.js';
import type { CircuitState } from '../kernel/event.js';
import type { HealthBand } from '../health/weights.js';
import type { OperationLock } from './operation-lock.js';
import type { CorruptionDesk, NetworkDesk } from './recovery-manager.js';
import type { RecoveryState, RecoveryStatus } from './recovery-report.js';

/** What is known of the recovery at this moment. */
export interface StatusParts {
  readonly lock: Pick<OperationLock, 'current'>;
  readonly corruption: Pick<CorruptionDesk, 'isCorrupted'>;
  readonly network: Pick<NetworkDesk, 'partitions'>;
  readonly engine: Pick<CheckpointEngine, 'state' | 'list'> | undefined;
  readonly isShuttingDown: () => boolean;
  readonly health: () => Promise<{ readonly status: HealthBand; readonly score: number }>;
  readonly breakers: () => Iterable<readonly [name: string, state: CircuitState]>;
}

/** How the application is doing, and why. */
export async function statusOf(parts: StatusParts): Promise<RecoveryStatus> {
  const { lock, corruption, network, engine, isShuttingDown, breakers } = parts;
  const { status, score } = await parts.health();
  const { partitions } = network;
  const critical = [
    ...(corruption.isCorrupted ? ['corruption is known and not mended'] : []),
    ...(engine?.state === 'fenced' ? ['the store accepts nothing after a failed write'] : []),
    ...(status === 'critical' ? [`the health is critical (score ${score})`] : []),
  ];
  const degraded = [
    ...partitions.map((name) => `the connection ${name} is cut`),
    ...(status === 'degraded' || status === 'warning'
      ? [`the health is ${status} (score ${score})`]
      : []),
  ];
  // a drill is none: it happens in a copy
  const recoveryInProgress = lock.current !== undefined && lock.current !== 'restore_drill';
  const state: RecoveryState = recoveryInProgress
    ? 'recovering'
    : critical.length > 0
      ? 'critical'
      : degraded.length > 0
        ? 'degraded'
        : 'healthy';
  return {
    state,
    recoveryInProgress,
    reasons: [
      ...(recoveryInProgress ? [`${lock.current} is under way`] : []),
      ...critical,
      ...degraded,
    ],
    health: { status, score },
    circuitBreakers: Object.fromEntries(breakers()),
    backupsAvailable: await backupsOf(engine),
    partitions,
    isShuttingDown: isShuttingDown(),
  };
}

/** A store that cannot be read has none to offer. */
async function backupsOf(engine: StatusParts['engine']): Promise<number> {
  try {
    return (await engine?.list())?.length ?? 0;
  } catch {
    return 0;
  }
}
