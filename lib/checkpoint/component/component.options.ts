import {
  aFunction,
  boolean,
  checkOptions,
  integer,
  type Mistake,
  type OptionRules,
  show,
  span,
} from '../../kernel/check.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { Durability } from '../durability.js';
import { isSafeName } from '../safe-name.js';

/** When a component is saved as a whole. */
export interface SnapshotOptions {
  /** After so many calls that changed it, from 1. Default 1,000. */
  calls?: number;
  /** After so long since the last one, if it changed. Milliseconds, from 100. Default never by time alone. */
  time?: Milliseconds;
}

/** A provider whose state outlives a crash. */
export interface CheckpointComponentOptions {
  /** What it is called on disk. Letters, digits, dot, hyphen and underscore, at most 100. Required. */
  name: string;
  /** Of the form of its state; a larger number than on disk needs `migrate`. From 1. Default 1. */
  version?: number;
  /**
   * Makes the state of the present version out of that of an older one: for durable fields an object
   * with a Map, Set, array or value for each, otherwise what `captureState` gave.
   */
  migrate?: (state: never, from: number) => unknown;
  /** Components whose state is restored before its own. */
  dependsOn?: readonly string[];
  snapshot?: SnapshotOptions;
  /** Whether its `@Checkpoint` calls run one at a time. `false` only without a journal. Default true. */
  serial?: boolean;
  /**
   * What an acknowledged call is worth. Default `sync`.
   *
   * - `sync`: it is on disk. Nothing acknowledged is lost by `kill -9` or a power cut.
   * - `{ interval }`: it is on its way there. A crash may lose the acknowledged calls of so many
   *   milliseconds, from 1; in fact of one sync, for the store syncs as soon as it can.
   * - `manual`: the same, and nothing is promised before `CheckpointService.flush()`.
   */
  durability?: Durability;
  /** How many calls may wait for their turn, from 0. Default 1,000. */
  maxPending?: number;
  /**
   * For captured state: how long `restoreState` may take. Later the start fails, a restore is refused,
   * and the store stays fenced until it has ended. Milliseconds, from 1. Default 60,000.
   */
  restoreTimeout?: Milliseconds;
  /** Makes its state anew when no checkpoint of it can be used any more; answers it as `migrate` does. */
  rebuild?: () => unknown;
  /** Whether it may start empty when no checkpoint can be used and nothing rebuilds it. Default false: the start is refused. */
  startEmpty?: boolean;
  /** Whether its `describeState` stands for the application in lists of backups. Default false. */
  primary?: boolean;
}

/** How one method keeps what it does. */
export interface CheckpointOptions<A extends readonly unknown[] = readonly never[], R = never> {
  /**
   * For captured state: what is to be written down of the call, for `applyEntry` to do it again.
   * Needs `rollback: true`.
   */
  journal?: (result: R, ...args: A) => unknown;
  /** For captured state: takes back what a failed call did, by the state before it. Default false. */
  rollback?: boolean;
  /**
   * Names the call: one with a name that was used before is not carried out, and gets the answer of
   * the first. The last 10,000 per component are known.
   */
  idempotencyKey?: (...args: A) => string;
}

const COMPONENT_RULES: OptionRules<CheckpointComponentOptions> = {
  name: (v) =>
    isSafeName(v)
      ? undefined
      : 'a name of letters, digits, dots, hyphens and underscores, at most 100',
  version: integer(1),
  migrate: aFunction,
  dependsOn: (v) =>
    Array.isArray(v) && v.every((name) => typeof name === 'string')
      ? undefined
      : 'a list of names of components',
  snapshot: (v) => (typeof v === 'object' && v !== null ? undefined : '{ calls, time }'),
  serial: boolean,
  durability: (v) =>
    (typeof v === 'object' &&
      v !== null &&
      span(1)((v as { interval?: unknown }).interval) === undefined) ||
    v === 'sync' ||
    v === 'manual'
      ? undefined
      : "'sync', 'manual' or { interval } in milliseconds",
  maxPending: integer(0),
  restoreTimeout: span(1),
  rebuild: aFunction,
  startEmpty: boolean,
  primary: boolean,
};

const SNAPSHOT_RULES: OptionRules<SnapshotOptions> = { calls: integer(1), time: span(100) };

const CHECKPOINT_RULES: OptionRules<CheckpointOptions> = {
  journal: aFunction,
  rollback: boolean,
  idempotencyKey: aFunction,
};

/** Every mistake in the options of a component. */
export function checkComponent(at: string, options: unknown): Mistake[] {
  const mistakes = checkOptions<CheckpointComponentOptions>(at, options, COMPONENT_RULES);
  const { name, snapshot } = Object(options) as Partial<CheckpointComponentOptions>;
  if (mistakes.length === 0 && name === undefined)
    mistakes.push({
      at: `${at} name`,
      problem: `got ${show(name)}, expected ${COMPONENT_RULES.name(name)}`,
    });
  if (typeof snapshot === 'object' && snapshot !== null)
    mistakes.push(...checkOptions(`${at} snapshot`, snapshot, SNAPSHOT_RULES));
  return mistakes;
}

/** Every mistake in the options of a method. */
export function checkCheckpoint(at: string, options: unknown): Mistake[] {
  const mistakes = checkOptions<CheckpointOptions>(at, options, CHECKPOINT_RULES);
  const { journal, rollback } = Object(options) as CheckpointOptions;
  if (mistakes.length === 0 && journal !== undefined && rollback !== true)
    mistakes.push({
      at: `${at} journal`,
      problem: 'given without rollback: true; a failed call must leave no trace in the state',
    });
  return mistakes;
}
