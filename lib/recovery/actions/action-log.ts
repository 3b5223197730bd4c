import { clean } from '../../errors/record/clean.js';
import { factsOf, headline } from '../../errors/record/facts.js';
import type { Clock } from '../../kernel/clock.js';
import type { EventBody } from '../../kernel/event.js';
import type { RecoveryAction } from '../recovery-report.js';
import { RecoveryError } from '../recovery.error.js';

/** An action as it is noted. */
export type ActionEntry = Omit<RecoveryAction, 'id' | 'at' | 'by'> & { readonly by?: string };

/** What is noted of something that takes a while. */
export interface DuringEntry extends Pick<ActionEntry, 'type' | 'details'> {
  readonly by?: string | undefined;
}

/** Where actions are kept over a restart. Each is one line. */
export interface ActionStore {
  /** All that are kept, oldest first. What cannot be read is left out. */
  read(): Promise<readonly RecoveryAction[]>;
  /** Lets go of what it has open. Nothing is added any more. */
  close(): Promise<void>;
  /** Adds one; resolves when it is on the disk. @param all what is remembered at this moment, for a store that begins anew */
  append(action: RecoveryAction, all: readonly RecoveryAction[]): Promise<void>;
}

/** What a log of actions is made of. */
export interface ActionLogParts {
  readonly clock: Pick<Clock, 'epoch'>;
  readonly emit: (body: EventBody) => void;
  /** Undefined: they are gone with the process. */
  readonly store?: ActionStore | undefined;
  /** Told once when they cannot be kept: nothing else is harmed by that. */
  readonly report: (error: unknown) => void;
  /** How many are remembered. */
  readonly max: number;
}

/** Far more than any application lives to see. */
const MAX_ID = 2 ** 52;
const MAX_DETAILS = 500;
const MAX_BY = 100;

/** What was done to recover, and by whom: evidence, on disk where there is one. */
export class ActionLog {
  private actions: RecoveryAction[] = [];
  private last = 0;
  private writing: Promise<void> = Promise.resolve();
  private isTold = false;
  private isClosed = false;

  constructor(private readonly parts: ActionLogParts) {}

  /** Takes in what is kept of earlier lives; answers the actions that had begun and never ended. */
  async open(): Promise<readonly RecoveryAction[]> {
    try {
      const kept = (await this.parts.store?.read()) ?? [];
      this.actions = [...kept, ...this.actions].slice(-this.parts.max);
    } catch (error) {
      this.failed(error);
    }
    // numbers that somebody planted must not be the end of all numbers
    if (this.actions.some(({ id }) => id > MAX_ID))
      this.actions = this.actions.map((action, i) => ({ ...action, id: i + 1 }));
    this.last = Math.max(this.last, ...this.actions.map(({ id }) => id));
    return unended(this.actions);
  }

  record({ by = 'code', details, type, status }: ActionEntry): RecoveryAction {
    const { clock, emit, store, max } = this.parts;
    this.last += 1;
    const action: RecoveryAction = {
      id: this.last,
      at: clock.epoch(),
      type,
      status,
      details: clean(details, MAX_DETAILS),
      by: clean(by, MAX_BY),
    };
    this.actions.push(action);
    if (this.actions.length > max) this.actions.shift();
    emit({
      type: 'recovery-action',
      target: 'recovery',
      action: type,
      status,
      details: action.details,
    });
    if (store !== undefined && !this.isClosed) {
      this.writing = this.writing
        .then(() => store.append(action, this.actions))
        .catch((error: unknown) => this.failed(error));
    }
    return action;
  }

  /**
   * Notes how something began, before it does, and how it ended.
   *
   * @param told what is to be said of a result. Default `success`
   */
  async during<T>(
    { by, ...entry }: DuringEntry,
    work: () => Promise<T>,
    told: (result: T) => Partial<Pick<ActionEntry, 'status' | 'details'>> = () => ({}),
  ): Promise<T> {
    const note = (more: Pick<ActionEntry, 'status'> & { details?: string }): void =>
      void this.record({ ...entry, ...(by === undefined ? {} : { by }), ...more });
    note({ status: 'started' });
    await this.settled();
    try {
      const result = await work();
      note({ status: 'success', ...told(result) });
      return result;
    } catch (error) {
      const status = error instanceof RecoveryError ? 'refused' : 'failed';
      note({ status, details: `${entry.details}: ${headline(factsOf(error))}` });
      throw error;
    }
  }

  /** Resolves when everything recorded so far is kept, or has failed to be. */
  settled(): Promise<void> {
    return this.writing;
  }

  /** Everything recorded so far is kept; what comes later is in memory only. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.writing;
    await this.parts.store?.close();
  }

  /** Newest first. */
  list(limit: number): readonly RecoveryAction[] {
    return this.actions.slice(-Math.max(0, limit)).toReversed();
  }

  private failed(error: unknown): void {
    if (this.isTold) return;
    this.isTold = true;
    this.parts.report(error);
  }
}

function unended(actions: readonly RecoveryAction[]): readonly RecoveryAction[] {
  const open = new Map<string, RecoveryAction>();
  for (const action of actions) {
    if (action.status === 'started') open.set(action.type, action);
    else open.delete(action.type);
  }
  return [...open.values()];
}
