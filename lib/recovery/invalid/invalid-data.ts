import { clean as withoutOwn, type Clean } from '../../errors/record/clean.js';
import { factsOf, headline } from '../../errors/record/facts.js';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { ActionNotes } from '../action-notes.js';
import type { ActionLog } from '../actions/action-log.js';
import { askHook, type Patience, problemOf } from '../ask-hook.js';
import type { InvalidDataHook, InvalidKind, RecoveryHooks } from '../hooks.js';
import type { CorruptionOutcome, InvalidDataReport } from '../recovery-report.js';
import type { CorruptionDesk, InvalidDataDesk } from '../recovery-manager.js';

/** What the treatment of invalid data is made of. */
export interface InvalidDataParts {
  /** Read whenever it is needed: modules may be loaded later. */
  readonly hooks: Pick<RecoveryHooks, 'invalid'>;
  readonly corruption: Pick<CorruptionDesk, 'check' | 'handle'>;
  readonly actions: Pick<ActionLog, 'record'>;
  readonly clock: Clock;
  /** Every text goes through it. Default: takes out the secrets that we know. */
  readonly clean?: Clean;
  /** Aborts when the application ends. */
  readonly ending?: AbortSignal;
}

/** For each hook. */
const HOOK_TIMEOUT: Milliseconds = 10_000;
const MAX_PROBLEM = 500;

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Report = Writable<Omit<InvalidDataReport, 'problems'>> & { readonly problems: string[] };

/**
 * Rejects what a check of the application refused, looks whether a refused block has done harm, and
 * asks for a valid one.
 */
export class InvalidData implements InvalidDataDesk {
  private readonly notes: ActionNotes;
  private readonly clean: Clean;
  private readonly patience: Patience;

  constructor(private readonly parts: InvalidDataParts) {
    const { actions, clock, clean = withoutOwn, ending } = parts;
    this.clean = clean;
    this.notes = new ActionNotes(actions, clock, clean);
    const schedule: Clock['schedule'] = (task, delay) => clock.schedule(task, delay);
    this.patience = { timeout: HOOK_TIMEOUT, schedule, ending };
  }

  /** Never fails: what went wrong is among the problems. */
  async handle(kind: InvalidKind, item: unknown): Promise<InvalidDataReport> {
    const report: Report = { rejected: false, isCorrupted: false, problems: [] };
    await this.reject(kind, item, report);
    if (kind === 'block') await this.lookForHarm(report);
    if (isSound(report)) await this.request(kind, item, report);
    else report.problems.push('no valid one was asked for: the state is corrupted');
    return this.conclude(kind, report);
  }

  private hooksOf(kind: InvalidKind, step: InvalidDataHook['step']): InvalidDataHook[] {
    return this.parts.hooks.invalid.filter((hook) => hook.kind === kind && hook.step === step);
  }

  /** By each, whatever becomes of the others. */
  private async reject(kind: InvalidKind, item: unknown, report: Report): Promise<void> {
    const hooks = this.hooksOf(kind, 'reject');
    if (hooks.length === 0) {
      report.problems.push(`nobody rejects it: no method has @OnInvalid('${kind}', 'reject')`);
      return;
    }
    report.rejected = true;
    for (const hook of hooks) {
      const problem = problemOf(await askHook(() => hook.run(item), this.patience));
      if (problem === undefined) continue;
      report.rejected = false;
      report.problems.push(`${hook.from}: ${problem}`);
    }
  }

  private async lookForHarm(report: Report): Promise<void> {
    const { corruption } = this.parts;
    try {
      const { isCorrupted } = await corruption.check({});
      if (!isCorrupted) return;
      report.isCorrupted = true;
      report.corruption = await corruption.handle(false, {});
      const { result, message } = report.corruption;
      if (!isMended(result)) report.problems.push(message);
    } catch (error) {
      const what = report.isCorrupted ? 'mended' : 'checked';
      report.problems.push(`the state could not be ${what}: ${headline(factsOf(error))}`);
    }
  }

  /** The first that has one. */
  private async request(kind: InvalidKind, item: unknown, report: Report): Promise<void> {
    for (const hook of this.hooksOf(kind, 'request')) {
      const answer = await askHook(() => hook.run(item), this.patience);
      if ('problem' in answer) {
        report.problems.push(`${hook.from}: ${answer.problem}`);
      } else if (answer.value !== undefined) {
        report.replacement = answer.value;
        return;
      }
    }
  }

  private conclude(kind: InvalidKind, report: Report): InvalidDataReport {
    const problems = report.problems.map((problem) => this.clean(problem, MAX_PROBLEM));
    const done = [
      report.rejected ? 'rejected' : 'not rejected',
      ...(report.isCorrupted ? [isSound(report) ? 'state mended' : 'state corrupted'] : []),
      ...(report.replacement === undefined ? [] : ['valid one received']),
      ...problems,
    ];
    const status = report.rejected && isSound(report) ? 'success' : 'failed';
    const details = done.join('; ');
    this.notes.note(kind, { type: `invalid_${kind}`, status, details });
    return { ...report, problems };
  }
}

function isSound({ isCorrupted, corruption }: Report): boolean {
  return !isCorrupted || (corruption !== undefined && isMended(corruption.result));
}

const isMended = (result: CorruptionOutcome['result']): boolean =>
  result === 'fixed' || result === 'sound';
