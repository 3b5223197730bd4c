import { basename, dirname, join, resolve } from 'node:path';
import type { Finding } from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { ioFailure } from './failures.js';
import type { Budget } from './budget.js';
import { Keyring } from './keyring.js';
import { codeOf, type FileInfo, type FileSystem, type OpenFile } from './file-system.js';

/** A file that may be read: opened, or why not. `problem` says what it is instead of a plain file of ours. */
export type Opened =
  | { readonly file: OpenFile; readonly size: number; readonly problem?: undefined }
  | { readonly file?: undefined; readonly size?: undefined; readonly problem: string };

/** A directory of the store, and the rules for what may be read in it. */
export class StoreDirectory {
  constructor(
    readonly fs: FileSystem,
    readonly path: string,
    private readonly owners: ReadonlySet<number>,
    readonly keys: Keyring = Keyring.none,
    /** What may still be written; undefined: as much as fits. */
    readonly budget?: Budget,
  ) {}

  /** The same, with so much room. */
  limitedTo(budget: Budget | undefined): StoreDirectory {
    return new StoreDirectory(this.fs, this.path, this.owners, this.keys, budget);
  }

  /**
   * Looks at the directory, and makes it first if `make`. It must not be a link itself. One above it may be, as
   * `/tmp` is on some systems; it is followed once, so that whoever turns it later moves nobody elsewhere.
   *
   * @throws CheckpointError `CHECKPOINT_IO` if it cannot be used
   */
  static async at(
    fs: FileSystem,
    directory: string,
    make: boolean,
    keys?: Keyring,
  ): Promise<{ directory: StoreDirectory; findings: Finding[] }> {
    let path = resolve(directory);
    try {
      if (make) await makeWithParents(fs, path);
      path = join(await fs.realPath(dirname(path)), basename(path));
      const info = await fs.info(path);
      if (info.kind !== 'directory') {
        throw new CheckpointError(
          'CHECKPOINT_IO',
          `${path} is ${article(info)}, not a directory: give the path of the directory itself.`,
        );
      }
      const owners = new Set(fs.uid === undefined ? [] : [fs.uid, info.uid]);
      return {
        directory: new StoreDirectory(fs, path, owners, keys),
        findings: findingsOf(fs, info),
      };
    } catch (error) {
      throw ioFailure(`The checkpoint directory ${path} cannot be used`, error);
    }
  }

  join(name: string): string {
    return join(this.path, name);
  }

  /** The same rules for a directory inside; undefined if there is none, or it is not a plain one. */
  async inside(name: string): Promise<StoreDirectory | undefined> {
    if ((await this.look(name))?.kind !== 'directory') return undefined;
    return new StoreDirectory(this.fs, this.join(name), this.owners, this.keys);
  }

  list(): Promise<string[]> {
    return this.fs.list(this.path);
  }

  /** What a name stands for; undefined if there is nothing: another may have removed it since it was listed. */
  async look(name: string): Promise<FileInfo | undefined> {
    try {
      return await this.fs.info(this.join(name));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * Opens a plain file of ours. Looked at before, since opening a pipe or a device may do things; and
   * after, since another file may have come in between.
   */
  async open(name: string): Promise<Opened> {
    const problem = this.problemOf(await this.fs.info(this.join(name)));
    if (problem !== undefined) return { problem };
    const file = await this.openHandle(name);
    if (file === undefined) return { problem: 'it is a symbolic link' };
    try {
      const info = await file.info();
      const late = this.problemOf(info);
      if (late === undefined) return { file, size: info.size };
      await file.close();
      return { problem: late };
    } catch (error) {
      await closeQuietly(file);
      throw error;
    }
  }

  /** Removes what may be there or not. */
  async remove(name: string): Promise<void> {
    try {
      await this.fs.removeFile(this.join(name));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }

  sync(): Promise<boolean> {
    return this.fs.syncDirectory(this.path);
  }

  private async openHandle(name: string): Promise<OpenFile | undefined> {
    try {
      return await this.fs.openForReading(this.join(name));
    } catch (error) {
      // swapped for a link since we looked
      if (codeOf(error) === 'ELOOP' || codeOf(error) === 'EMLINK') return undefined;
      throw error;
    }
  }

  private problemOf(info: FileInfo): string | undefined {
    if (info.kind !== 'file') return `it is ${article(info)}, not a plain file`;
    if (info.links > 1) return `it has ${info.links} names (hard links)`;
    if (this.owners.size > 0 && !this.owners.has(info.uid)) {
      return `it belongs to another user (uid ${info.uid})`;
    }
    return undefined;
  }
}

export async function closeQuietly(file: OpenFile): Promise<void> {
  try {
    await file.close();
  } catch {
    // what was written is synced by its own call, or has already failed
  }
}

/**
 * Makes a directory that stays. The names above it are made durable before it gets its own: their maker may
 * have ended before it did that.
 */
async function makeWithParents(fs: FileSystem, path: string): Promise<void> {
  const parent = dirname(path);
  if (parent === path) return;
  if (!(await exists(fs, path))) {
    await makeWithParents(fs, parent);
    try {
      await fs.makeDirectory(path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
  await syncParent(fs, path);
}

async function exists(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.info(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function syncParent(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.syncDirectory(dirname(path));
  } catch (error) {
    // a directory that was made for us, in one that we may not read
    if (codeOf(error) !== 'EACCES') throw error;
  }
}

const KINDS = { file: 'a file', directory: 'a directory', link: 'a symbolic link' };

const article = ({ kind }: FileInfo): string =>
  kind === 'other' ? 'a pipe, socket or device' : KINDS[kind];

function findingsOf(fs: FileSystem, info: FileInfo): Finding[] {
  const warning = (problem: string): Finding => ({ level: 'warning', file: '.', problem });
  const findings: Finding[] = [];
  if (fs.uid !== undefined && (info.mode & 0o077) !== 0) {
    const mode = info.mode.toString(8).padStart(4, '0');
    findings.push(warning(`others may enter the directory (mode ${mode}): make it 0700`));
  }
  if (fs.uid !== undefined && info.uid !== fs.uid) {
    findings.push(warning(`the directory belongs to uid ${info.uid}, and we are ${fs.uid}`));
  }
  return findings;
}
