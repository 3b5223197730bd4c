import { setImmediate } from 'node:timers/promises';
import type { Sequence } from '../../checkpoint-store.js';
import { bodyOf, entriesOf } from './batch.js';
import { damaged, ioFailure, WAY_OUT } from './failures.js';
import { forged } from './keyring.js';
import { SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-header.js';
import {
  type BatchPlace,
  beginningOf,
  endOfContent,
  findProofOfDamage,
  scanBatches,
  type ScannedBatch,
} from './segment-scan.js';
import type { Segment } from './segments.js';
import { closeQuietly, type StoreDirectory } from './store-directory.js';

/** How far a segment was found whole. */
export interface SegmentEnd {
  /** The last entry; one less than the first if there is none. */
  readonly last: Sequence;
  /** The bytes up to there. */
  readonly length: number;
  /** What is behind up to the last byte that is not zero: left by a write that a crash interrupted. */
  readonly tornBytes: number;
}

type Entry = { readonly sequence: Sequence; readonly entry: Uint8Array };

/** So many bytes are handed out before others have a turn: whoever takes them carries them out. */
const TURN = 64 * 1024;
/** An entry costs as much as so many bytes, however small it is. */
const ENTRY = 64;

/** Hands entries out with turns of the loop in between. */
class Turns {
  private handedOut = 0;

  async *between(entries: Iterable<Entry>): AsyncGenerator<Entry> {
    for (const one of entries) {
      yield one;
      this.handedOut += ENTRY + one.entry.length;
      if (this.handedOut >= TURN) this.handedOut = await setImmediate(0);
    }
  }
}

/**
 * The entries of one segment after `after`; answers how far it is whole. Of a segment with a successor
 * all must be there. Of the last one a torn end is normal, unless what is behind shows that it was once whole.
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED` naming file and place, `CHECKPOINT_KEY`, `CHECKPOINT_IO`
 */
export async function* readSegment(
  directory: StoreDirectory,
  segment: Segment,
  after: Sequence,
): AsyncGenerator<Entry, SegmentEnd> {
  const { header, length: limit } = segment;
  const path = directory.join(segment.name);
  const { file, problem } = await directory.open(segment.name);
  if (file === undefined) throw damaged(`${path} cannot be used: ${problem}. ${WAY_OUT}`);
  try {
    const turns = new Turns();
    let place = beginningOf(header);
    for (let doubted = -1; ;) {
      const batches = scanBatches(file, header.salt, place, limit);
      place = yield* entriesIn(batches, header, path, after, turns);
      const end = { last: place.first - 1, length: place.at };
      const content = await endOfContent(file, end.length, limit);
      const proof = await proofAgainst(segment, path, end, () =>
        findProofOfDamage(file, header.salt, end.length, content, limit),
      );
      if (proof === undefined) return { ...end, tornBytes: content - end.length };
      if (end.length === doubted) throw damaged(proof);
      // an owner who goes on beside us may have written what was not there yet, and then what shows that it was
      doubted = end.length;
    }
  } finally {
    await closeQuietly(file);
  }
}

async function* entriesIn(
  batches: AsyncGenerator<ScannedBatch, BatchPlace>,
  { seal }: SegmentHeader,
  path: string,
  after: Sequence,
  turns: Turns,
): AsyncGenerator<Entry, BatchPlace> {
  let step = await batches.next();
  for (; step.done !== true; step = await batches.next()) {
    const { at, bytes, first, count } = step.value;
    const body = bodyOf(bytes, at, seal);
    if (body === undefined) throw forged(`${path} at byte ${at}`);
    if (first + count > after + 1) yield* turns.between(entriesOf(body, first, after));
  }
  return step.value;
}

/** What shows that more of a segment was once on the disk than was found. */
async function proofAgainst(
  segment: Segment,
  path: string,
  { last, length }: { last: Sequence; length: number },
  findProof: () => Promise<{ readonly at: number; readonly first: Sequence } | undefined>,
): Promise<string | undefined> {
  if (segment.last !== undefined) {
    return length === segment.length && last === segment.last
      ? undefined
      : `The journal is damaged: ${path} at byte ${length}, after entry ${last} of ${segment.last}. ${WAY_OUT}`;
  }
  const proof = length < segment.length ? await findProof() : undefined;
  return proof === undefined
    ? undefined
    : `The journal is damaged: ${path} at byte ${length}, after entry ${last}. It is no torn end, since entry ${proof.first} ` +
        `at byte ${proof.at} was written when those bytes were on the disk. ${WAY_OUT}`;
}

/** What of the journal has to be read: the segments with entries after `after`. */
export interface JournalRange {
  readonly segments: readonly Segment[];
  readonly after: Sequence;
}

/** Reads a range through and answers where it ends, without keeping any of it. */
export async function measureJournal(
  directory: StoreDirectory,
  { segments, after }: JournalRange,
): Promise<SegmentEnd> {
  let end: SegmentEnd = { last: after, length: SEGMENT_HEADER_BYTES, tornBytes: 0 };
  for (const segment of segments) {
    const entries = readSegment(directory, segment, Infinity);
    let step = await entries.next();
    while (step.done !== true) step = await entries.next();
    end = step.value;
  }
  return end;
}

/** Reads a range that has been measured; throws if it is not any more what it was. */
export async function* readJournal(
  directory: StoreDirectory,
  { segments, after }: JournalRange,
  end: SegmentEnd,
): AsyncGenerator<Entry> {
  try {
    let last = after;
    for (const segment of segments) {
      const bounded = segment.last === undefined ? { ...segment, ...end } : segment;
      const found = yield* readSegment(directory, bounded, after);
      last = found.last;
    }
    if (segments.length > 0 && last !== end.last) {
      throw damaged(`The journal in ${directory.path} is not any more what it was when opened.`);
    }
  } catch (error) {
    throw ioFailure(`The journal in ${directory.path} cannot be read`, error);
  }
}
