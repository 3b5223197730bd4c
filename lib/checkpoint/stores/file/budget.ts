import { CheckpointQuotaError } from '../../checkpoint.error.js';
import type { OpenFile } from './file-system.js';

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
