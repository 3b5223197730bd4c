import type { ErrorCategory } from '../kernel/classifier.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { ErrorContext } from '../errors/error-context.js';

/** One thing that a check says is wrong: words, or words and a place. */
export type IssueInput = string | { readonly at?: string; readonly problem: string };

/**
 * What an integrity check answers: its issues, at once, later, or one by one. One that yields is
 * interrupted between two of them, so that long checks block nobody; it may yield `undefined` where
 * there is no issue to be interrupted there.
 */
export type CheckAnswer =
  | Iterable<IssueInput | undefined>
  | Promise<Iterable<IssueInput | undefined>>
  | AsyncIterable<IssueInput | undefined>;

/** One check of the application's state. */
export interface IntegrityCheckHook {
  readonly name: string;
  /** `Class.method`, for messages. */
  readonly from: string;
  run(signal: AbortSignal): CheckAnswer;
}

/** Keeps something over a restore that the restored state lacks. */
export interface ParticipantHook {
  /** `Class`, for messages and reports. */
  readonly name: string;
  before(): unknown;
  after(carried: unknown): unknown;
}

/** Re-establishes a connection. */
export interface ReconnectHook {
  readonly name: string;
  readonly from: string;
  readonly options: ReconnectOptions;
  run(signal: AbortSignal): unknown;
}

/** How a connection is re-established. */
export interface ReconnectOptions {
  /** How often it is tried before the application goes on without. From 1. Default 3. */
  attempts?: number;
  /** Milliseconds before the second attempt, twice as many before each further one. Default 1 s. */
  delay?: Milliseconds;
  /** Milliseconds after an attempt in which nobody makes another: its answer counts. Default 5 s. */
  coolDown?: Milliseconds;
  /** Milliseconds between attempts while the application goes on without, at least the cool-down; `false`: none. Default 30 s. */
  retryEvery?: Milliseconds | false;
  /** Milliseconds that one attempt may take, and one `@Resync` after it. Default 10 s. */
  timeout?: Milliseconds;
}

/** Catches up when a connection is back. */
export interface ResyncHook {
  readonly name: string;
  readonly from: string;
  run(signal: AbortSignal): unknown;
}

/** Heals one kind of error. */
export interface RemedyHook {
  readonly category: ErrorCategory;
  readonly from: string;
  run(error: ErrorContext): unknown;
}

/** What is checked by handlers of invalid data. */
export type InvalidKind = 'block' | 'transaction';

/** One step of the treatment of invalid data: get rid of it, or ask for a valid one. */
export interface InvalidDataHook {
  readonly kind: InvalidKind;
  readonly step: 'reject' | 'request';
  readonly from: string;
  run(item: unknown): unknown;
}

/** Runs while the application shuts down, before the last checkpoint is written. */
export interface ShutdownHook {
  readonly name: string;
  readonly from: string;
  /** Runs before those that it names: what depends on something ends before that does. */
  readonly dependsOn: readonly string[];
  run(reason: string, signal: AbortSignal): unknown;
}

/** Everything that the providers of an application have to say about recovery. */
export interface RecoveryHooks {
  readonly checks: readonly IntegrityCheckHook[];
  readonly participants: readonly ParticipantHook[];
  readonly reconnects: readonly ReconnectHook[];
  readonly resyncs: readonly ResyncHook[];
  readonly remedies: readonly RemedyHook[];
  readonly invalid: readonly InvalidDataHook[];
  readonly shutdowns: readonly ShutdownHook[];
}
