import { CheckpointQuotaError } from '../../checkpoint.error.js';
import { NAMED } from './file-names.js';
import { codeOf, type OpenFile } from './file-system.js';
import type { StoreDirectory } from './store-directory.js';

/**
 * How many bytes may still be written. Only named checkpoints have one: to refuse a numbered generation
 * would save nothing, for the journal before it could not be removed then, and goes on growing.
 */
export class Budget {
  private written = 0;

  /** @param used the bytes that are there @param allowed the bytes that there may be */
  constructor(
    private readonly used: number,
    private readonly allowed: number,
  ) {}

  /** @throws CheckpointQuotaError before the first byte too many is written */
  private spend(bytes: number): void {
    this.written += bytes;
    if (this.used + this.written <= this.allowed) return;
    throw new CheckpointQuotaError(this.used, this.written, this.allowed);
  }

  /** A file whose bytes count. */
  limit(file: OpenFile): OpenFile {
    return {
      write: async (bytes, position) => {
        this.spend(bytes.length);
        const written = await file.write(bytes, position);
        this.written -= bytes.length - written;
        return written;
      },
      read: (into, position) => file.read(into, position),
      datasync: () => file.datasync(),
      sync: () => file.sync(),
      info: () => file.info(),
      close: () => file.close(),
    };
  }
}

/** The bytes of all files of a store: journal, generations, and what has a name. */
export async function usedBytes(root: StoreDirectory): Promise<number> {
  let bytes = await bytesIn(root);
  const named = await root.inside(NAMED);
  for (const name of (await named?.list()) ?? []) {
    const directory = await named!.inside(name);
    if (directory !== undefined) bytes += await bytesIn(directory);
  }
  return bytes;
}

async function bytesIn(directory: StoreDirectory): Promise<number> {
  let bytes = 0;
  for (const name of await directory.list()) {
    try {
      const { kind, size } = await directory.fs.info(directory.join(name));
      if (kind === 'file') bytes += size;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error; // removed while we looked
    }
  }
  return bytes;
}
