import { CHUNK, type ChunkedFile } from './chunked-file.js';
import { type OpenFile, readFully } from './file-system.js';
import { forged, type Keyring, type SealKey } from './keyring.js';
import { findSeal, newSeal, type Seal, SEAL_HEAD_BYTES, TAG_BYTES } from './seal.js';

/**
 * The sealed file of a state: the signature, the head of a seal, and chunks, each u32 length of what is in it,
 * the highest bit set in the last, and what the seal makes of that. Its place in the file, counted in
 * chunks, is part of the seal: none can be left out, moved, or put behind the last.
 */
const SIGNATURE = Buffer.from('BULWARK-STATE 2\n');
const LAST = 0x8000_0000;
const OVERHEAD = 4 + TAG_BYTES;
/** Most states are small: the first chunk is, too. */
const FIRST = 16 * 1024 - OVERHEAD;

const wordOf = (length: number, isLast: boolean): Buffer => {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(isLast ? length + LAST : length);
  return word;
};

/** Seals what is added on its way into a file. */
export class SealedState {
  private buffer = Buffer.allocUnsafe(FIRST);
  private filled = 0;
  private chunks = 0;

  private constructor(
    private readonly out: ChunkedFile,
    private readonly seal: Seal,
  ) {}

  static async begin(out: ChunkedFile, key: SealKey, purpose: string): Promise<SealedState> {
    const { head, seal } = newSeal(key, purpose);
    await out.add(Buffer.concat([SIGNATURE, head]));
    return new SealedState(out, seal);
  }

  async add(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.filled === this.buffer.length) await this.put(false);
      const some = bytes.subarray(at, at + this.buffer.length - this.filled);
      this.buffer.set(some, this.filled);
      this.filled += some.length;
      at += some.length;
    }
  }

  async end(): Promise<void> {
    await this.put(true);
  }

  private async put(isLast: boolean): Promise<void> {
    const word = wordOf(this.filled, isLast);
    const { body, tag } = this.seal.seal(this.chunks, word, this.buffer.subarray(0, this.filled));
    this.chunks += 1;
    await this.out.add(word);
    await this.out.add(body);
    await this.out.add(tag);
    this.filled = 0;
    if (!isLast && this.buffer.length === FIRST) this.buffer = Buffer.allocUnsafe(CHUNK - OVERHEAD);
  }
}

/** A file that is read, the hash of all that was, and what is thrown if it is not as it should be. */
export interface StateSource {
  readonly file: OpenFile;
  readonly size: number;
  readonly hash: { update(bytes: Uint8Array): unknown };
  readonly changed: () => Error;
}

/**
 * What was added to a sealed file, each chunk once it is certain that a holder of the key wrote it there.
 *
 * @throws CheckpointError `CHECKPOINT_KEY`
 */
export async function* sealedChunks(
  source: StateSource,
  keys: Keyring,
  purpose: string,
): AsyncGenerator<Buffer> {
  const { file, size, hash, changed } = source;
  let at = 0;
  const read = async (length: number): Promise<Buffer> => {
    if (length > size - at) throw changed();
    const bytes = Buffer.allocUnsafe(length);
    if ((await readFully(file, bytes, at)) < length) throw changed();
    hash.update(bytes);
    at += length;
    return bytes;
  };
  if (!(await read(SIGNATURE.length)).equals(SIGNATURE)) throw changed();
  const seal = findSeal(await read(SEAL_HEAD_BYTES), keys, purpose, 'A saved state');
  if (seal === undefined) throw changed();
  for (let chunk = 0, isLast = false; !isLast; chunk += 1) {
    const word = await read(4);
    const length = word.readUInt32LE() % LAST;
    isLast = word.readUInt32LE() >= LAST;
    if (length > CHUNK) throw changed();
    const content = seal.open(chunk, word, await read(length + TAG_BYTES));
    if (content === undefined) throw forged('A saved state');
    if (content.length > 0) yield content;
  }
  if (at !== size) throw changed();
}
