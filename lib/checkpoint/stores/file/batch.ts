import { crc32 } from 'node:zlib';
import type { Sequence } from '../../checkpoint-store.js';
import { MAX_ENTRY_BYTES } from '../store-checks.js';
import { damaged } from './failures.js';
import { type Seal, TAG_BYTES } from './seal.js';
import { readCount, writeCount } from './segment-header.js';

/**
 * A batch is what one write puts into the journal: all of it is there after a crash, or nothing.
 *
 * | at | | |
 * |---|---|---|
 * | 0 | u32 | the segment's salt |
 * | 4 | u32 | CRC-32 of all that follows, seeded with the salt |
 * | 8 | u32 | length of the body |
 * | 12 | u32 | number of entries |
 * | 16 | u64 | sequence of the first |
 * | 24 | u64 | up to where this segment was on the disk for sure when the batch was made |
 * | 32 | | entries, each u32 length and content |
 *
 * One checksum over the whole, since sectors may reach the disk in any order: with one for each entry, a
 * good entry after a bad one would be no proof of anything.
 *
 * Of a sealed segment the body is what the seal makes of the entries, the tag included. The header from
 * 8 on cannot be changed either, nor the batch be put elsewhere: its place in the file is part of the seal.
 */
export const BATCH_HEADER_BYTES = 32;

/** A batch that has this much takes no more entries: it bounds how long the loop is held by its checksum. */
const FULL = 1024 * 1024;
/** More than any batch can have. */
export const MAX_BODY_BYTES = FULL + MAX_ENTRY_BYTES + 4 + TAG_BYTES;
/** Beyond this a buffer is not kept for the next batch. */
const KEEP = 2 * FULL;

/** Collects entries until they are written. Copies them, so that the caller may use its buffer again. */
export class BatchBuilder {
  count = 0;
  private bytes = Buffer.allocUnsafe(16 * 1024);
  private length = BATCH_HEADER_BYTES;

  get full(): boolean {
    return this.length >= FULL;
  }

  add(entry: Uint8Array): void {
    const end = this.length + 4 + entry.length;
    if (end > this.bytes.length) this.grow(end);
    this.bytes.writeUInt32LE(entry.length, this.length);
    this.bytes.set(entry, this.length + 4);
    this.length = end;
    this.count += 1;
  }

  /** The bytes to write at a position of a segment; good until `clear`. */
  seal(salt: number, first: Sequence, synced: number, seal?: Seal, position = 0): Buffer {
    const end = this.length + (seal === undefined ? 0 : TAG_BYTES);
    if (end > this.bytes.length) this.grow(end);
    const bytes = this.bytes.subarray(0, end);
    bytes.writeUInt32LE(salt, 0);
    bytes.writeUInt32LE(end - BATCH_HEADER_BYTES, 8);
    bytes.writeUInt32LE(this.count, 12);
    writeCount(bytes, first, 16);
    writeCount(bytes, synced, 24);
    if (seal !== undefined) {
      const entries = bytes.subarray(BATCH_HEADER_BYTES, this.length);
      const { body, tag } = seal.seal(position, aboutOf(bytes), entries);
      if (body !== entries) bytes.set(body, BATCH_HEADER_BYTES);
      bytes.set(tag, this.length);
    }
    bytes.writeUInt32LE(crc32(bytes.subarray(8), salt), 4);
    return bytes;
  }

  clear(): void {
    this.count = 0;
    this.length = BATCH_HEADER_BYTES;
    if (this.bytes.length > KEEP) this.bytes = Buffer.allocUnsafe(16 * 1024);
  }

  private grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

export interface BatchHeader {
  readonly bodyBytes: number;
  readonly count: number;
  readonly first: Sequence;
  readonly synced: number;
}

/** The header of a batch, if there is one that could be true. Its checksum is not looked at. */
export function decodeBatchHeader(bytes: Buffer, salt: number): BatchHeader | undefined {
  if (bytes.length < BATCH_HEADER_BYTES || bytes.readUInt32LE(0) !== salt) return undefined;
  const bodyBytes = bytes.readUInt32LE(8);
  const count = bytes.readUInt32LE(12);
  if (count === 0 || bodyBytes < 4 * count || bodyBytes > MAX_BODY_BYTES) return undefined;
  return { bodyBytes, count, first: readCount(bytes, 16), synced: readCount(bytes, 24) };
}

/** Whether the bytes of a whole batch, header and body, are those that were written. */
export const isWhole = (batch: Buffer, salt: number): boolean =>
  batch.readUInt32LE(4) === crc32(batch.subarray(8), salt);

const aboutOf = (batch: Buffer): Buffer => batch.subarray(8, BATCH_HEADER_BYTES);

/** The body of a whole batch; undefined if it is not what was sealed at that place. */
export const bodyOf = (
  batch: Buffer,
  position: number,
  seal: Seal | undefined,
): Buffer | undefined => {
  const body = batch.subarray(BATCH_HEADER_BYTES);
  return seal === undefined ? body : seal.open(position, aboutOf(batch), body);
};

/** The entries of a batch's body after `after`. */
export function* entriesOf(
  body: Buffer,
  first: Sequence,
  after: Sequence,
): Generator<{ sequence: Sequence; entry: Uint8Array }> {
  let sequence = first;
  for (let at = 0; at < body.length; sequence += 1) {
    const end = at + 4 + (at + 4 <= body.length ? body.readUInt32LE(at) : 0);
    if (end > body.length) throw damaged('A batch of the journal has entries longer than itself.');
    if (sequence > after) yield { sequence, entry: body.subarray(at + 4, end) };
    at = end;
  }
}
