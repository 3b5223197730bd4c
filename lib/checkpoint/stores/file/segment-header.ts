import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Sequence } from '../../checkpoint-store.js';

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
}

export const SEGMENT_HEADER_BYTES = 88;
const MAGIC = 0x31_4a_57_42; // "BWJ1"
const FORMAT = 1;

/** Never 0, which is what a hole in a file is made of. */
export const newSalt = (): number => randomInt(1, 0x1_0000_0000);

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt16LE(FORMAT, 8);
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
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** The header, or why it is none. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | 'damaged' | 'newer' {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC) return 'damaged';
  const head = bytes.subarray(0, SEGMENT_HEADER_BYTES);
  // the rest of a newer header may be anything, its checksum too
  if (head.readUInt16LE(8) > FORMAT) return 'newer';
  if (head.readUInt32LE(4) !== crc32(head.subarray(8))) return 'damaged';
  const epoch = readCount(head, 48);
  return {
    store: head.toString('hex', 16, 32),
    epoch: readCount(head, 32),
    first: readCount(head, 40),
    salt: head.readUInt32LE(12),
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

export function writeCount(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt32LE(value % 0x1_0000_0000, offset);
  bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), offset + 4);
}

export const readCount = (bytes: Buffer, offset: number): number =>
  bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * 0x1_0000_0000;
