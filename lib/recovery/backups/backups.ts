import { AUTOMATIC } from '../../checkpoint/automatic-names.js';
import type { CheckpointInfo } from '../../checkpoint/checkpoint-store.js';
import type { Looking } from '../../checkpoint/engine/recovering.js';
import { Carried } from '../carried.js';
import type { BackupDesk, DryRunRequest, RecoveryRequest } from '../recovery-manager.js';
import type { Backup, DrillReport, RestoreReport } from '../recovery-report.js';
import { RecoveryError } from '../recovery.error.js';
import { replaced } from '../replaced.js';
import { assertWanted, type CheckResult, type Custody, engineOf } from '../state-custody.js';
import { checkBackupName, timedName } from './backup-names.js';
import { beyond, type Retention } from './retention.js';
import { withBackup } from './translated.js';

/** What backups are made of. */
export interface BackupsParts extends Custody {
  readonly retention: Retention;
  /** The component that speaks for the application in lists. */
  readonly primary: () => string | undefined;
  /** Where a backup is, for people. */
  readonly pathOf: (info: CheckpointInfo) => string;
}

/** Makes, lists and restores backups: the checkpoints of the store, with the checks of the application. */
export class Backups implements BackupDesk {
  private readonly verified = new Map<string, boolean>();
  /** Names by the time that are given, and not yet in any list. */
  private readonly given = new Set<string>();

  constructor(private readonly parts: BackupsParts) {}

  async create(name: string | undefined, { by }: RecoveryRequest = {}): Promise<Backup> {
    const given = name === undefined ? undefined : checkBackupName(name);
    const chosen = given ?? (await this.timed('manual-'));
    return this.parts.actions.during({ type: 'backup', details: chosen, by }, () =>
      this.make(chosen),
    );
  }

  /** One made by the clock: the oldest of them go, so none is made of a state that is known to be corrupted. */
  async createScheduled(): Promise<Backup> {
    const name = await this.timed(AUTOMATIC.scheduled);
    const backup = await this.parts.actions.during(
      { type: 'backup', details: name, by: 'schedule' },
      () => {
        if (!this.parts.verdict.isCorrupted) return this.make(name);
        const why = 'the state is corrupted: its backups would push out those of before';
        throw new RecoveryError('RECOVERY_BAD_BACKUP', why);
      },
    );
    await this.retain();
    return backup;
  }

  async list(): Promise<readonly Backup[]> {
    const { engine } = this.parts;
    return engine === undefined ? [] : (await engine.list()).map((info) => this.backupOf(info));
  }

  async restore(name: string, request: DryRunRequest = {}): Promise<RestoreReport> {
    const { lock } = this.parts;
    const { by, dryRun: isDryRun = false, signal } = request;
    return lock.run('restore', async () => {
      const info = await this.find(name);
      const looked = await withBackup(name, () => this.lookAt(name, signal));
      const report = {
        isDryRun,
        backup: this.backupOf(info),
        components: looked.components,
        lostCalls: looked.lostCalls,
        issues: looked.issues,
        handedBack: {},
        problems: [],
      };
      if (isDryRun) return report;
      return this.parts.actions.during(
        { type: 'restore', details: `from ${name}`, by },
        async () => {
          // captured state can only be looked at in its place
          if (!looked.hasCaptured) assertSound(name, looked);
          assertWanted(signal);
          const done = await this.putBack(name);
          this.parts.verdict.replaced();
          await this.retain();
          return { ...report, ...done };
        },
      );
    });
  }

  async remove(name: string, { by }: RecoveryRequest = {}): Promise<void> {
    await this.parts.actions.during({ type: 'backup_removal', details: name, by }, () =>
      withBackup(name, () => engineOf(this.parts).remove(name)),
    );
    this.verified.delete(name);
  }

  async cleanup(keep: number, { by }: RecoveryRequest = {}): Promise<readonly string[]> {
    if (!Number.isSafeInteger(keep) || keep < 0)
      throw new TypeError(
        `cleanupOldBackups keep: got ${String(keep)}, expected an integer from 0`,
      );
    const engine = engineOf(this.parts);
    return this.parts.actions.during(
      { type: 'backup_cleanup', details: `all but ${keep}`, by },
      async () => {
        const old = (await engine.list()).filter(({ named }) => named).slice(keep);
        for (const { id } of old) await engine.remove(id);
        return old.map(({ id }) => id);
      },
    );
  }

  async drill({ by, signal }: RecoveryRequest = {}): Promise<DrillReport> {
    const { clock } = this.parts;
    const [newest] = await engineOf(this.parts).list();
    if (newest === undefined)
      throw new RecoveryError('RECOVERY_UNKNOWN', 'there is no backup to restore');
    const from = clock.now();
    const { id: backup } = newest;
    const note = { type: 'restore_drill', details: backup, by } as const;
    const look = async (): Promise<DrillReport> => {
      const { issues, issueCount } = await withBackup(backup, () => this.lookAt(backup, signal));
      return { backup, passed: issueCount === 0, issues, duration: clock.now() - from };
    };
    const { lock, actions } = this.parts;
    return lock.run('restore_drill', () =>
      actions.during(note, look, ({ passed, issues }) =>
        passed
          ? {}
          : {
              status: 'failed',
              details: `${backup} does not pass the checks: ${issues[0]?.problem}`,
            },
      ),
    );
  }

  /** Removes what was made by itself and is too much. */
  async retain(): Promise<void> {
    const engine = engineOf(this.parts);
    for (const id of beyond(await engine.list(), this.parts.retention)) {
      // what cannot be removed now is the next time
      await engine.remove(id).catch(() => {});
    }
  }

  /** What is to be said of one, without looking at more than its manifest. */
  backupOf({ id, named, createdAt, bytes, components }: CheckpointInfo): Backup {
    const primary = this.parts.primary();
    const info = components.find(({ component }) => component === primary);
    const verified = this.verified.get(id);
    return {
      name: id,
      kind: named ? 'named' : 'snapshot',
      path: this.parts.pathOf({ id, named, createdAt, bytes, components, sequence: 0 }),
      createdAt,
      size: bytes,
      ...(verified === undefined ? {} : { verified }),
      summary: summaryOf(info?.meta['describe']),
    };
  }

  private async find(name: string): Promise<CheckpointInfo> {
    const found = (await engineOf(this.parts).list()).find(({ id }) => id === name);
    if (found !== undefined) return found;
    throw new RecoveryError('RECOVERY_UNKNOWN', `backup "${name}": there is none of that name`);
  }

  private async make(name: string): Promise<Backup> {
    this.verified.delete(name); // that was another one of the name
    try {
      return this.backupOf(await withBackup(name, () => engineOf(this.parts).create(name)));
    } finally {
      this.given.delete(name);
    }
  }

  private async timed(prefix: string): Promise<string> {
    const before = [...this.given]; // they may be made while the list is, and not be in it
    const listed = (await engineOf(this.parts).list()).map(({ id }) => id);
    const taken = new Set([...before, ...listed, ...this.given]);
    const name = timedName(prefix, this.parts.clock, taken);
    this.given.add(name);
    return name;
  }

  /** Reads a backup whole, and runs the checks over it; the present state is not touched. */
  private lookAt(name: string, signal: AbortSignal | undefined): Promise<Looked> {
    const { runChecks } = this.parts;
    return engineOf(this.parts).look(async ({ trial, look, hasCaptured }: Looking) => {
      const found = await trial(name);
      const candidate = await found.after(0);
      const components = candidate.plans.map(({ component }) => component.name);
      const result = await look(candidate, (view) =>
        runChecks({ within: (inside) => view.run(inside), signal }),
      );
      this.verified.set(name, result.issueCount === 0);
      return { ...result, components, hasCaptured, lostCalls: found.count };
    });
  }

  private async putBack(
    name: string,
  ): Promise<Pick<RestoreReport, 'before' | 'lostCalls' | 'handedBack' | 'problems'>> {
    const { clock, participants, runChecks } = this.parts;
    const engine = engineOf(this.parts);
    const before = await this.timed(AUTOMATIC.beforeRestore);
    const put = replaced<PutBack>(engine, async (hands, planned) => {
      const kept = await Carried.by(participants, clock);
      const trial = await withBackup(name, () => hands.trial(name));
      const { plans, view } = await withBackup(name, () => trial.after(0));
      view.close();
      await withBackup(before, () => hands.layAside(before, { calls: [], carried: kept.items }));
      // with those that came while it was looked at
      const done = { kept, lostCalls: trial.count };
      await hands.adopt(plans, async () => {
        assertSound(name, await runChecks({}));
        planned(done);
      });
      return done;
    });
    const { kept, lostCalls } = await put.finally(() => this.given.delete(before));
    const handedBack = await kept.handBack();
    return { before, lostCalls, handedBack, problems: kept.problems };
  }
}

/** What is to be told of a restore, and to be handed back after it. */
interface PutBack {
  readonly kept: Carried;
  readonly lostCalls: number;
}

/** What was seen of a backup without touching the present state. */
interface Looked extends CheckResult {
  readonly components: readonly string[];
  readonly hasCaptured: boolean;
  readonly lostCalls: number;
}

function assertSound(name: string, { issueCount, issues }: CheckResult): void {
  if (issueCount === 0) return;
  const [{ check, problem } = { check: '', problem: '' }] = issues;
  throw new RecoveryError(
    'RECOVERY_BAD_BACKUP',
    `backup "${name}" does not pass the checks (${issueCount} issues, the first of ${check}: ${problem})`,
  );
}

/** Written by an older life of the application: anything that is no flat record says nothing. */
function summaryOf(described: unknown): Backup['summary'] {
  try {
    const parsed: unknown = JSON.parse(String(described));
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return {};
    const flat = Object.entries(parsed).filter(
      ([key, value]) => key !== '__proto__' && (value === null || typeof value !== 'object'),
    );
    return Object.fromEntries(flat) as Backup['summary'];
  } catch {
    return {};
  }
}
