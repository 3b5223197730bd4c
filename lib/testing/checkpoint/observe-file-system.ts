import type { FileSystem, OpenFile } from '../../checkpoint/stores/file/file-system.js';

/** A call to a disk. */
export interface FileCall {
  readonly call: keyof FileSystem | keyof OpenFile;
  /** The file or directory; of a file that has been renamed since it was opened, its first name. */
  readonly path: string;
  /** The new name, of `rename` and `link`. */
  readonly to?: string;
  /** What is written. */
  readonly bytes?: Uint8Array;
}

/** Sees a call before it is made: answers what `proceed` answers, or something else, or throws. */
export type FileHook = <T>(call: FileCall, proceed: () => Promise<T>) => Promise<T>;

/**
 * A disk whose calls pass through a hook: to write them down, to fail one of them, or to leave one out.
 *
 * ```ts
 * const fs = observeFileSystem(disk, (call, proceed) => {
 *   if (call.call === 'datasync') throw Object.assign(new Error('EIO'), { code: 'EIO' });
 *   return proceed();
 * });
 * ```
 */
export function observeFileSystem(fs: FileSystem, hook: FileHook): FileSystem {
  const on = async <T>(call: FileCall, proceed: () => Promise<T>): Promise<T> =>
    hook(call, proceed);

  const observed = (file: OpenFile, path: string): OpenFile => ({
    sideBySide: file.sideBySide === true,
    write: (bytes, position) =>
      on({ call: 'write', path, bytes }, () => file.write(bytes, position)),
    read: (into, position) => on({ call: 'read', path }, () => file.read(into, position)),
    datasync: () => on({ call: 'datasync', path }, () => file.datasync()),
    sync: () => on({ call: 'sync', path }, () => file.sync()),
    info: () => on({ call: 'info', path }, () => file.info()),
    close: () => on({ call: 'close', path }, () => file.close()),
  });

  return {
    uid: fs.uid,
    create: (path, options) =>
      on({ call: 'create', path }, async () => observed(await fs.create(path, options), path)),
    openForReading: (path) =>
      on({ call: 'openForReading', path }, async () =>
        observed(await fs.openForReading(path), path),
      ),
    makeDirectory: (path) => on({ call: 'makeDirectory', path }, () => fs.makeDirectory(path)),
    list: (path) => on({ call: 'list', path }, () => fs.list(path)),
    realPath: (path) => on({ call: 'realPath', path }, () => fs.realPath(path)),
    info: (path) => on({ call: 'info', path }, () => fs.info(path)),
    rename: (path, to) => on({ call: 'rename', path, to }, () => fs.rename(path, to)),
    link: (path, to) => on({ call: 'link', path, to }, () => fs.link(path, to)),
    removeFile: (path) => on({ call: 'removeFile', path }, () => fs.removeFile(path)),
    removeDirectory: (path) =>
      on({ call: 'removeDirectory', path }, () => fs.removeDirectory(path)),
    syncFile: (path) => on({ call: 'syncFile', path }, () => fs.syncFile(path)),
    syncDirectory: (path) => on({ call: 'syncDirectory', path }, () => fs.syncDirectory(path)),
  };
}
