import { setImmediate as turn } from 'node:timers/promises';
import type { CancelTimer, Clock } from '../../../kernel/clock.js';
import type { Milliseconds } from '../../../kernel/duration.js';
import type { Appended, Sequence } from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { checkEntry } from '../store-checks.js';
import type { Durability } from '../../durability.js';
import { BatchBuilder } from './batch.js';
import { reasonOf } from './failures.js';
import { type OpenFile, writeAll } from './file-system.js';
import type { SegmentHeader } from './segment-header.js';

/** The segment that is written to. */
export interface LiveSegment {
  readonly file: OpenFile;
  readonly header: SegmentHeader;
  /** Where the next batch goes. */
  position: number;
  /** Up to where it is on the disk for sure. */
  synced: number;
}

/** Says whether what was done is still ours to acknowledge. */
export interface Ownership {
  readonly assured: boolean;
  assure(): Promise<void>;
  /** Told the last entry that is on the disk for sure. */
  durable: Sequence;
}

interface Batch {
  readonly kind: 'batch';
  readonly first: Sequence;
  readonly entries: BatchBuilder;
  readonly durable: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Job {
  readonly kind: 'job';
  readonly run: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes the journal: one write and one sync are under way at a time, and what is appended meanwhile goes
 * into the next batch. So there is group commit without any timer.
 *
 * Everything happens in the order in which it was asked for. The first failure is the last: what is
 * waiting is rejected and nothing is tried again, since after a failed sync nobody knows what is on the disk.
 */
export class JournalWriter {
  private readonly queue: (Batch | Job)[] = [];
  private readonly spare: BatchBuilder[] = [];
  private busy = false;
  private failure: { readonly cause: unknown } | undefined;
  private cancelSync: CancelTimer | undefined;
  private idle: Promise<void> = Promise.resolve();
  private written: Sequence;
  private synced: Sequence;

  constructor(
    private segment: LiveSegment,
    private last: Sequence,
    private readonly durability: Durability,
    private readonly ownership: Ownership,
    private readonly clock: Clock,
    private readonly onFailure: (cause: unknown) => void,
  ) {
    this.written = this.synced = last;
  }

  /** The sequence of the entry appended last. */
  get sequence(): Sequence {
    return this.last;
  }

  append(entry: Uint8Array): Appended {
    this.assertSound();
    checkEntry(entry);
    const batch = this.openBatch();
    batch.entries.add(entry);
    this.last += 1;
    this.wake();
    return { sequence: this.last, durable: batch.durable };
  }

  /** Runs when everything appended so far has been written, and before anything appended later is. */
  async barrier(run: (segment: LiveSegment) => Promise<LiveSegment | undefined>): Promise<void> {
    this.assertSound();
    return new Promise((resolve, reject) => {
      const change = async (): Promise<void> => {
        this.segment = (await run(this.segment)) ?? this.segment;
      };
      this.queue.push({ kind: 'job', run: change, resolve, reject });
      this.wake();
    });
  }

  /** Resolves when everything appended so far is on the disk. */
  flush(): Promise<void> {
    return this.barrier(async (segment) => {
      await this.sync(segment);
      return undefined;
    });
  }

  /** Puts what has been written on the disk. */
  async sync(segment: LiveSegment): Promise<void> {
    const end = segment.position;
    if (segment.synced === end) return;
    const { written } = this;
    await segment.file.datasync();
    segment.synced = end;
    this.synced = written;
  }

  /** Accepts no more: rejects all that wait, at once. What is under way ends by itself. */
  fail(cause: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = { cause };
    this.cancelSync?.();
    for (const item of this.queue.splice(0)) item.reject(fencedError(cause));
    this.onFailure(cause);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    this.cancelSync?.();
    await this.idle;
  }

  /** The segment as it is; to be closed after `settled`. */
  get current(): LiveSegment {
    return this.segment;
  }

  private assertSound(): void {
    if (this.failure !== undefined) throw fencedError(this.failure.cause);
  }

  private openBatch(): Batch {
    const newest = this.queue.at(-1);
    if (newest?.kind === 'batch' && !newest.entries.full) return newest;
    let resolve!: () => void;
    let reject!: (error: unknown) => void;
    const durable = new Promise<void>((accept, refuse) => {
      resolve = accept;
      reject = refuse;
    });
    durable.catch(() => {}); // who does not wait does not want to know
    const entries = this.spare.pop() ?? new BatchBuilder();
    const batch: Batch = { kind: 'batch', first: this.last + 1, entries, durable, resolve, reject };
    this.queue.push(batch);
    return batch;
  }

  private wake(): void {
    if (this.busy) return;
    this.busy = true;
    this.idle = this.run();
  }

  private async run(): Promise<void> {
    await Promise.resolve(); // what is appended in the same breath comes along
    for (;;) {
      const item = this.queue.shift();
      if (item === undefined) break;
      try {
        await (item.kind === 'batch' ? this.write(item) : item.run());
        // after the deed: who takes over from now on finds it done
        if (!this.ownership.assured) await this.ownership.assure();
        this.ownership.durable = this.synced;
      } catch (error) {
        item.reject(fencedError(error));
        this.fail(error);
        break;
      }
      if (this.failure !== undefined) {
        item.reject(fencedError(this.failure.cause));
        break;
      }
      item.resolve();
      // those who were waiting now append what they have next: all of it into one batch
      if (item.kind === 'batch' && this.release(item.entries) > 1) await turn();
    }
    // in the same step in which the queue was seen empty: later, and an append in between would wait for ever
    this.busy = false;
  }

  private async write({ entries, first }: Batch): Promise<void> {
    const { segment } = this;
    const bytes = entries.seal(
      segment.header.salt,
      first,
      segment.synced,
      segment.header.seal,
      segment.position,
    );
    await writeAll(segment.file, bytes, segment.position);
    segment.position += bytes.length;
    this.written = first + entries.count - 1;
    if (this.durability === 'sync') await this.sync(segment);
    else if (typeof this.durability === 'object') this.syncLater(this.durability.interval);
  }

  private syncLater(interval: Milliseconds): void {
    this.cancelSync ??= this.clock.schedule(() => {
      this.cancelSync = undefined;
      // a failure fences, and so reaches everybody
      this.flush().catch(() => {});
    }, interval);
  }

  /** Keeps the buffer for a later batch; answers how many entries it had. */
  private release(entries: BatchBuilder): number {
    const { count } = entries;
    entries.clear();
    if (this.spare.length < 2) this.spare.push(entries);
    return count;
  }
}

export function fencedError(cause: unknown): CheckpointError {
  if (cause instanceof CheckpointError && cause.code === 'CHECKPOINT_FENCED') return cause;
  return new CheckpointError(
    'CHECKPOINT_FENCED',
    `The checkpoint store accepts nothing more since a write failed, and what was not acknowledged may be lost: ${reasonOf(cause)}. Open it again.`,
    { cause },
  );
}
