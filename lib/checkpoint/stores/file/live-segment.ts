import type { Sequence } from '../../checkpoint-store.js';
import type { Durability } from '../../durability.js';
import { segmentName, temporaryName } from './file-names.js';
import { writeAll } from './file-system.js';
import type { LiveSegment } from './journal-writer.js';
import {
  encodeSegmentHeader,
  headerBytesOf,
  newSalt,
  sealSegmentHeader,
  type SegmentHeader,
  type SegmentLink,
} from './segment-header.js';
import { closeQuietly, type StoreDirectory } from './store-directory.js';

/**
 * Begins a segment. It gets its name only with its header on the disk, so a segment without a whole
 * header is damaged and never just young.
 */
export async function beginSegment(
  directory: StoreDirectory,
  about: Omit<SegmentHeader, 'salt'>,
  durability: Durability,
): Promise<LiveSegment> {
  const plain: SegmentHeader = { ...about, salt: newSalt() };
  const key = directory.keys.writing;
  const { bytes, seal } =
    key === undefined
      ? { bytes: encodeSegmentHeader(plain), seal: undefined }
      : sealSegmentHeader(plain, key);
  const header: SegmentHeader = { ...plain, seal };
  const temporary = temporaryName();
  const journal = durability === 'sync';
  const file = await directory.fs.create(directory.join(temporary), { journal });
  try {
    await writeAll(file, bytes, 0);
    await file.sync();
    const name = segmentName(header.epoch, header.first);
    await directory.fs.rename(directory.join(temporary), directory.join(name));
    await directory.sync();
  } catch (error) {
    await closeQuietly(file);
    await directory.remove(temporary).catch(() => {}); // the next owner removes it
    throw error;
  }
  return { file, header, position: bytes.length, synced: bytes.length };
}

/** Whether nothing has been written to it. */
export const isEmpty = ({ header, position }: LiveSegment): boolean =>
  position === headerBytesOf(header);

/** What a successor says of it. */
export const linkTo = (segment: LiveSegment): SegmentLink => {
  const { epoch, first, salt } = segment.header;
  return { epoch, first, salt, length: segment.position };
};

/**
 * Ends a segment and begins the next, which starts with the entry after `last`; an empty one is good as it is, or
 * replaced where it does not know the barrier.
 */
export async function rollSegment(
  directory: StoreDirectory,
  segment: LiveSegment,
  last: Sequence,
  barrier: number,
  durability: Durability,
): Promise<LiveSegment | undefined> {
  const empty = isEmpty(segment);
  if (empty && segment.header.barrier === barrier) return undefined;
  const { store, epoch, previous } = segment.header;
  if (empty) await closeQuietly(segment.file); // some systems replace no file that is open
  const link = empty ? previous : linkTo(segment);
  const about = { store, epoch, first: last + 1, previous: link, barrier };
  const next = await beginSegment(directory, about, durability);
  await closeQuietly(segment.file);
  return next;
}
