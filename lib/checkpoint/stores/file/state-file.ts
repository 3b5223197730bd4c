import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../../kernel/clock.js';
import type { SavedPart, Sequence } from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { damaged, ioFailure } from './failures.js';
import { CHUNK, ChunkedFile, hashOf, type WrittenFile } from './chunked-file.js';
import { type OpenFile, readFully } from './file-system.js';
import type { ManifestPart } from './manifest.js';
import { closeQuietly, type StoreDirectory } from './store-directory.js';

/**
 * A file with the state of one component: the signature, then the pieces, each u32 length and bytes. Its
 * checksum is in the manifest, so that a file in the place of another is noticed too.
 */
export const STATE_SIGNATURE = 'BULWARK-STATE 1\n';
/** The longest that pieces are made before others have a turn. */
const PATIENCE = 5;
const MAX_PIECE_BYTES = 0x3fff_ffff;

/** Writes the pieces into a new file; resolves when they are on the disk. */
export async function writeState(
  file: OpenFile,
  pieces: Iterable<Uint8Array>,
  clock: Clock,
): Promise<WrittenFile & { readonly bytes: number }> {
  const out = new ChunkedFile(file);
  try {
    const bytes = await addPieces(out, pieces, clock);
    return { ...(await out.finish()), bytes };
  } finally {
    await out.settled();
  }
}

async function addPieces(
  out: ChunkedFile,
  pieces: Iterable<Uint8Array>,
  clock: Clock,
): Promise<number> {
  const length = Buffer.alloc(4);
  let bytes = 0;
  let since = clock.now();
  await out.add(Buffer.from(STATE_SIGNATURE));
  for (const piece of pieces) {
    if (piece.length > MAX_PIECE_BYTES) {
      throw new CheckpointError(
        'CHECKPOINT_IO',
        `A piece of ${piece.length} bytes is too large for a saved state: at most ${MAX_PIECE_BYTES} bytes are possible in one piece.`,
      );
    }
    length.writeUInt32LE(piece.length);
    await out.add(length);
    await out.add(piece);
    bytes += piece.length;
    if (clock.now() - since > PATIENCE) {
      await turn();
      since = clock.now();
    }
  }
  return bytes;
}

/** Writes a second file like the first. */
export async function copyState(from: OpenFile, size: number, to: OpenFile): Promise<WrittenFile> {
  const out = new ChunkedFile(to);
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (let at = 0; at < size;) {
    const read = await readFully(from, buffer.subarray(0, Math.min(CHUNK, size - at)), at);
    if (read === 0) break;
    await out.add(buffer.subarray(0, read));
    at += read;
  }
  return out.finish();
}

/** What is wrong with the file of a part; undefined if it is whole. */
export async function problemOfState(
  directory: StoreDirectory,
  name: string,
  part: ManifestPart,
): Promise<string | undefined> {
  const { file, size, problem } = await directory.open(name);
  if (file === undefined) return problem;
  try {
    if (size !== part.fileBytes) return `it has ${size} bytes instead of ${part.fileBytes}`;
    return (await hashOf(file, size)) === part.sha256 ? undefined : 'its checksum is wrong';
  } finally {
    await closeQuietly(file);
  }
}

/** A part whose file has been found whole. */
export function savedPart(
  directory: StoreDirectory,
  name: string,
  part: ManifestPart,
  sequence: Sequence,
): SavedPart {
  const { component, meta, bytes } = part;
  return {
    component,
    meta,
    sequence,
    bytes,
    pieces: () => readPieces(directory, name, part),
  };
}

/** The pieces, checked once more: the file may have changed since it was found whole. */
async function* readPieces(
  directory: StoreDirectory,
  name: string,
  part: ManifestPart,
): AsyncGenerator<Uint8Array> {
  const changed = (): Error =>
    damaged(`${directory.join(name)} is not any more what it was when it was checked.`);
  let file: OpenFile | undefined;
  try {
    const opened = await directory.open(name);
    if (opened.file === undefined || opened.size !== part.fileBytes) throw changed();
    file = opened.file;
    const hash = createHash('sha256');
    for await (const piece of framesOf(file, opened.size, hash, changed)) yield piece;
    if (hash.digest('hex') !== part.sha256) throw changed();
  } catch (error) {
    throw ioFailure(`${directory.join(name)} cannot be read`, error);
  } finally {
    if (file !== undefined) await closeQuietly(file);
  }
}

async function* framesOf(
  file: OpenFile,
  size: number,
  hash: { update(bytes: Uint8Array): unknown },
  changed: () => Error,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  let buffered = Buffer.alloc(0);
  const take = async (length: number): Promise<Buffer> => {
    if (buffered.length < length) {
      // never more than the file has, whatever a length in it says
      const more = Math.min(Math.max(length - buffered.length, CHUNK), size - at);
      if (buffered.length + more < length) throw changed();
      const next = Buffer.allocUnsafe(buffered.length + more);
      buffered.copy(next);
      const fresh = next.subarray(buffered.length);
      if ((await readFully(file, fresh, at)) < more) throw changed();
      for (let i = 0; i < more; i += CHUNK) hash.update(fresh.subarray(i, i + CHUNK));
      at += more;
      buffered = next;
    }
    const taken = buffered.subarray(0, length);
    buffered = buffered.subarray(length);
    return taken;
  };
  const signature = await take(STATE_SIGNATURE.length);
  if (signature.toString('latin1') !== STATE_SIGNATURE) throw changed();
  const atEnd = (): boolean => at === size && buffered.length === 0;
  while (!atEnd()) yield take((await take(4)).readUInt32LE());
}
