import type { Milliseconds } from '../../../kernel/duration.js';
import type { Sequence } from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import type { BatchBuilder } from './batch.js';
import { reasonOf } from './failures.js';

/** Entries that are written together. */
export interface Batch {
  readonly kind: 'batch';
  readonly first: Sequence;
  readonly entries: BatchBuilder;
  /** Of those of its entries whose callers are told first. */
  readonly early: Deferred;
  /** Of the entries behind them; undefined if there are none. */
  late: Deferred | undefined;
  /** How many of its entries are early. */
  share: number;
  /** Where it ends in the segment, once it is under way. */
  end: number;
  begunAt: Milliseconds;
}

/** Something to be done between two batches. */
export interface Job {
  readonly kind: 'job';
  readonly run: () => Promise<void>;
  readonly early: Deferred;
  readonly late?: undefined;
}

export interface UnderWay {
  readonly item: Batch | Job;
  readonly done: Promise<void>;
}

export interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function deferred(): Deferred {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  promise.catch(() => {}); // who does not wait does not want to know
  return { promise, resolve, reject };
}

/** Tells all who wait for it that the writer has failed. */
export function reject({ early, late }: Batch | Job, cause: unknown): void {
  const error = fencedError(cause);
  early.reject(error);
  late?.reject(error);
}

export function fencedError(cause: unknown): CheckpointError {
  if (cause instanceof CheckpointError && cause.code === 'CHECKPOINT_FENCED') return cause;
  return new CheckpointError(
    'CHECKPOINT_FENCED',
    `The checkpoint store accepts nothing more since a write failed, and what was not acknowledged may be lost: ${reasonOf(cause)}. Open it again.`,
    { cause },
  );
}
