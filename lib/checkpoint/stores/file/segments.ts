import type { Sequence } from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { damaged, WAY_OUT } from './failures.js';
import { parseFileName, segmentName } from './file-names.js';
import { readFully } from './file-system.js';
import {
  decodeSegmentHeader,
  SEALED_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  sealOfSegment,
  type SegmentHeader,
  type SegmentLink,
} from './segment-header.js';
import { closeQuietly, type StoreDirectory } from './store-directory.js';

/** A file that has the name of a segment. */
export interface SegmentFile {
  readonly name: string;
  readonly epoch: number;
  readonly first: Sequence;
  readonly size: number;
  /** Undefined if the file cannot be one of ours; `problem` says why. */
  readonly header: SegmentHeader | undefined;
  readonly problem: string | undefined;
}

/** A segment that belongs to the journal. */
export interface Segment {
  readonly name: string;
  readonly header: SegmentHeader;
  /** The bytes of it that belong to the journal; of the last one all there are. */
  readonly length: number;
  /** Undefined for the last one: its end is found by reading it. */
  readonly last: Sequence | undefined;
}

/** The segments that go on from one another, oldest first; and why it does not go further back. */
export interface Chain {
  readonly segments: readonly Segment[];
  readonly brokenBy: string | undefined;
}

/** Looks at all segments by their headers, youngest first. */
export async function readSegments(
  directory: StoreDirectory,
  names: readonly string[],
): Promise<SegmentFile[]> {
  const files: SegmentFile[] = [];
  for (const name of names) {
    const parsed = parseFileName(name);
    if (parsed?.kind !== 'segment') continue;
    files.push({ name, ...parsed, ...(await readHeader(directory, name, parsed)) });
  }
  return files.toSorted((a, b) => b.epoch - a.epoch || b.first - a.first);
}

async function readHeader(
  directory: StoreDirectory,
  name: string,
  expected: { readonly epoch: number; readonly first: Sequence },
): Promise<Pick<SegmentFile, 'size' | 'header' | 'problem'>> {
  const { file, size, problem } = await directory.open(name);
  // of a size as if it had batches: nobody can say that it has none
  if (file === undefined) return { size: Infinity, header: undefined, problem };
  try {
    const bytes = Buffer.alloc(SEALED_HEADER_BYTES);
    const header = decodeSegmentHeader(bytes.subarray(0, await readFully(file, bytes, 0)));
    if (header === 'newer') {
      throw new CheckpointError(
        'CHECKPOINT_VERSION',
        `${directory.join(name)} was written by a newer version: use that one, or a newer one.`,
      );
    }
    if (
      header === 'damaged' ||
      header.epoch !== expected.epoch ||
      header.first !== expected.first
    ) {
      return { size, header: undefined, problem: 'its header is damaged' };
    }
    const seal = sealOfSegment(bytes, directory.keys, directory.join(name));
    return { size, header: { ...header, seal }, problem: undefined };
  } finally {
    await closeQuietly(file);
  }
}

/**
 * The last segment of the journal. Younger files without a header are passed over if nothing can have
 * been in them: a header gets its name only when it is on the disk, so a bad one is never the mere
 * trace of a crash.
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED` if there may have been
 */
export function findHead(
  directory: StoreDirectory,
  files: readonly SegmentFile[],
): { readonly head: SegmentFile | undefined; readonly empty: readonly SegmentFile[] } {
  const index = files.findIndex(({ header }) => header !== undefined);
  const empty = index === -1 ? files : files.slice(0, index);
  const header = directory.keys.readsPlain ? SEGMENT_HEADER_BYTES : SEALED_HEADER_BYTES;
  const bad = empty.find(({ size }) => size > header);
  if (bad !== undefined) {
    throw damaged(
      `The journal cannot be read to its end: ${directory.join(bad.name)} at byte 0, ${bad.problem}. ${WAY_OUT}`,
    );
  }
  return { head: files[index], empty };
}

/** Follows the links from the last segment back, as far as they lead. */
export function chainOf(head: SegmentFile, files: readonly SegmentFile[]): Chain {
  const byName = new Map(files.map((file) => [file.name, file]));
  const segments: Segment[] = [
    { name: head.name, header: head.header!, length: head.size, last: undefined },
  ];
  for (;;) {
    const { header } = segments[0]!;
    const link = header.previous;
    if (link === undefined) return { segments, brokenBy: undefined };
    const name = segmentName(link.epoch, link.first);
    const brokenBy = problemOfLink(byName.get(name), link, header.first);
    if (brokenBy !== undefined) return { segments, brokenBy: `${name} ${brokenBy}` };
    segments.unshift({
      name,
      header: byName.get(name)!.header!,
      length: link.length,
      last: header.first - 1,
    });
  }
}

function problemOfLink(
  file: SegmentFile | undefined,
  link: SegmentLink,
  next: Sequence,
): string | undefined {
  if (file === undefined) return 'is missing';
  if (file.header === undefined) return `cannot be used: ${file.problem}`;
  if (file.header.salt !== link.salt) return 'is another file than the journal went on from';
  if (file.first >= next) return 'does not come before its successor';
  if (file.size < link.length) return `has ${file.size} bytes instead of ${link.length}`;
  return undefined;
}
