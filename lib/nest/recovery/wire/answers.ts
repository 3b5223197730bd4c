import type { CheckpointEngine } from '../../../checkpoint/engine/checkpoint-engine.js';
import type { ErrorContext } from '../../../errors/error-context.js';
import type { Milliseconds } from '../../../kernel/duration.js';
import type {
  CircuitBreakerReader,
  KeyedReader,
  ResilienceRegistry,
} from '../../../pipeline/registry.js';
import type {
  Backup,
  CorruptionOutcome,
  CorruptionReport,
  DrillReport,
  IntegrityIssue,
  PartitionReport,
  RecoveryAction,
  RecoveryStatus,
  RestoreReport,
} from '../../../recovery/recovery-report.js';
import type { HealthReading } from '../../health/health-monitor.js';
import { withoutSecrets } from './outgoing.js';

// The words of the wire are those of the clients that exist: snake_case, and seconds for moments.

/** Seconds since 1970. */
export function seconds(at: Milliseconds): number {
  return Math.floor(at / 1_000);
}

export function statusAnswer(status: RecoveryStatus): object {
  return {
    recovery_status: {
      state: status.state,
      recovery_in_progress: status.recoveryInProgress,
      reasons: status.reasons,
      health: status.health,
      circuit_breakers: Object.fromEntries(
        Object.entries(status.circuitBreakers).map(([name, state]) => [name, word(state)]),
      ),
      backups_available: status.backupsAvailable,
      partitions: status.partitions,
      is_shutting_down: status.isShuttingDown,
    },
  };
}

export function healthAnswer(reading: HealthReading): object {
  const { status, score, explanation, metrics, calls, process, trend } = reading;
  const entries = Object.entries(metrics);
  return {
    health: {
      status,
      score,
      explanation,
      metrics: Object.fromEntries(
        entries.map(([name, { value }]) => [name, finite(value === 'unknown' ? null : value)]),
      ),
      metric_levels: Object.fromEntries(entries.map(([name, { level }]) => [name, level])),
      calls,
      process: snake(process),
      trend,
    },
  };
}

export function breakersAnswer({ breakers }: ResilienceRegistry): object {
  return {
    circuit_breakers: Object.fromEntries([
      ...breakers.list().map((breaker) => [breaker.name, breakerAnswer(breaker)]),
      ...breakers.keyedList().map((keyed) => [keyed.name, keyedAnswer(keyed)]),
    ] as [string, object][]),
  };
}

function breakerAnswer({ snapshot, critical, explain }: CircuitBreakerReader): object {
  const { state, consecutiveFailures, counters, ...rest } = snapshot();
  return {
    state: word(state),
    failure_count: counters.failure,
    success_count: counters.success,
    consecutive_failures: consecutiveFailures,
    critical,
    explanation: explain(),
    mode: rest.mode,
    version: rest.version,
    probe_due: rest.probeDue,
    retry_after_ms: rest.retryAfter,
    share: rest.share,
    not_permitted: counters.notPermitted,
  };
}

function keyedAnswer(keyed: KeyedReader<CircuitBreakerReader>): object {
  const states = keyed.list().map(([, breaker]) => breaker.snapshot());
  const isOpen = states.some(({ state }) => state === 'open' || state === 'isolated');
  const sum = (of: 'failure' | 'success'): number =>
    states.reduce((total, { counters }) => total + counters[of], 0);
  return {
    state: isOpen ? 'open' : 'closed',
    failure_count: sum('failure'),
    success_count: sum('success'),
    keys: {
      total: keyed.size,
      evicted: keyed.evicted,
      open: states.filter(({ state }) => state !== 'closed').length,
    },
  };
}

export function bulkheadsAnswer({ bulkheads }: ResilienceRegistry): object {
  const single = bulkheads.list().map(({ name, snapshot }) => [name, snake(snapshot())]);
  const keyed = bulkheads.keyedList().map(({ name, size, evicted, list }) => {
    const each = list().map(([, { snapshot }]) => snapshot());
    const sum = (of: 'running' | 'queued' | 'refused'): number =>
      each.reduce((total, one) => total + one[of], 0);
    const totals = { running: sum('running'), queued: sum('queued'), refused: sum('refused') };
    return [name, { ...totals, keys: { total: size, evicted } }];
  });
  return { bulkheads: Object.fromEntries([...single, ...keyed] as [string, object][]) };
}

export function errorsAnswer(errors: readonly ErrorContext[]): object {
  const list = errors.map((entry) => ({
    timestamp: seconds(entry.lastOccurrence),
    operation: entry.component,
    error: entry.error.message,
    severity: entry.severity,
    id: entry.id,
    category: entry.category,
    name: entry.error.name,
    fingerprint: entry.fingerprint,
    occurrences: entry.occurrences,
    dependency: entry.port,
    correlation_id: entry.correlationId,
    trace_id: entry.traceId,
  }));
  return { count: list.length, errors: list };
}

export function actionsAnswer(actions: readonly RecoveryAction[]): object {
  const list = actions.map(({ id, at, type, status, details, by }) => ({
    timestamp: seconds(at),
    type,
    status,
    details,
    by,
    id,
  }));
  return { count: list.length, actions: list };
}

export function backupsAnswer(backups: readonly Backup[]): object {
  return { count: backups.length, backups: backups.map(backupEntry) };
}

export function createdAnswer(backup: Backup): object {
  const { path, ...entry } = backupEntry(backup) as { path: string };
  return { backup_path: path, message: 'Backup created successfully', ...entry };
}

/** What the application says of its state: not how the request went, and when. */
function described(summary: Backup['summary']): object {
  const { success: _, timestamp: __, ...facts } = summary;
  return withoutSecrets(facts);
}

/** What the application says of its state comes first: it cannot take the place of what we say. */
function backupEntry(backup: Backup): object {
  const { name, path, createdAt, size, kind, verified, summary } = backup;
  return {
    ...described(summary),
    name,
    path,
    timestamp: seconds(createdAt),
    size,
    kind,
    verified: verified ?? null,
  };
}

export function restoredAnswer(report: RestoreReport): object {
  const { isDryRun, backup, components, lostCalls, before, issues, handedBack, problems } = report;
  return {
    ...described(backup.summary),
    message: `${isDryRun ? 'Would restore' : 'Restored'} from backup: ${backup.name}`,
    dry_run: isDryRun,
    components,
    lost_calls: lostCalls,
    before,
    issues: issues.map(issueAnswer),
    handed_back: handedBack,
    problems,
  };
}

export function drillAnswer({ backup, passed, issues, duration }: DrillReport): object {
  return {
    success: passed,
    message: passed
      ? `Restore drill passed: ${backup}`
      : `Restore drill failed: ${backup} does not pass the checks`,
    backup,
    passed,
    issues: issues.map(issueAnswer),
    duration_ms: Math.round(duration),
  };
}

/** @param engine undefined in an application that keeps no state */
export function componentsAnswer(engine: CheckpointEngine | undefined): object {
  const components = [...(engine?.components.values() ?? [])].map(
    ({ name, options, unsaved, isSerial, sequence }) => ({
      name,
      version: options.version ?? null,
      depends_on: options.dependsOn ?? [],
      durability: options.durability ?? 'sync',
      is_primary: options.primary === true,
      is_serial: isSerial,
      unsaved_calls: unsaved,
      sequence,
    }),
  );
  return { store: engine?.state ?? null, count: components.length, components };
}

export function checkedAnswer(report: CorruptionReport): object {
  return {
    is_corrupted: report.isCorrupted,
    issue_count: report.issueCount,
    issues: report.issues.map(issueAnswer),
    warnings: report.warnings,
    checks: report.checks,
    duration_ms: Math.round(report.duration),
  };
}

export function fixedAnswer(outcome: CorruptionOutcome): object {
  const { isDryRun, result, message } = outcome;
  return {
    success: result === 'fixed' || result === 'sound',
    message: result === 'fixed' && !isDryRun ? 'Corruption fixed successfully' : message,
    details: message,
    result,
    dry_run: isDryRun,
    issues: outcome.issues.map(issueAnswer),
    from: outcome.from,
    replayed_calls: outcome.replayedCalls,
    lost_calls: outcome.lostCalls,
    quarantine: outcome.quarantine,
    handed_back: Object.fromEntries(
      Object.entries(outcome.handedBack).map(([name, facts]) => [name, plain(facts)]),
    ),
    steps: outcome.steps,
  };
}

export function reconnectedAnswer(report: PartitionReport): object {
  const { reconnected, connections, isDegraded } = report;
  const cut = connections.filter(({ outcome }) => outcome !== 'connected');
  const names = cut.map(({ name }) => name).join(', ');
  return {
    success: reconnected,
    message: reconnected
      ? 'Network partition handled'
      : `Not reconnected: ${names}${isDegraded ? '; the application goes on without' : ''}`,
    reconnected,
    is_degraded: isDegraded,
    connections,
  };
}

export function issueAnswer({ check, at, problem }: IntegrityIssue): object {
  return { check, at, problem };
}

/** The same with the names of the wire. */
export function snake(facts: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

/** `half-open` is a name on the wire as any other. */
export function word(state: string): string {
  return state.replaceAll('-', '_');
}

function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

function plain(facts: unknown): unknown {
  const isRecord = typeof facts === 'object' && facts !== null && !Array.isArray(facts);
  return isRecord ? withoutSecrets(facts as Record<string, unknown>) : facts;
}
