import * as fs from 'node:fs';
import { codeOf, type FileInfo, type FileSystem, type OpenFile } from './file-system.js';

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;
// Windows has neither
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0;
const O_NONBLOCK = fs.constants.O_NONBLOCK ?? 0;
/**
 * Writes that are on the disk when they return: one way through the thread pool instead of two. Linux alone: what it
 * means elsewhere is less than what libuv makes of `fdatasync` there.
 */
const O_DSYNC = process.platform === 'linux' ? fs.constants.O_DSYNC : 0;

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

class NodeFile implements OpenFile {
  private closing: Promise<void> | undefined;

  /** @param syncsWrites whether the system has written to the disk what it says it has written */
  constructor(
    private readonly fd: number,
    private readonly syncsWrites: boolean,
  ) {}

  write(bytes: Uint8Array, position: number): Promise<number> {
    return call((done) => fs.write(this.fd, bytes, 0, bytes.length, position, done));
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return call((done) => fs.read(this.fd, into, 0, into.length, position, done));
  }

  async datasync(): Promise<void> {
    if (!this.syncsWrites) await call((done) => fs.fdatasync(this.fd, done));
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

const openFd = (path: string, flags: number): Promise<number> =>
  call<number>((done) => fs.open(path, flags, 0o600, done));

async function open(path: string, flags: number): Promise<OpenFile> {
  return new NodeFile(await openFd(path, flags), false);
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
  create: async (path, { syncsWrites = false } = {}) => {
    const inOne = syncsWrites ? O_DSYNC : 0;
    const fd = await openFd(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | inOne);
    return new NodeFile(fd, inOne !== 0);
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
