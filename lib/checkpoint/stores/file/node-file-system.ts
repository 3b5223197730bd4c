import fs from 'node:fs';
import { codeOf, type FileInfo, type FileSystem, type OpenFile, ZEROS } from './file-system.js';

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;
// Windows has neither
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0;
const O_NONBLOCK = fs.constants.O_NONBLOCK ?? 0;
/** Where a system or a mount cannot sync a directory. Everything else is a failure. */
const CANNOT_SYNC_DIRECTORY = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EPERM']);

type Callback<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

/** The callbacks of `node:fs` cost less than its promises, and a journal is made of such calls. */
const call = <T = void>(run: (done: Callback<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    run((error, value) => (error === null ? resolve(value as T) : reject(error)));
  });

function infoOf(stats: fs.Stats): FileInfo {
  const kind = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'link'
        : 'other';
  const { size, uid, nlink: links } = stats;
  return { kind, size, uid, links, mode: stats.mode & 0o7777 };
}

const put = (fd: number, bytes: Uint8Array, position: number): Promise<number> =>
  call((done) => fs.write(fd, bytes, 0, bytes.length, position, done));

class NodeFile implements OpenFile {
  private closing: Promise<void> | undefined;

  constructor(protected readonly fd: number) {}

  write(bytes: Uint8Array, position: number): Promise<number> {
    return put(this.fd, bytes, position);
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return call((done) => fs.read(this.fd, into, 0, into.length, position, done));
  }

  datasync(): Promise<void> {
    return call((done) => fs.fdatasync(this.fd, done));
  }

  sync(): Promise<void> {
    return call((done) => fs.fsync(this.fd, done));
  }

  async info(): Promise<FileInfo> {
    return infoOf(await call<fs.Stats>((done) => fs.fstat(this.fd, done)));
  }

  /** Once: the number may be another file's the next time. */
  close(): Promise<void> {
    this.closing ??= call((done) => fs.close(this.fd, done));
    return this.closing;
  }
}

/**
 * Whether a write can be on the disk when it returns, which is one way through the thread pool instead of two. Linux
 * alone: what `O_DSYNC` means elsewhere is less than what libuv makes of `fdatasync` there.
 */
const SYNCS_WRITES = process.platform === 'linux';
/** How much is reserved behind the end: as much again as there is, between these two. */
const LEAST_RESERVE = 16 * 1024;
/** There was no room. */
const IS_FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Opened with `O_DSYNC`. A write within what a file has already changes none of its metadata: then there is nothing to
 * be written but the bytes, which takes a file system with a journal of its own about half the time. So zeros go behind
 * the end now and then, as the logs of databases have them.
 *
 * Opened twice: Linux tells what could not be written once to each opening, by whichever of its calls asks next. Of two
 * side by side through the same one, that would be the wrong one now and then.
 */
class JournalFile extends NodeFile {
  readonly sideBySide = true;
  private isBegun = false;
  private reserved = 0;
  private reserving: Promise<unknown> | undefined;
  private readonly free: number[];
  private closingAgain: Promise<void> | undefined;

  constructor(
    fd: number,
    private readonly again: number,
  ) {
    super(fd);
    this.free = [fd, again];
  }

  override async write(bytes: Uint8Array, position: number): Promise<number> {
    // the zeros must not come after what is written over them
    while (this.reserving !== undefined) await this.reserving.catch(() => {});
    const fd = this.free.pop()!;
    const isPlain = !this.isBegun || position + bytes.length <= this.reserved;
    const writing = isPlain
      ? put(fd, bytes, position)
      : (this.reserving = this.writeAndReserve(fd, bytes, position));
    try {
      return await writing;
    } finally {
      this.free.push(fd);
      if (!isPlain) this.reserving = undefined;
    }
  }

  private async writeAndReserve(fd: number, bytes: Uint8Array, position: number): Promise<number> {
    const end = position + bytes.length;
    const zeros = ZEROS.subarray(0, Math.max(LEAST_RESERVE, end));
    try {
      const written = await call<number>((done) => fs.writev(fd, [bytes, zeros], position, done));
      this.reserved = position + written;
      return Math.min(written, bytes.length);
    } catch (error) {
      if (!IS_FULL.has(codeOf(error) ?? '')) throw error;
      return put(fd, bytes, position); // there may be room for these alone
    }
  }

  override async datasync(): Promise<void> {}

  override async sync(): Promise<void> {
    await super.sync();
    this.isBegun = true;
  }

  override async close(): Promise<void> {
    this.closingAgain ??= call((done) => fs.close(this.again, done));
    await Promise.all([super.close(), this.closingAgain]);
  }
}

const openFd = (path: string, flags: number): Promise<number> =>
  call<number>((done) => fs.open(path, flags, 0o600, done));

async function open(path: string, flags: number): Promise<OpenFile> {
  return new NodeFile(await openFd(path, flags));
}

async function createJournal(path: string, flags: number): Promise<OpenFile> {
  const { O_DSYNC } = fs.constants;
  const fd = await openFd(path, flags | O_DSYNC);
  try {
    return new JournalFile(fd, await openFd(path, O_RDWR | O_NOFOLLOW | O_DSYNC));
  } catch (error) {
    await call((done) => fs.close(fd, done));
    throw error;
  }
}

async function syncFile(path: string): Promise<void> {
  // for writing, since Windows syncs no other
  const file = await open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<boolean> {
  try {
    const fd = await call<number>((done) => fs.open(path, O_RDONLY, done));
    try {
      await call((done) => fs.fsync(fd, done));
    } finally {
      await call((done) => fs.close(fd, done));
    }
    return true;
  } catch (error) {
    if (CANNOT_SYNC_DIRECTORY.has(codeOf(error) ?? '')) return false;
    throw error;
  }
}

/** The disk of this machine. */
export const nodeFileSystem: FileSystem = {
  uid: process.getuid?.(),
  create: async (path, { journal = false } = {}) => {
    const flags = O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW;
    return journal && SYNCS_WRITES ? createJournal(path, flags) : open(path, flags);
  },
  openForReading: (path) => open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
  makeDirectory: (path) => call((done) => fs.mkdir(path, 0o700, done)),
  list: (path) => call((done) => fs.readdir(path, done)),
  realPath: (path) => call((done) => fs.realpath(path, done)),
  info: async (path) => infoOf(await call<fs.Stats>((done) => fs.lstat(path, done))),
  rename: (from, to) => call((done) => fs.rename(from, to, done)),
  link: (from, to) => call((done) => fs.link(from, to, done)),
  removeFile: (path) => call((done) => fs.unlink(path, done)),
  removeDirectory: (path) => call((done) => fs.rmdir(path, done)),
  syncFile,
  syncDirectory,
};
