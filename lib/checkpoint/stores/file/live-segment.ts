import type { Sequence } from '../../checkpoint-store.js';
import { segmentName, temporaryName } from './file-names.js';
import { writeAll } from './file-system.js';
import type { LiveSegment } from './journal-writer.js';
import {
  encodeSegmentHeader,
  newSalt,
  SEGMENT_HEADER_BYTES,
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
): Promise<LiveSegment> {
  const header: SegmentHeader = { ...about, salt: newSalt() };
  const temporary = temporaryName();
  const file = await directory.fs.create(directory.join(temporary));
  try {
    await writeAll(file, encodeSegmentHeader(header), 0);
    await file.sync();
    const name = segmentName(header.epoch, header.first);
    await directory.fs.rename(directory.join(temporary), directory.join(name));
    await directory.sync();
  } catch (error) {
    await closeQuietly(file);
    await directory.remove(temporary).catch(() => {}); // the next owner removes it
    throw error;
  }
  return { file, header, position: SEGMENT_HEADER_BYTES, synced: SEGMENT_HEADER_BYTES };
}

/** Whether nothing has been written to it. */
export const isEmpty = ({ position }: LiveSegment): boolean => position === SEGMENT_HEADER_BYTES;

/** What a successor says of it. */
export const linkTo = (segment: LiveSegment): SegmentLink => {
  const { epoch, first, salt } = segment.header;
  return { epoch, first, salt, length: segment.position };
};

/** Ends a segment and begins the next, which starts with the entry after `last`; an empty one is good as it is. */
export async function rollSegment(
  directory: StoreDirectory,
  segment: LiveSegment,
  last: Sequence,
): Promise<LiveSegment | undefined> {
  if (isEmpty(segment)) return undefined;
  const { store, epoch } = segment.header;
  const next = await beginSegment(directory, {
    store,
    epoch,
    first: last + 1,
    previous: linkTo(segment),
  });
  await closeQuietly(segment.file);
  return next;
}
