import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../../kernel/clock.js';
import type { SavedPart, Sequence } from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { damaged, ioFailure } from './failures.js';
import { CHUNK, hashOf, writeChunks, type WrittenFile } from './chunked-file.js';
import { type OpenFile, readFully } from './file-system.js';
import type { ManifestPart } from './manifest.js';
import type { SealKey } from './keyring.js';
import { SealedState, sealedChunks, type StateSource } from './sealed-state.js';
import { closeQuietly, type StoreDirectory } from './store-directory.js';

/**
 * A file with the state of one component: the signature, then the pieces, each u32 length and bytes. Its
 * checksum is in the manifest, so that a file in the place of another is noticed too. A sealed one has
 * another signature, and the same pieces in sealed chunks, see `sealed-state.ts`.
 */
export const STATE_KIND = 'BULWARK-STATE ';
const STATE_SIGNATURE = `${STATE_KIND}1\n`;
/** The longest that pieces are made before others have a turn. */
const PATIENCE = 5;
const MAX_PIECE_BYTES = 0x3fff_ffff;

export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Writes the pieces into a new file; resolves when they are on the disk. */
export async function writeState(
  file: OpenFile,
  pieces: Pieces,
  clock: Clock,
  key?: SealKey,
  purpose = '',
): Promise<WrittenFile & { readonly bytes: number }> {
  let bytes = 0;
  const written = await writeChunks(file, async (out) => {
    const sealed = key === undefined ? undefined : await SealedState.begin(out, key, purpose);
    if (sealed === undefined) await out.add(Buffer.from(STATE_SIGNATURE));
    bytes = await addPieces(sealed ?? out, pieces, clock);
    await sealed?.end();
  });
  return { ...written, bytes };
}

async function addPieces(
  out: { add(bytes: Uint8Array): Promise<void> },
  pieces: Pieces,
  clock: Clock,
): Promise<number> {
  const length = Buffer.alloc(4);
  let bytes = 0;
  let since = clock.now();
  for await (const piece of pieces) {
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
export function copyState(from: OpenFile, size: number, to: OpenFile): Promise<WrittenFile> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  return writeChunks(to, async (out) => {
    for (let at = 0; at < size;) {
      const read = await readFully(from, buffer.subarray(0, Math.min(CHUNK, size - at)), at);
      if (read === 0) break;
      await out.add(buffer.subarray(0, read));
      at += read;
    }
  });
}

/** What the key of a state's file is bound to. */
export const purposeOf = (store: string, { component }: { readonly component: string }): string =>
  `state ${store} ${component}`;

/** What is wrong with the file of a part; undefined if it is whole. */
export async function problemOfState(
  directory: StoreDirectory,
  name: string,
  part: ManifestPart,
): Promise<string | undefined> {
  directory.keys.assertReadable(part.seal, directory.join(name));
  const { file, size, problem } = await directory.open(name);
  if (file === undefined) return problem;
  try {
    if (size !== part.fileBytes) return `it has ${size} bytes instead of ${part.fileBytes}`;
    return (await hashOf(file, size)) === part.sha256 ? undefined : 'its checksum is wrong';
  } finally {
    await closeQuietly(file);
  }
}

/** A part of a checkpoint whose file has been found whole. */
export function savedPart(
  directory: StoreDirectory,
  name: string,
  part: ManifestPart,
  { store, sequence }: { readonly store: string; readonly sequence: Sequence },
): SavedPart {
  const { component, meta, bytes } = part;
  return {
    component,
    meta,
    sequence,
    bytes,
    pieces: () => readPieces(directory, name, part, store),
  };
}

/** The pieces, checked once more: the file may have changed since it was found whole. */
async function* readPieces(
  directory: StoreDirectory,
  name: string,
  part: ManifestPart,
  store: string,
): AsyncGenerator<Uint8Array> {
  const changed = (): Error =>
    damaged(`${directory.join(name)} is not any more what it was when it was checked.`);
  let file: OpenFile | undefined;
  try {
    const opened = await directory.open(name);
    if (opened.file === undefined || opened.size !== part.fileBytes) throw changed();
    file = opened.file;
    const hash = createHash('sha256');
    const { keys } = directory;
    const chunks =
      part.seal === undefined
        ? plainChunks({ file, size: opened.size, hash, changed })
        : sealedChunks({ file, size: opened.size, hash, changed }, keys, purposeOf(store, part));
    yield* framesOf(chunks, opened.size, changed);
    if (hash.digest('hex') !== part.sha256) throw changed();
  } catch (error) {
    throw ioFailure(`${directory.join(name)} cannot be read`, error);
  } finally {
    if (file !== undefined) await closeQuietly(file);
  }
}

/** The content of a plain file. The signature is the first that is read. */
async function* plainChunks({ file, size, hash, changed }: StateSource): AsyncGenerator<Buffer> {
  let begun = false;
  for (let at = 0; at < size;) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, size - at));
    if ((await readFully(file, chunk, at)) < chunk.length) throw changed();
    hash.update(chunk);
    at += chunk.length;
    const content = begun ? chunk : chunk.subarray(STATE_SIGNATURE.length);
    const head = chunk.toString('latin1', 0, STATE_SIGNATURE.length);
    if (!begun && head !== STATE_SIGNATURE) throw changed();
    begun = true;
    yield content;
  }
}

/** The pieces in the chunks. @param size never more is waited for, whatever a length says */
async function* framesOf(
  chunks: AsyncIterator<Buffer>,
  size: number,
  changed: () => Error,
): AsyncGenerator<Uint8Array> {
  let buffered: Buffer = Buffer.alloc(0);
  /** Undefined at the end. */
  const take = async (length: number): Promise<Buffer | undefined> => {
    if (length === 0) return Buffer.alloc(0);
    if (length > size) throw changed();
    const found = [buffered];
    let total = buffered.length;
    while (total < length) {
      const { value } = await chunks.next();
      if (value === undefined) break;
      found.push(value as Buffer);
      total += (value as Buffer).length;
    }
    if (total === 0) return undefined;
    if (total < length) throw changed();
    if (found.length > 1) buffered = Buffer.concat(found, total);
    const taken = buffered.subarray(0, length);
    buffered = buffered.subarray(length);
    return taken;
  };
  for (;;) {
    const length = await take(4);
    if (length === undefined) return;
    const piece = await take(length.readUInt32LE());
    if (piece === undefined) throw changed();
    yield piece;
  }
}
