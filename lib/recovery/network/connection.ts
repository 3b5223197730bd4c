import type { AsyncResource } from 'node:async_hooks';
import { MAX_TIMER, type Milliseconds } from '../../kernel/duration.js';
import type { CancelTimer, Clock } from '../../kernel/clock.js';
import type { ActionNotes } from '../action-notes.js';
import { askHook, type Patience, pause, problemOf } from '../ask-hook.js';
import type { ReconnectHook, ReconnectOptions, ResyncHook } from '../hooks.js';
import type { PartitionReport } from '../recovery-report.js';
import { reconnectOf } from './reconnect.options.js';

/** What a connection needs of the outside. */
export interface ConnectionParts {
  readonly clock: Clock;
  /** A timer that keeps no process alive. */
  readonly background: Clock['schedule'];
  /** Where efforts that nobody asked for run: not in the request, or the transaction, of whoever asked before. */
  readonly scope: Pick<AsyncResource, 'runInAsyncScope'>;
  readonly notes: ActionNotes;
  /** Aborts when the application ends. */
  readonly ending?: AbortSignal;
  /** Those of the connection, at any time. */
  resyncs(): readonly ResyncHook[];
}

/**
 * - `up`: as far as anybody has said.
 * - `cut`: it could not be re-established.
 * - `behind`: it is back, and somebody could not catch up.
 */
type State = 'up' | 'cut' | 'behind';

/** What became of an effort to get it back. */
interface Outcome {
  readonly state: State;
  readonly attempts: number;
  readonly error?: string;
}

/** One connection: one effort at a time, and none so soon after another; while it is cut, efforts by itself. */
export class Connection {
  private state: State = 'up';
  private running: Promise<Outcome> | undefined;
  private last: (Outcome & { readonly at: Milliseconds }) | undefined;
  private cancelNext: CancelTimer = () => {};
  private readonly options: Required<ReconnectOptions>;

  constructor(
    private readonly hook: ReconnectHook,
    private readonly parts: ConnectionParts,
  ) {
    this.options = reconnectOf(hook.options);
    parts.ending?.addEventListener('abort', () => this.cancelNext(), { once: true });
  }

  get isCut(): boolean {
    return this.state !== 'up';
  }

  /** Tries to get it back, unless somebody does, or did a moment ago. @param by who asks */
  async reconnect(by: string): Promise<PartitionReport['connections'][number]> {
    const { name } = this.hook;
    const { last, parts } = this;
    if (this.running === undefined && last !== undefined) {
      const { error, at } = last;
      if (parts.clock.now() - at < this.options.coolDown)
        return {
          name,
          outcome: 'cooling-down',
          attempts: 0,
          ...(error !== undefined && { error }),
        };
    }
    this.running ??= this.effort(
      this.options.attempts,
      // who waits for it wants the process to stay
      (task, delay) => parts.clock.schedule(task, delay),
      by,
    );
    const { state, attempts, error } = await this.running;
    const outcome = state === 'cut' ? 'failed' : 'connected';
    return { name, outcome, attempts, ...(error !== undefined && { error }) };
  }

  /** Whether it is there, be it that somebody has to catch up. */
  get isConnected(): boolean {
    return this.state !== 'cut';
  }

  /** While it is cut nobody need ask; what is there, and only behind, is left in peace. */
  private planNext(): void {
    const { retryEvery, coolDown } = this.options;
    this.cancelNext();
    if (this.state === 'up' || retryEvery === false) return;
    const again = (): void => {
      if (this.running !== undefined) return;
      const attempts = this.state === 'behind' ? 0 : 1;
      const { scope, background } = this.parts;
      this.running = scope.runInAsyncScope(() => this.effort(attempts, background));
    };
    this.cancelNext = this.parts.background(again, Math.max(retryEvery, coolDown));
  }

  private async effort(
    attempts: number,
    schedule: Clock['schedule'],
    by?: string,
  ): Promise<Outcome> {
    const { timeout } = this.options;
    const patience: Patience = { timeout, schedule, ending: this.parts.ending };
    let outcome = await this.tryAll(attempts, patience);
    if (outcome.state === 'up') outcome = { ...outcome, ...(await this.resync(patience)) };
    const before = this.state;
    this.state = outcome.state;
    this.last = { ...outcome, at: this.parts.clock.now() };
    this.running = undefined;
    if (this.parts.ending?.aborted === true) return outcome;
    // each of the efforts made by itself would be no news
    if (by !== undefined || before !== outcome.state) this.note(outcome, by ?? 'schedule');
    this.planNext();
    return outcome;
  }

  private async tryAll(attempts: number, patience: Patience): Promise<Outcome> {
    const { hook, options } = this;
    let error: string | undefined;
    for (let n = 1; n <= attempts; n += 1) {
      if (n > 1)
        await pause(Math.min(options.delay * 2 ** Math.min(n - 2, 31), MAX_TIMER), patience);
      error = problemOf(await askHook((signal) => hook.run(signal), patience));
      if (error === undefined) return { state: 'up', attempts: n };
      if (patience.ending?.aborted === true) return { state: 'cut', attempts: n, error };
    }
    return error === undefined ? { state: 'up', attempts } : { state: 'cut', attempts, error };
  }

  /** Each is run, whatever becomes of the others. */
  private async resync(patience: Patience): Promise<Pick<Outcome, 'state' | 'error'>> {
    const problems: string[] = [];
    for (const resync of this.parts.resyncs()) {
      const problem = problemOf(await askHook((signal) => resync.run(signal), patience));
      if (problem !== undefined) problems.push(`${resync.from}: ${problem}`);
    }
    if (problems.length === 0) return { state: 'up' };
    return { state: 'behind', error: `it is back, but could not catch up: ${problems.join('; ')}` };
  }

  private note({ state, attempts, error }: Outcome, by: string): void {
    const { name } = this.hook;
    const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
    const details =
      state === 'up'
        ? attempts === 0
          ? 'has caught up'
          : `back after ${tries}`
        : state === 'behind'
          ? error!
          : `${tries} failed, the last one: ${error}; the application goes on without it`;
    const status = state === 'up' ? 'success' : 'failed';
    this.parts.notes.note(name, { type: 'network_partition', status, details, by });
  }
}
