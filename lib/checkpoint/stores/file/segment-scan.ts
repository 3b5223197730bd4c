import type { Sequence } from '../../checkpoint-store.js';
import { BATCH_HEADER_BYTES, decodeBatchHeader, isWhole, type BatchHeader } from './batch.js';
import { damaged } from './failures.js';
import { type OpenFile, readFully, ZEROS } from './file-system.js';
import { headerBytesOf, type SegmentHeader } from './segment-header.js';

/** A whole batch of a segment. `bytes` are good until the next one is asked for. */
export interface ScannedBatch extends BatchHeader {
  readonly at: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/** A part of a file in memory that moves on, so that a segment of any size can be read. */
class Window {
  private bytes = Buffer.alloc(0);
  private start = 0;

  constructor(
    private readonly file: OpenFile,
    readonly limit: number,
  ) {}

  /** `length` bytes from `at`, or as many as there are. */
  async view(at: number, length: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(length, this.limit - at));
    if (at < this.start || at + wanted > this.start + this.bytes.length) {
      const size = Math.max(wanted, Math.min(READ_AHEAD, this.limit - at));
      const next = Buffer.allocUnsafe(Math.max(0, size));
      const read = await readFully(this.file, next, at);
      this.bytes = next.subarray(0, read);
      this.start = at;
    }
    return this.bytes.subarray(at - this.start, at - this.start + wanted);
  }
}

const READ_AHEAD = ZEROS.length;

async function batchAt(
  window: Window,
  at: number,
  salt: number,
): Promise<ScannedBatch | undefined> {
  const header = decodeBatchHeader(await window.view(at, BATCH_HEADER_BYTES), salt);
  if (header === undefined) return undefined;
  const length = BATCH_HEADER_BYTES + header.bodyBytes;
  // before anything is allocated: a length that the file does not have
  if (at + length > window.limit) return undefined;
  const bytes = await window.view(at, length);
  if (bytes.length < length || !isWhole(bytes, salt)) return undefined;
  return { ...header, at, end: at + length, bytes };
}

/** Where a batch of a segment is wanted, and which. */
export interface BatchPlace {
  readonly at: number;
  readonly first: Sequence;
}

/** The place of the first batch. */
export const beginningOf = (header: SegmentHeader): BatchPlace => ({
  at: headerBytesOf(header),
  first: header.first,
});

/**
 * The batches of a segment from a place on, one after another, up to `limit` bytes of it or to the first place where
 * there is no whole one; answers which that is.
 */
export async function* scanBatches(
  file: OpenFile,
  salt: number,
  from: BatchPlace,
  limit: number,
): AsyncGenerator<ScannedBatch, BatchPlace> {
  const window = new Window(file, limit);
  let { at, first } = from;
  for (;;) {
    const batch = await batchAt(window, at, salt);
    if (batch === undefined || batch.first !== first) return { at, first };
    yield batch;
    at = batch.end;
    first += batch.count;
  }
}

/** Where the zeros begin that go on to `limit`: `from` if nothing else is behind that. */
export async function endOfContent(file: OpenFile, from: number, limit: number): Promise<number> {
  const bytes = Buffer.allocUnsafe(Math.min(READ_AHEAD, Math.max(0, limit - from)));
  let end = from;
  for (let at = from; at < limit;) {
    const read = await readFully(file, bytes.subarray(0, limit - at), at);
    if (read === 0) break;
    let content = ZEROS.compare(bytes, 0, read, 0, read) === 0 ? 0 : read;
    while (content > 0 && bytes[content - 1] === 0) content -= 1;
    if (content > 0) end = at + content;
    at += read;
  }
  return end;
}

/**
 * How often what may be a batch is looked at on average, byte by byte. Those that we wrote do not overlap: what
 * takes more was made up, to keep whoever reads it busy for hours.
 */
const PATIENCE = 4;

/**
 * A whole batch behind a place where there is none, which shows that the place was once on the disk:
 * the bytes there have rotted. Without one it is an end that a crash left.
 *
 * A later batch alone is no proof where not every one was synced: the blocks of a file reach the disk in
 * any order. So each says how far the disk was known to be. One at the very place is whole and yet not
 * what should come there: no crash does that.
 *
 * @param content where the zeros begin that go on to `limit`: no batch begins there
 */
export async function findProofOfDamage(
  file: OpenFile,
  salt: number,
  damagedAt: number,
  content: number,
  limit: number,
): Promise<ScannedBatch | undefined> {
  const places = new Window(file, content);
  // a batch may end in zeros, which look like those behind the end
  const batches = new Window(file, limit);
  const mark = Buffer.alloc(4);
  mark.writeUInt32LE(salt);
  let patience = PATIENCE * (content - damagedAt) + READ_AHEAD;
  for (let at = damagedAt; at < content;) {
    const view = await places.view(at, READ_AHEAD);
    for (let found = view.indexOf(mark); found !== -1; found = view.indexOf(mark, found + 1)) {
      const header = decodeBatchHeader(await batches.view(at + found, BATCH_HEADER_BYTES), salt);
      const isProof = at + found === damagedAt || (header?.synced ?? 0) > damagedAt;
      if (header === undefined || !isProof) continue;
      const batch = await batchAt(batches, at + found, salt);
      if (batch !== undefined) return batch;
      patience -= Math.min(BATCH_HEADER_BYTES + header.bodyBytes, limit - at - found);
      if (patience < 0) {
        throw damaged(
          `A segment of the journal has too much behind byte ${damagedAt} that looks like a batch and is none.`,
        );
      }
    }
    if (view.length < READ_AHEAD) return undefined;
    at += view.length - mark.length + 1;
  }
  return undefined;
}
