import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Sequence } from '../../checkpoint-store.js';
import { forged, type Keyring, type SealKey } from './keyring.js';
import { findSeal, newSeal, type Seal, SEAL_HEAD_BYTES, TAG_BYTES } from './seal.js';

/**
 * The link from a segment to the one before it. It tells where the journal went on from: whatever a
 * predecessor writes later, an owner that was paused and did not know that it had been taken over, is
 * behind `length` and so was never part of the journal.
 */
export interface SegmentLink {
  readonly epoch: number;
  readonly first: Sequence;
  readonly salt: number;
  /** How many bytes of it belong to the journal. */
  readonly length: number;
}

export interface SegmentHeader {
  /** Which store it belongs to: 32 hex digits. */
  readonly store: string;
  readonly epoch: number;
  /** The sequence of its first entry. */
  readonly first: Sequence;
  /** Marks and seeds every batch of this segment, so that no entry's content can pass for a batch. */
  readonly salt: number;
  readonly previous: SegmentLink | undefined;
  /**
   * The generation from whose states its entries go on, or from later ones: 0 for any. None of it is written before
   * that is on the disk, so where it has entries and the manifests are gone, somebody took them away.
   */
  readonly barrier: number;
  /** Seals its batches; undefined for a plain segment. */
  readonly seal?: Seal | undefined;
}

export const SEGMENT_HEADER_BYTES = 88;
const MAGIC = 0x31_4a_57_42; // "BWJ1"
const FORMAT = 1;
/** The same, and then the head of a seal, and a tag: the key is derived from all that is before. */
const SEALED_FORMAT = 2;
export const SEALED_HEADER_BYTES = SEGMENT_HEADER_BYTES + SEAL_HEAD_BYTES + TAG_BYTES;
const NOTHING = Buffer.alloc(0);

/** How long the header of such a segment is: where its first batch goes. */
export const headerBytesOf = ({ seal }: SegmentHeader): number =>
  seal === undefined ? SEGMENT_HEADER_BYTES : SEALED_HEADER_BYTES;

const purposeOf = (head: Buffer): string =>
  `segment ${head.toString('hex', 8, SEGMENT_HEADER_BYTES)}`;

/** Never 0, which is what a hole in a file is made of. */
export const newSalt = (): number => randomInt(1, 0x1_0000_0000);

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  write(bytes, header, FORMAT);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** The header of a sealed segment, and what seals its batches. */
export function sealSegmentHeader(
  header: SegmentHeader,
  key: SealKey,
): { readonly bytes: Buffer; readonly seal: Seal } {
  const bytes = Buffer.alloc(SEALED_HEADER_BYTES);
  write(bytes, header, SEALED_FORMAT);
  const { head, seal } = newSeal(key, purposeOf(bytes));
  head.copy(bytes, SEGMENT_HEADER_BYTES);
  seal.seal(0, NOTHING, NOTHING).tag.copy(bytes, SEGMENT_HEADER_BYTES + SEAL_HEAD_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return { bytes, seal };
}

function write(bytes: Buffer, header: SegmentHeader, format: number): void {
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt16LE(format, 8);
  bytes.writeUInt32LE(header.salt, 12);
  bytes.write(header.store, 16, 'hex');
  writeCount(bytes, header.epoch, 32);
  writeCount(bytes, header.first, 40);
  if (header.previous !== undefined) {
    writeCount(bytes, header.previous.epoch, 48);
    writeCount(bytes, header.previous.first, 56);
    writeCount(bytes, header.previous.length, 64);
    bytes.writeUInt32LE(header.previous.salt, 72);
  }
  writeCount(bytes, header.barrier, 80);
}

/**
 * The header, or why it is none. Who made it is not looked at, see `sealOfSegment`.
 *
 * @param bytes the beginning of the file, `SEALED_HEADER_BYTES` if it has as many
 */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | 'damaged' | 'newer' {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC) return 'damaged';
  const format = bytes.readUInt16LE(8);
  // the rest of a newer header may be anything, its checksum too
  if (format > SEALED_FORMAT) return 'newer';
  const head = bytes.subarray(0, lengthOf(format));
  if (head.length < lengthOf(format) || head.readUInt32LE(4) !== crc32(head.subarray(8)))
    return 'damaged';
  const epoch = readCount(head, 48);
  return {
    store: head.toString('hex', 16, 32),
    epoch: readCount(head, 32),
    first: readCount(head, 40),
    salt: head.readUInt32LE(12),
    barrier: readCount(head, 80),
    previous:
      epoch === 0
        ? undefined
        : {
            epoch,
            first: readCount(head, 56),
            length: readCount(head, 64),
            salt: head.readUInt32LE(72),
          },
  };
}

const lengthOf = (format: number): number =>
  format === SEALED_FORMAT ? SEALED_HEADER_BYTES : SEGMENT_HEADER_BYTES;

/**
 * The seal of a whole header; undefined for a plain one.
 *
 * @throws CheckpointError `CHECKPOINT_KEY` if it is not from somebody who has one of our keys
 */
export function sealOfSegment(bytes: Buffer, keys: Keyring, where: string): Seal | undefined {
  if (bytes.readUInt16LE(8) !== SEALED_FORMAT) {
    keys.assertPlain(where);
    return undefined;
  }
  const head = bytes.subarray(SEGMENT_HEADER_BYTES, SEALED_HEADER_BYTES);
  const seal = findSeal(head, keys, purposeOf(bytes), where);
  if (seal?.open(0, NOTHING, head.subarray(SEAL_HEAD_BYTES)) === undefined) throw forged(where);
  return seal;
}

export function writeCount(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt32LE(value % 0x1_0000_0000, offset);
  bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), offset + 4);
}

export const readCount = (bytes: Buffer, offset: number): number =>
  bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * 0x1_0000_0000;
