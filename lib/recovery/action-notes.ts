import { clean as withoutOwn, type Clean } from '../errors/record/clean.js';
import type { Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { ActionEntry, ActionLog } from './actions/action-log.js';

/** What would be noted more often than that is counted. */
const SPAN: Milliseconds = 60_000;
/** So many subjects are told apart. */
const MAX_SUBJECTS = 100;
/** In characters. */
const MAX_DETAILS = 500;

/**
 * Notes actions that come in storms: those of one subject with one outcome once a minute, and then
 * how many there were, so that a storm does not drive the evidence of all else out of the log.
 */
export class ActionNotes {
  private readonly noted = new Map<string, { readonly at: Milliseconds; more: number }>();

  constructor(
    private readonly actions: Pick<ActionLog, 'record'>,
    private readonly clock: Pick<Clock, 'now'>,
    private readonly clean: Clean = withoutOwn,
  ) {}

  /** @param subject what it is about; may be shown */
  note(subject: string, entry: ActionEntry): void {
    const key = JSON.stringify([entry.type, entry.status, entry.by, subject]);
    const known = this.noted.get(key);
    const now = this.clock.now();
    if (known !== undefined && now - known.at < SPAN) {
      known.more += 1;
      return;
    }
    this.noted.delete(key);
    if (this.noted.size >= MAX_SUBJECTS) this.noted.delete(this.noted.keys().next().value!);
    this.noted.set(key, { at: now, more: 0 });
    const before = known?.more ?? 0;
    const more = before === 0 ? '' : ` (and ${before} more since the last of these)`;
    this.record(entry, this.clean(`${subject}: ${entry.details}`, MAX_DETAILS) + more);
  }

  /** Nothing fails because it could not be noted. */
  private record(entry: ActionEntry, details: string): void {
    try {
      this.actions.record({ ...entry, details });
    } catch {
      // the log tells of its own failures
    }
  }
}
