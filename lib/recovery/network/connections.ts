import { AsyncResource } from 'node:async_hooks';
import { clean as withoutOwn, type Clean } from '../../errors/record/clean.js';
import { show } from '../../kernel/check.js';
import type { Clock } from '../../kernel/clock.js';
import { ActionNotes } from '../action-notes.js';
import type { ActionLog } from '../actions/action-log.js';
import type { ReconnectHook, RecoveryHooks } from '../hooks.js';
import type { PartitionReport } from '../recovery-report.js';
import { RecoveryError } from '../recovery.error.js';
import type { NetworkDesk, RecoveryRequest } from '../recovery-manager.js';
import { Connection } from './connection.js';

/** What the connections are made of. */
export interface ConnectionsParts {
  /** Read whenever it is needed: modules may be loaded later. */
  readonly hooks: Pick<RecoveryHooks, 'reconnects' | 'resyncs'>;
  readonly clock: Clock;
  /** A timer that keeps no process alive, for what goes on by itself. Default: that of the clock. */
  readonly background?: Clock['schedule'];
  readonly actions: Pick<ActionLog, 'record'>;
  /** Every text goes through it. Default: takes out the secrets that we know. */
  readonly clean?: Clean;
  /** Aborts when the application ends: then nothing is tried any more. */
  readonly ending?: AbortSignal;
}

const MAX_ERROR = 500;

/** The connections of the application, by the names of their `@Reconnect`. */
export class Connections implements NetworkDesk {
  private readonly known = new Map<ReconnectHook, Connection>();
  private readonly scope = new AsyncResource('bulwark:connections');
  private readonly notes: ActionNotes;
  private readonly clean: Clean;

  constructor(private readonly parts: ConnectionsParts) {
    this.clean = parts.clean ?? withoutOwn;
    this.notes = new ActionNotes(parts.actions, parts.clock, this.clean);
  }

  get names(): readonly string[] {
    return this.parts.hooks.reconnects.map(({ name }) => name);
  }

  get partitions(): readonly string[] {
    return [...this.known].filter(([, { isCut }]) => isCut).map(([{ name }]) => name);
  }

  /**
   * Gets them back, or goes on without them. Of several that ask at a time for one connection all
   * wait for one effort; it goes on when one of them leaves.
   *
   * @throws RecoveryError `RECOVERY_UNKNOWN`, `RECOVERY_SHUTTING_DOWN`, or `RECOVERY_ABORTED` when
   *   whoever asked has left
   */
  async reconnect(
    name: string | undefined,
    { by = 'code', signal }: RecoveryRequest = {},
  ): Promise<PartitionReport> {
    if (this.parts.ending?.aborted === true)
      throw new RecoveryError('RECOVERY_SHUTTING_DOWN', 'the application ends');
    if (signal?.aborted === true) throw hasLeft();
    const chosen = this.chosen(name);
    const efforts = Promise.all(chosen.map((connection) => connection.reconnect(by)));
    const reports = await unlessLeft(efforts, signal);
    return {
      reconnected: chosen.every(({ isConnected }) => isConnected),
      connections: reports.map(({ error, ...report }) =>
        error === undefined ? report : { ...report, error: this.clean(error, MAX_ERROR) },
      ),
      isDegraded: chosen.some(({ isCut }) => isCut),
    };
  }

  private chosen(name: string | undefined): Connection[] {
    const { reconnects } = this.parts.hooks;
    const chosen = reconnects.filter((hook) => name === undefined || hook.name === name);
    if (name === undefined || chosen.length > 0) return chosen.map((hook) => this.of(hook));
    const message = `there is no connection ${this.clean(show(name), MAX_ERROR)}, no @Reconnect has that name`;
    throw new RecoveryError('RECOVERY_UNKNOWN', message);
  }

  private of(hook: ReconnectHook): Connection {
    let connection = this.known.get(hook);
    if (connection === undefined) {
      const { clock, background = clock.schedule.bind(clock), ending, hooks } = this.parts;
      const { scope, notes } = this;
      const resyncs = (): RecoveryHooks['resyncs'] =>
        hooks.resyncs.filter(({ name }) => name === hook.name);
      connection = new Connection(hook, { clock, background, ending, scope, notes, resyncs });
      this.known.set(hook, connection);
    }
    return connection;
  }
}

/** @throws RecoveryError */
async function unlessLeft<T>(coming: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return coming;
  let leave = (): void => {};
  try {
    return await Promise.race([
      coming,
      new Promise<never>((_, reject) => {
        leave = () => reject(hasLeft());
        signal.addEventListener('abort', leave);
      }),
    ]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

function hasLeft(): RecoveryError {
  return new RecoveryError('RECOVERY_ABORTED', 'whoever asked to reconnect has left');
}
