import { clean as withoutOwn, type Clean } from '../../errors/record/clean.js';
import type { ErrorContext } from '../../errors/error-context.js';
import type { ResilienceErrors } from '../../errors/resilience-errors.js';
import { RETRY_TABLE } from '../../errors/retry-table.js';
import { retryAfterOf } from '../../errors/retry-after.js';
import { aFunction, isOptionsObject, show, text } from '../../kernel/check.js';
import type { Classifier } from '../../kernel/classifier.js';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { Random } from '../../kernel/random.js';
import { Retry, type RetryVerdict } from '../../policies/retry/retry.js';
import { ActionNotes } from '../action-notes.js';
import type { ActionLog } from '../actions/action-log.js';
import { askHook, pause, type Patience, problemOf } from '../ask-hook.js';
import type { RecoveryHooks, RemedyHook } from '../hooks.js';
import type { ErrorRecovery, RecoveryContext } from '../recovery-report.js';
import type { ErrorDesk, NetworkDesk } from '../recovery-manager.js';

/** What the recovery from errors is made of. */
export interface ErrorRecoveryParts {
  /** Read whenever it is needed: modules may be loaded later. */
  readonly hooks: Pick<RecoveryHooks, 'remedies'>;
  readonly errors: Pick<ResilienceErrors, 'record'>;
  readonly classifier: Classifier;
  readonly network: Pick<NetworkDesk, 'names' | 'reconnect'>;
  readonly actions: Pick<ActionLog, 'record'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Every text goes through it. Default: takes out the secrets that we know. */
  readonly clean?: Clean;
  /** Aborts when the application ends: then nothing is begun any more. */
  readonly ending?: AbortSignal;
}

/** For each remedy. */
const REMEDY_TIMEOUT: Milliseconds = 10_000;

/** What was done about one error, so far. */
interface Treatment {
  readonly strategy: string[];
  /** Whether a remedy or a reconnect for it did what it is for. */
  isHealed: boolean;
  attempts: number;
}

type End = Pick<ErrorRecovery, 'recovery_status' | 'result' | 'error'>;

/**
 * Recovers from an error by what its category is worth: its remedies, the connections where a
 * dependency could not be reached, then the work again.
 */
export class ErrorRecoveryDesk implements ErrorDesk {
  private readonly retry: Retry;
  private readonly notes: ActionNotes;
  private readonly patience: Patience;

  constructor(private readonly parts: ErrorRecoveryParts) {
    const { clock, random, actions, clean = withoutOwn, ending } = parts;
    // no function of options is in it that could fail
    this.retry = new Retry({}, random, () => {}, RETRY_TABLE);
    this.notes = new ActionNotes(actions, clock, clean);
    const schedule: Clock['schedule'] = (task, delay) => clock.schedule(task, delay);
    this.patience = { timeout: REMEDY_TIMEOUT, schedule, ending };
  }

  /** Never fails but with a TypeError, for a context that is none. */
  async recover(error: unknown, context: RecoveryContext): Promise<ErrorRecovery> {
    refuseOther(context);
    const { serviceId, operation, retry } = context;
    const component = operation === undefined ? serviceId : `${serviceId}.${operation}`;
    const entry = this.parts.errors.record(error, { component });
    const treatment: Treatment = { strategy: [], isHealed: false, attempts: 0 };
    await this.heal(entry, treatment);
    await this.reconnect(entry, serviceId, treatment);
    // without work to do again there is nothing more to be done than to heal
    const end: End =
      retry !== undefined
        ? await this.again(error, retry, treatment)
        : treatment.isHealed
          ? { recovery_status: 'success' }
          : { recovery_status: 'failed', error };
    return this.conclude(entry, treatment, end);
  }

  /** Each once, whatever becomes of the others. */
  private async heal(entry: ErrorContext, treatment: Treatment): Promise<void> {
    const { category } = entry;
    for (const remedy of this.parts.hooks.remedies.filter((one) => one.category === category)) {
      if (this.isEnding) return;
      treatment.strategy.push(`remedy:${remedy.from}`);
      if (await this.healBy(remedy, entry)) treatment.isHealed = true;
    }
  }

  private async healBy(remedy: RemedyHook, entry: ErrorContext): Promise<boolean> {
    const problem = problemOf(await askHook(() => remedy.run(entry), this.patience));
    if (problem === undefined) return true;
    const { category, id } = entry;
    const details = `for ${category}: ${problem} (error ${id})`;
    const subject = `remedy ${remedy.from}`;
    this.notes.note(subject, { type: 'error_recovery', status: 'failed', details });
    return false;
  }

  /** The connection that is called as the service is, or else all: nobody says which one it went over. */
  private async reconnect(
    { category }: ErrorContext,
    serviceId: string,
    treatment: Treatment,
  ): Promise<void> {
    if (category !== 'communication' && category !== 'dependency') return;
    const { network } = this.parts;
    const { names } = network;
    if (names.length === 0 || this.isEnding) return;
    try {
      const report = await network.reconnect(names.includes(serviceId) ? serviceId : undefined, {});
      const tried = report.connections.filter(({ outcome }) => outcome !== 'cooling-down');
      treatment.strategy.push(...tried.map(({ name }) => `reconnect:${name}`));
      if (report.reconnected) treatment.isHealed = true;
    } catch {
      // the application ends: then there is nothing to be healed
    }
  }

  private async again(first: unknown, work: () => unknown, treatment: Treatment): Promise<End> {
    let error = first;
    let delay: Milliseconds = 0;
    for (;;) {
      const verdict = this.decide(error, treatment.attempts + 1, delay);
      if (!verdict.retry) return { recovery_status: 'failed', error };
      delay = verdict.delay;
      await pause(delay, this.patience);
      if (this.isEnding) return { recovery_status: 'failed', error };
      if (treatment.attempts === 0) treatment.strategy.push('retry');
      treatment.attempts += 1;
      try {
        return { recovery_status: 'success', result: await work() };
      } catch (failed) {
        error = failed;
      }
    }
  }

  private decide(error: unknown, attempts: number, previousDelay: Milliseconds): RetryVerdict {
    const { classifier, clock } = this.parts;
    return this.retry.decide({
      error,
      attempts,
      previousDelay,
      stillRunning: false,
      spentFurtherIn: false,
      classification: () => classifier.classify(error),
      retryAfter: () => retryAfterOf(error, clock.epoch()),
    });
  }

  private conclude(
    entry: ErrorContext,
    { strategy, attempts }: Treatment,
    end: End,
  ): ErrorRecovery {
    const { id, category, severity } = entry;
    const done = strategy.length === 0 ? 'nothing could be done' : strategy.join(', ');
    this.note(entry, end.recovery_status, done);
    return { ...end, category, severity, error_id: id, strategy, attempts };
  }

  private note(entry: ErrorContext, status: 'success' | 'failed', what: string): void {
    const { component, category, id } = entry;
    const details = `${what} (error ${id})`;
    this.notes.note(`${component}, ${category}`, { type: 'error_recovery', status, details });
  }

  private get isEnding(): boolean {
    return this.parts.ending?.aborted === true;
  }
}

/** @throws TypeError */
function refuseOther(context: unknown): void {
  if (!isOptionsObject(context)) throw mistake('', context, 'an object with a serviceId');
  const { serviceId, operation, retry } = context;
  const wish = text(serviceId);
  if (wish !== undefined) throw mistake(' serviceId', serviceId, wish);
  const other = operation === undefined ? undefined : text(operation);
  if (other !== undefined) throw mistake(' operation', operation, other);
  const last = retry === undefined ? undefined : aFunction(retry);
  if (last !== undefined) throw mistake(' retry', retry, last);
}

function mistake(field: string, value: unknown, expected: string): TypeError {
  return new TypeError(
    `recoverFromError context${field}: got ${show(value)}, expected ${expected}`,
  );
}
