import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type OpenFile, readFully, writeAll } from './file-system.js';

export const CHUNK = 1024 * 1024;
const FIRST_CHUNK = 16 * 1024;
/** A sync is begun after so much, beside the writes that go on: the disk works while we hash. */
const SYNC_AHEAD = 8 * CHUNK;

/** What a file of states was found to hold. */
export interface Measured {
  readonly fileBytes: number;
  readonly sha256: string;
}

/** A file that was written: what is in it, and how to see whether it reads back as that. */
export interface WrittenFile extends Measured {
  readonly chunks: readonly Readonly<WrittenChunk>[];
}

/** Reading back is held against a CRC for each chunk: the hash of all of it would take longer than the reading. */
interface WrittenChunk {
  length: number;
  crc: number;
}

/** Puts bytes into a file in chunks, and hashes each while the disk takes it. */
export class ChunkedFile {
  private readonly hash = createHash('sha256');
  private readonly chunks: WrittenChunk[] = [];
  // most states are small: the full size is for those that go on
  private buffer: Buffer | undefined = Buffer.allocUnsafe(FIRST_CHUNK);
  private spare: Buffer | undefined;
  private filled = 0;
  private position = 0;
  private writing: Promise<void> = Promise.resolve();
  private syncing: Promise<void> = Promise.resolve();
  private nextSync = SYNC_AHEAD;

  constructor(private readonly file: OpenFile) {}

  /** The bytes may be used again once this resolves. */
  async add(bytes: Uint8Array): Promise<void> {
    if (bytes.length >= CHUNK) {
      await this.drain();
      for (let at = 0; at < bytes.length; at += CHUNK) {
        await this.put(bytes.subarray(at, at + CHUNK));
      }
      await this.writing;
      return;
    }
    this.buffer ??= Buffer.allocUnsafe(CHUNK);
    const room = this.buffer.length - this.filled;
    this.buffer.set(bytes.subarray(0, room), this.filled);
    this.filled += Math.min(room, bytes.length);
    if (this.filled < this.buffer.length) return;
    await this.drain();
    if (bytes.length > room) await this.add(bytes.subarray(room));
  }

  async finish(): Promise<WrittenFile> {
    await this.drain();
    await this.writing;
    await this.syncing;
    await this.file.sync();
    const { position: fileBytes, chunks } = this;
    return { fileBytes, sha256: this.hash.digest('hex'), chunks };
  }

  private async drain(): Promise<void> {
    const { buffer, filled } = this;
    if (buffer === undefined || filled === 0) return;
    const chunk = buffer.subarray(0, filled);
    this.buffer = this.spare;
    this.spare = buffer.length === CHUNK ? buffer : undefined;
    this.filled = 0;
    await this.put(chunk);
  }

  /** Resolves when nothing is under way; the file may be closed then. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.writing, this.syncing]);
  }

  /** One write at a time: this waits for the one before, whose buffer is free then. */
  private async put(chunk: Uint8Array): Promise<void> {
    this.note(chunk);
    await this.writing;
    if (this.position >= this.nextSync) await this.syncAhead();
    this.writing = writeAll(this.file, chunk, this.position);
    this.writing.catch(() => {}); // it is awaited, but later
    this.position += chunk.length;
    this.hash.update(chunk);
  }

  /** What is small is read back with what follows it: while that is looked at, the next is on its way. */
  private note(chunk: Uint8Array): void {
    const last = this.chunks.at(-1);
    if (last === undefined || last.length >= FIRST_CHUNK) {
      this.chunks.push({ length: chunk.length, crc: crc32(chunk) });
      return;
    }
    last.length += chunk.length;
    last.crc = crc32(chunk, last.crc);
  }

  /** One that fails is not tried again: the last sync might say that all is well. */
  private async syncAhead(): Promise<void> {
    await this.syncing;
    this.nextSync = this.position + SYNC_AHEAD;
    this.syncing = this.file.datasync();
    this.syncing.catch(() => {}); // it is awaited, but later
  }
}

/** Writes what `fill` adds. However that ends, nothing is under way in the file any more, and it may be closed. */
export async function writeChunks(
  file: OpenFile,
  fill: (out: ChunkedFile) => Promise<unknown>,
): Promise<WrittenFile> {
  const out = new ChunkedFile(file);
  try {
    await fill(out);
    return await out.finish();
  } finally {
    await out.settled();
  }
}

/** Writes a file of any other kind in the same way. */
export const writeWhole = (file: OpenFile, bytes: Uint8Array): Promise<WrittenFile> =>
  writeChunks(file, (out) => out.add(bytes));

/** Reads chunks of these lengths, the next while one is looked at; ends where the file does. */
async function* readChunks(file: OpenFile, lengths: readonly number[]): AsyncGenerator<Buffer> {
  const largest = Math.max(0, ...lengths);
  let [buffer, spare] = [Buffer.allocUnsafe(largest), Buffer.alloc(0)];
  if (lengths.length > 1) spare = Buffer.allocUnsafe(largest);
  let at = 0;
  const read = (into: Buffer, length = 0): Promise<number> => {
    const reading = readFully(file, into.subarray(0, length), at);
    reading.catch(() => {}); // it is awaited, but later
    at += length;
    return reading;
  };
  let reading = read(buffer, lengths[0]);
  for (let i = 0; i < lengths.length; i += 1) {
    const found = buffer.subarray(0, await reading);
    if (found.length < lengths[i]!) return;
    reading = read(spare, lengths[i + 1]);
    yield found;
    [buffer, spare] = [spare, buffer];
  }
}

/** Whether a file reads back as it was written. */
export async function readsBack(file: OpenFile, { chunks }: WrittenFile): Promise<boolean> {
  let n = 0;
  const lengths = chunks.map(({ length }) => length);
  for await (const chunk of readChunks(file, lengths)) {
    if (crc32(chunk) !== chunks[n]!.crc) return false;
    n += 1;
  }
  return n === chunks.length;
}

/** The checksum of a file of this size. */
export async function hashOf(file: OpenFile, size: number): Promise<string> {
  const hash = createHash('sha256');
  const lengths = Array.from({ length: Math.ceil(size / CHUNK) }, (_, i) =>
    Math.min(CHUNK, size - i * CHUNK),
  );
  for await (const chunk of readChunks(file, lengths)) hash.update(chunk);
  return hash.digest('hex');
}
