import type { CancelTimer, Clock } from '../../../kernel/clock.js';
import type { Milliseconds } from '../../../kernel/duration.js';
import type { Appended, Sequence } from '../../checkpoint-store.js';
import { checkEntry } from '../store-checks.js';
import type { Durability } from '../../durability.js';
import { BatchBuilder } from './batch.js';
import { type OpenFile, writeAll } from './file-system.js';
import {
  type Batch,
  deferred,
  fencedError,
  type Job,
  reject,
  type UnderWay,
} from './journal-queue.js';
import { Pace } from './pace.js';
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

/**
 * Writes the journal: what is appended while a batch is on its way to the disk goes into the next one. So there is
 * group commit without any timer. One batch is under way at a time, or two where `Pace` says that this is quicker:
 * neither says of the other that it is on the disk, so after a crash the second without the first is no damage.
 *
 * Everything is answered in the order in which it was asked for. The first failure is the last: what is
 * waiting is rejected and nothing is tried again, since after a failed sync nobody knows what is on the disk.
 */
export class JournalWriter {
  private readonly queue: (Batch | Job)[] = [];
  /** Oldest first: one job, or so many batches as may be. */
  private readonly underWay: UnderWay[] = [];
  private readonly spare: BatchBuilder[] = [];
  private readonly pace: Pace;
  private busy = false;
  private isToBegin = false;
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
    this.pace = new Pace(clock);
  }

  /** The sequence of the entry appended last. */
  get sequence(): Sequence {
    return this.last;
  }

  append(entry: Uint8Array): Appended {
    this.assertSound();
    checkEntry(entry);
    const batch = this.openBatch();
    const isEarly = batch.entries.count < batch.share;
    const { promise } = isEarly ? batch.early : (batch.late ??= deferred());
    batch.entries.add(entry);
    this.last += 1;
    this.wake();
    return { sequence: this.last, durable: promise };
  }

  /** Runs when everything appended so far has been written, and before anything appended later is. */
  async barrier(run: (segment: LiveSegment) => Promise<LiveSegment | undefined>): Promise<void> {
    this.assertSound();
    const change = async (): Promise<void> => {
      this.segment = (await run(this.segment)) ?? this.segment;
    };
    const early = deferred();
    this.queue.push({ kind: 'job', run: change, early });
    this.wake();
    return early.promise;
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
    for (const item of this.queue.splice(0)) reject(item, cause);
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
    const batch: Batch = {
      kind: 'batch',
      first: this.last + 1,
      entries: this.spare.pop() ?? new BatchBuilder(),
      early: deferred(),
      late: undefined,
      share: this.pace.share,
      end: 0,
      begunAt: 0,
    };
    this.queue.push(batch);
    return batch;
  }

  private wake(): void {
    if (!this.busy) {
      this.busy = true;
      this.idle = this.run();
    } else if (this.pace.lanes > 1 && !this.isToBegin) {
      this.isToBegin = true;
      // not at once: others who were told of the same batch come back as well
      setImmediate(() => {
        this.isToBegin = false;
        this.begin();
      });
    }
  }

  /** Begins what may be under way now: a job by itself, batches side by side. */
  private begin(): void {
    for (;;) {
      const item = this.queue[0];
      if (item === undefined) return;
      const isAlone = item.kind === 'job' || this.underWay[0]?.item.kind === 'job';
      if (this.underWay.length >= (isAlone ? 1 : this.pace.lanes)) return;
      this.queue.shift();
      const done = item.kind === 'batch' ? this.write(item) : item.run();
      done.catch(() => {}); // heard when its turn has come
      this.underWay.push({ item, done });
    }
  }

  private async run(): Promise<void> {
    await Promise.resolve(); // what is appended in the same breath comes along
    for (;;) {
      this.begin();
      const oldest = this.underWay[0];
      if (oldest === undefined) break;
      const { item } = oldest;
      try {
        await oldest.done;
        // after the deed: who takes over from now on finds it done
        if (!this.ownership.assured) await this.ownership.assure();
        this.assertSound();
        if (item.kind === 'batch') this.arrived(item);
        this.ownership.durable = this.synced;
      } catch (error) {
        this.underWay.shift();
        reject(item, error);
        this.fail(error);
        continue; // there may be another under way
      }
      this.underWay.shift();
      if (item.kind === 'batch') await this.tell(item);
      else item.early.resolve();
    }
    // in the same step in which the queue was seen empty: later, and an append in between would wait for ever
    this.busy = false;
  }

  private async write(batch: Batch): Promise<void> {
    const { segment } = this;
    const { entries, first } = batch;
    const at = segment.position;
    const bytes = entries.seal(segment.header.salt, first, segment.synced, segment.header.seal, at);
    batch.begunAt = this.clock.now();
    batch.end = segment.position += bytes.length;
    await writeAll(segment.file, bytes, at);
    if (this.durability === 'sync') await segment.file.datasync();
  }

  /** It has been written, and everything before it. */
  private arrived({ first, entries, begunAt, end }: Batch): void {
    this.written = first + entries.count - 1;
    if (this.durability === 'sync') {
      this.segment.synced = end;
      this.synced = this.written;
      if (this.segment.file.sideBySide === true) this.pace.wrote(this.clock.now() - begunAt);
    } else if (typeof this.durability === 'object') this.syncLater(this.durability.interval);
  }

  /** Those who were waiting now append what they have next: all of it into one batch, or into two. */
  private async tell({ entries, early, late, share }: Batch): Promise<void> {
    const { count } = entries;
    this.release(entries);
    const others = this.waiting();
    const { lanes } = this.pace.choose(count + others);
    early.resolve();
    // the callers have come together in one batch, and are parted
    const parts = lanes > 1 && late !== undefined && 3 * others < count;
    if (!parts) late?.resolve();
    const back = this.pace.back(parts ? share : count);
    if (parts || (lanes === 1 && count > 1)) await back;
    if (parts) late.resolve();
  }

  /** How many entries are not on the disk yet. */
  private waiting(): number {
    let count = 0;
    for (const { item } of this.underWay) if (item.kind === 'batch') count += item.entries.count;
    for (const item of this.queue) if (item.kind === 'batch') count += item.entries.count;
    return count;
  }

  private syncLater(interval: Milliseconds): void {
    this.cancelSync ??= this.clock.schedule(() => {
      this.cancelSync = undefined;
      // a failure fences, and so reaches everybody
      this.flush().catch(() => {});
    }, interval);
  }

  /** Keeps the buffer for a later batch. */
  private release(entries: BatchBuilder): void {
    entries.clear();
    if (this.spare.length < 3) this.spare.push(entries);
  }
}
