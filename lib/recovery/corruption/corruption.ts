import { AUTOMATIC } from '../../checkpoint/automatic-names.js';
import { BEGINNING } from '../../checkpoint/checkpoint-store.js';
import type { CheckpointEngine } from '../../checkpoint/engine/checkpoint-engine.js';
import type { Looking, Replacing } from '../../checkpoint/engine/recovering.js';
import type { Candidate } from '../../checkpoint/engine/trial.js';
import { factsOf, headline } from '../../errors/record/facts.js';
import { timedName } from '../backups/backup-names.js';
import { Carried } from '../carried.js';
import type { CorruptionDesk, DryRunRequest, RecoveryRequest } from '../recovery-manager.js';
import type { CorruptionOutcome, CorruptionReport, IntegrityIssue } from '../recovery-report.js';
import { RecoveryError } from '../recovery.error.js';
import { assertWanted, type CheckResult, type Custody, engineOf } from '../state-custody.js';
import { replaced, UnsettledError } from '../replaced.js';
import { type Found, findSound } from './search.js';

/** What is asked of one treatment. */
interface Treatment {
  readonly force: boolean;
  readonly isDryRun: boolean;
  readonly signal: AbortSignal | undefined;
  readonly report: CorruptionReport;
  readonly steps: string[];
}

/** What a treatment came to, and what is to be handed back. */
interface Treated {
  readonly outcome: CorruptionOutcome;
  readonly carried: Carried | undefined;
}

const CANNOT_PREVIEW =
  'components with captured state can only be tried in place of the present state, which a dry run does not do';

/** The name under which what is wrong with the files is reported. */
export const STORE_CHECK = 'store';

/** Looks for corruption, in memory and on disk, and mends it. */
export class Corruption implements CorruptionDesk {
  /** @param retain removes what backups made by themselves are too many */
  constructor(
    private readonly parts: Custody,
    private readonly retain: () => Promise<void> = async () => {},
  ) {}

  get isCorrupted(): boolean {
    return this.parts.verdict.isCorrupted;
  }

  async check({ by, signal }: RecoveryRequest = {}): Promise<CorruptionReport> {
    const note = { type: 'corruption_check', details: 'all checks', by } as const;
    const { actions } = this.parts;
    return actions.during(
      note,
      () => this.look(signal),
      ({ isCorrupted, issueCount, issues, checks }) =>
        isCorrupted
          ? { status: 'failed', details: `${issueCount} issues, the first: ${textOf(issues[0]!)}` }
          : { details: `${checks.length} checks found nothing` },
    );
  }

  handle(force: boolean, request: DryRunRequest = {}): Promise<CorruptionOutcome> {
    const { lock, actions, verdict } = this.parts;
    const { by, signal, dryRun: isDryRun = false } = request;
    return lock.run('corruption_recovery', async () => {
      const report = await this.look(signal);
      const treatment = { force, isDryRun, signal, report, steps: [] };
      if (!report.isCorrupted)
        return outcomeOf(treatment, 'sound', 'no corruption was found, and nothing was changed');
      if (isDryRun) return this.treat(treatment);
      const details = `${report.issueCount} issues, the first: ${textOf(report.issues[0]!)}`;
      const note = { type: 'corruption_recovery', details, by } as const;
      return actions.during(
        note,
        async () => {
          const outcome = await this.treat(treatment);
          if (outcome.result === 'fixed') verdict.replaced();
          return outcome;
        },
        ({ result, message }) => ({
          status: result === 'fixed' ? 'success' : result === 'refused' ? 'refused' : 'failed',
          details: message,
        }),
      );
    });
  }

  private async look(signal: AbortSignal | undefined): Promise<CorruptionReport> {
    const { engine, clock, runChecks, breathe, verdict } = this.parts;
    const from = clock.now();
    // one that is being put in place, or only tried there, is not the state: its turn comes after
    if (engine?.state === 'restoring') await engine.look(async () => {});
    const conclude = verdict.looking();
    const view = engine?.state === 'open' ? await this.viewOf(engine, breathe) : undefined;
    let found: CheckResult;
    try {
      found =
        view === undefined || 'problem' in view
          ? await runChecks({ signal })
          : await runChecks({ within: (inside) => view.run(inside), signal });
    } finally {
      if (view !== undefined && !('problem' in view)) view.close();
    }
    const { issues: onDisk, warnings } = await lookAtDisk(engine);
    if (view !== undefined && 'problem' in view) onDisk.unshift(view.problem);
    const issueCount = found.issueCount + onDisk.length;
    conclude(issueCount > 0);
    return {
      isCorrupted: issueCount > 0,
      issues: [...found.issues, ...onDisk],
      issueCount,
      warnings,
      checks: [...found.checks, ...(engine === undefined ? [] : [STORE_CHECK])],
      duration: clock.now() - from,
    };
  }

  /** What cannot even be copied is corrupted, and is looked at as it is. */
  private async viewOf(
    engine: CheckpointEngine,
    breathe: () => Promise<void>,
  ): Promise<Awaited<ReturnType<CheckpointEngine['present']>> | { problem: IntegrityIssue }> {
    try {
      return await engine.present(breathe);
    } catch (error) {
      const problem = `the state cannot be kept as it is: ${headline(factsOf(error))}`;
      return { problem: { check: STORE_CHECK, at: 'memory', problem } };
    }
  }

  private async treat(treatment: Treatment): Promise<CorruptionOutcome> {
    const { engine } = this.parts;
    if (engine === undefined)
      return outcomeOf(treatment, 'failed', 'the application keeps no checkpoints to go back to');
    const { state } = engine;
    if (state !== 'open')
      return outcomeOf(treatment, 'failed', `nothing can be put in place: the store is ${state}`);
    const inMemory = treatment.report.issues.some(
      ({ check, at }) => check !== STORE_CHECK || at === 'memory',
    );
    assertWanted(treatment.signal);
    try {
      if (!inMemory) return await this.mendDisk(engine, treatment);
      const preview = await engine.look((hands) => this.preview(hands, treatment));
      // a refusal must not call off what is running; of captured state only the trial in its place tells
      if (treatment.isDryRun || (preview !== undefined && preview.result !== 'fixed'))
        return preview ?? outcomeOf(treatment, 'failed', CANNOT_PREVIEW);
      treatment.steps.length = 0;
      return await this.goBack(engine, treatment);
    } catch (error) {
      if (error instanceof RecoveryError) throw error;
      const stands = error instanceof UnsettledError ? '' : ', and the state before stands';
      const why = headline(factsOf(error));
      return outcomeOf(treatment, 'failed', `the recovery failed${stands}: ${why}`);
    }
  }

  /** The memory is sound: everything is written anew, so that nothing that is damaged is needed any more. */
  private async mendDisk(
    engine: CheckpointEngine,
    treatment: Treatment,
  ): Promise<CorruptionOutcome> {
    const { steps, isDryRun } = treatment;
    const name = await this.quarantineName(engine);
    steps.push(`back up the present state as ${AUTOMATIC.quarantine}…`, 'write everything anew');
    if (isDryRun)
      return outcomeOf(treatment, 'fixed', 'the state is sound and would be written anew');
    await engine.replace(async (hands) => {
      await hands.layAside(name, { calls: [], carried: new Map() });
      // the generation before a barrier is kept as the way back over it: the second leaves that behind
      await hands.rewrite();
      await hands.rewrite();
    });
    await this.retain();
    const { issues } = await lookAtDisk(engine);
    if (issues.length === 0)
      return outcomeOf(treatment, 'fixed', 'the state was sound, and was written anew', {
        quarantine: name,
      });
    const left = `files are still damaged after everything was written anew: ${textOf(issues[0]!)}`;
    return outcomeOf(treatment, 'failed', left, { quarantine: name });
  }

  private async preview(
    hands: Looking,
    treatment: Treatment,
  ): Promise<CorruptionOutcome | undefined> {
    if (hands.hasCaptured) return undefined;
    const isSound = async (candidate: Candidate): Promise<boolean> => {
      const { issueCount } = await hands.look(candidate, (view) =>
        this.parts.runChecks({ within: (inside) => view.run(inside), signal: treatment.signal }),
      );
      return issueCount === 0;
    };
    return this.decide(await this.search(hands, treatment, isSound), treatment);
  }

  /** In the order of the seed: preserve, back up the broken state, find, restore, roll forward, hand back. */
  private async goBack(engine: CheckpointEngine, treatment: Treatment): Promise<CorruptionOutcome> {
    const { clock, participants, runChecks } = this.parts;
    const quarantine = await this.quarantineName(engine);
    const { outcome, carried } = await replaced<Treated>(engine, async (hands, planned) => {
      const kept = await Carried.by(participants, clock);
      const isSound = async (candidate: Candidate): Promise<boolean> => {
        const check = (within?: <T>(look: () => T) => T): Promise<CheckResult> =>
          runChecks(within === undefined ? {} : { within });
        const result = hands.hasCaptured
          ? await hands.tryOut(candidate, () => check())
          : await hands.look(candidate, (view) => check((inside) => view.run(inside)));
        return result?.issueCount === 0;
      };
      const found = await this.search(hands, treatment, isSound);
      const decided = this.decide(found, treatment);
      if (found === undefined || decided.result !== 'fixed')
        return { outcome: decided, carried: undefined };
      const done = { outcome: { ...decided, quarantine }, carried: kept };
      await this.carryOut(hands, found, { quarantine, kept, planned: () => planned(done) });
      return done;
    });
    if (carried === undefined) return outcome;
    const handedBack = await carried.handBack();
    await this.retain();
    return { ...outcome, handedBack, steps: [...outcome.steps, ...carried.problems] };
  }

  private async carryOut(
    hands: Replacing,
    { trial, replayed }: Found,
    { quarantine, kept, planned }: { quarantine: string; kept: Carried; planned: () => void },
  ): Promise<void> {
    const { runChecks } = this.parts;
    // read before: a store that keeps only so many backups makes room for the one of the broken state
    const { plans, view } = await trial.after(replayed);
    view.close();
    await hands.layAside(quarantine, { calls: trial.callsAfter(replayed), carried: kept.items });
    await hands.adopt(plans, async () => {
      const { issueCount, issues } = await runChecks({});
      if (issueCount > 0)
        throw new Error(`the new state does not pass either: ${textOf(issues[0]!)}`);
      planned();
    });
  }

  private async search(
    hands: Looking,
    { steps }: Treatment,
    isSound: (candidate: Candidate) => Promise<boolean>,
  ): Promise<Found | undefined> {
    const listed = (await engineOf(this.parts).list()).map(({ id }) => id);
    // of captured state nobody knows what it was before the first call
    const backups = hands.hasCaptured ? listed : [...listed, BEGINNING];
    return findSound(backups, { trial: hands.trial, isSound, note: (step) => steps.push(step) });
  }

  private decide(found: Found | undefined, treatment: Treatment): CorruptionOutcome {
    if (found === undefined)
      return outcomeOf(
        treatment,
        'failed',
        'no backup passes the checks, and the state before stands',
      );
    const { trial, replayed, lost } = found;
    const more = { from: trial.id, replayedCalls: replayed, lostCalls: lost };
    const back = `backup ${trial.id} with ${replayed} calls since`;
    if (lost > 0 && !treatment.force) {
      const why = `${back} passes the checks, and ${lost} acknowledged calls after it would be lost`;
      return outcomeOf(treatment, 'refused', `${why}; force a rollback to accept that`, more);
    }
    treatment.steps.push(
      `back up the broken state as ${AUTOMATIC.quarantine}…`,
      `restore ${trial.id} and do ${replayed} calls again`,
      ...this.parts.participants.map(({ name }) => `hand back what ${name} carries`),
    );
    const loss = lost === 0 ? 'no call was lost' : `${lost} calls are in the quarantine`;
    return outcomeOf(treatment, 'fixed', `the state is that of ${back}; ${loss}`, more);
  }

  private async quarantineName(engine: CheckpointEngine): Promise<string> {
    const taken = new Set((await engine.list()).map(({ id }) => id));
    return timedName(AUTOMATIC.quarantine, this.parts.clock, taken);
  }
}

function outcomeOf(
  { isDryRun, report, steps }: Treatment,
  result: CorruptionOutcome['result'],
  message: string,
  more: Partial<CorruptionOutcome> = {},
): CorruptionOutcome {
  const none = { replayedCalls: 0, lostCalls: 0, handedBack: {} };
  return { isDryRun, result, message, issues: report.issues, ...none, ...more, steps: [...steps] };
}

async function lookAtDisk(
  engine: CheckpointEngine | undefined,
): Promise<{ issues: IntegrityIssue[]; warnings: string[] }> {
  if (engine === undefined) return { issues: [], warnings: [] };
  const issues: IntegrityIssue[] = [];
  const warnings: string[] = [];
  try {
    const { findings } = await engine.verify();
    for (const { level, file, problem } of findings)
      // a backup that has rotted is not the state
      if (level === 'warning' || file.startsWith('named/')) warnings.push(`${file}: ${problem}`);
      else issues.push({ check: STORE_CHECK, at: file, problem });
  } catch (error) {
    warnings.push(`the files could not be looked at: ${headline(factsOf(error))}`);
  }
  return { issues, warnings };
}

function textOf({ check, at, problem }: IntegrityIssue): string {
  return `${check}: ${at === undefined ? '' : `${at}: `}${problem}`;
}
