import type {
  CreateOptions,
  FileInfo,
  FileSystem,
  OpenFile,
} from '../../checkpoint/stores/file/file-system.js';
import type { Random } from '../../kernel/random.js';
import { DirectoryNode, FileNode, LinkNode, type Node } from './crash-nodes.js';
import type { FileCall } from './observe-file-system.js';

const failure = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: '${path}'`), { code });

const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '');

/** Thrown by every call once the machine is off. */
export class MachineOff extends Error {
  constructor() {
    super('the machine is off');
  }
}

/** A call to this disk; `content` is what the file held before it, where the call is one of an open file. */
export type DiskCall = FileCall & { readonly content?: Buffer };

/** When the power goes; default never. */
export interface PowerCut {
  /** The number of the change, from 1, at which it goes: a call that writes, syncs or gives a name. */
  readonly crashAt?: number;
  /** Asked at each call of any kind, also one that changes nothing, whether it goes there. */
  readonly crashWhen?: (call: DiskCall) => boolean;
}

/**
 * A disk in memory that forgets what a real one may forget when the power goes: names until their
 * directory is synced, bytes until their file is. What was not synced survives in any part, torn at sectors of
 * 512 bytes and in any order. The same seed forgets the same.
 *
 * ```ts
 * const disk = new CrashFileSystem(seededRandom(7), { crashAt: 40 });
 * const store = new FileCheckpointStore({ directory: '/store', fs: disk });
 * // … until the 40th call that changes the disk fails; then
 * const later = new FileCheckpointStore({ directory: '/store', fs: disk.restart() });
 * ```
 */
export class CrashFileSystem implements FileSystem {
  readonly uid = 1_000;
  /** Calls so far that change the disk. */
  changes = 0;
  /** The call at which the power went, once it has. */
  crashedAt: DiskCall | undefined;
  private off = false;
  private readonly root: DirectoryNode;
  private readonly crashAt: number;
  private readonly crashWhen: ((call: DiskCall) => boolean) | undefined;
  private readonly split = new Map<string, readonly string[]>();

  constructor(
    private readonly random: Random,
    options: PowerCut & { readonly root?: DirectoryNode } = {},
  ) {
    this.root = options.root ?? new DirectoryNode();
    this.crashAt = options.crashAt ?? Infinity;
    this.crashWhen = options.crashWhen;
  }

  /** The power goes now. */
  cutPower(): void {
    this.off = true;
  }

  get isOff(): boolean {
    return this.off;
  }

  /** The disk after the power has gone and come back. */
  restart(options: PowerCut = {}): CrashFileSystem {
    this.off = true;
    // from all lost to nothing lost
    const odds = [0, 1, this.random(), this.random()][Math.floor(this.random() * 4)]!;
    const root = this.root.afterCrash(this.random, odds, new Map());
    return new CrashFileSystem(this.random, { ...options, root });
  }

  /** The disk after the end of the process alone: the system still has everything. */
  afterKill(options: PowerCut = {}): CrashFileSystem {
    this.off = true;
    return new CrashFileSystem(this.random, { ...options, root: this.root });
  }

  create(path: string, { journal = false }: CreateOptions = {}): Promise<OpenFile> {
    return this.change({ call: 'create', path }, () => {
      const { parent, name } = this.place(path);
      if (parent.names.has(name)) throw failure('EEXIST', path);
      const file = new FileNode(this.uid);
      parent.put(name, file);
      return this.handle(file, path, journal);
    });
  }

  openForReading(path: string): Promise<OpenFile> {
    return this.look({ call: 'openForReading', path }, () => {
      const node = this.find(path);
      if (node instanceof LinkNode) throw failure('ELOOP', path);
      if (!(node instanceof FileNode)) throw failure('EISDIR', path);
      return this.handle(node, path);
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.change({ call: 'makeDirectory', path }, () => {
      const { parent, name } = this.place(path);
      if (parent.names.has(name)) throw failure('EEXIST', path);
      parent.put(name, new DirectoryNode());
    });
  }

  list(path: string): Promise<string[]> {
    return this.look({ call: 'list', path }, () => [...this.directory(path).names.keys()]);
  }

  /** Links lead nowhere here, so none is in the path of anything. */
  realPath(path: string): Promise<string> {
    return this.look({ call: 'realPath', path }, () => {
      this.directory(path);
      return path;
    });
  }

  info(path: string): Promise<FileInfo> {
    return this.look({ call: 'info', path }, () => this.find(path).info(this.uid));
  }

  rename(path: string, to: string): Promise<void> {
    return this.change({ call: 'rename', path, to }, () => {
      const node = this.find(path);
      const [source, target] = [this.place(path), this.place(to)];
      if (source.parent === target.parent) source.parent.rename(source.name, target.name, node);
      else throw failure('EXDEV', to);
    });
  }

  link(path: string, to: string): Promise<void> {
    return this.change({ call: 'link', path, to }, () => {
      const node = this.find(path);
      const { parent, name } = this.place(to);
      if (parent.names.has(name)) throw failure('EEXIST', to);
      parent.put(name, node);
    });
  }

  removeFile(path: string): Promise<void> {
    return this.change({ call: 'removeFile', path }, () => {
      if (this.find(path) instanceof DirectoryNode) throw failure('EISDIR', path);
      const { parent, name } = this.place(path);
      parent.drop(name);
    });
  }

  removeDirectory(path: string): Promise<void> {
    return this.change({ call: 'removeDirectory', path }, () => {
      if (this.directory(path).names.size > 0) throw failure('ENOTEMPTY', path);
      const { parent, name } = this.place(path);
      parent.drop(name);
    });
  }

  syncFile(path: string): Promise<void> {
    return this.sync({ call: 'syncFile', path }, () => {
      const node = this.find(path);
      if (node instanceof FileNode) node.sync();
    });
  }

  syncDirectory(path: string): Promise<boolean> {
    return this.sync({ call: 'syncDirectory', path }, () => {
      this.directory(path).sync();
      return true;
    });
  }

  /** Puts a symbolic link, a pipe (`link: undefined`) or bytes there, as an attacker or an accident would. */
  plant(path: string, what: { readonly link: string } | { readonly bytes: Uint8Array }): void {
    const { parent, name } = this.place(path);
    const node = 'link' in what ? new LinkNode() : FileNode.of(what.bytes, this.uid);
    parent.put(name, node);
    parent.sync();
  }

  /** The bytes of a file as the system sees them; to look at, or to damage them. */
  bytesOf(path: string): Buffer {
    const node = this.find(path);
    if (!(node instanceof FileNode)) throw failure('EISDIR', path);
    return node.content;
  }

  private handle(file: FileNode, path: string, leavesZeros = false): OpenFile {
    let isBegun = false;
    const on = (call: keyof OpenFile, bytes?: Uint8Array): DiskCall => ({
      call,
      path,
      bytes,
      content: file.content,
    });
    return {
      sideBySide: true,
      write: (bytes, position) =>
        this.change(on('write', bytes), () => {
          // now and then a little less than was asked for, as systems do
          const count = this.random() < 0.1 ? Math.ceil(bytes.length / 2) : bytes.length;
          if (leavesZeros && isBegun) this.reserve(file, position + bytes.length);
          file.write(bytes.subarray(0, count), position);
          return count;
        }),
      read: (into, position) => this.look(on('read'), () => file.read(into, position)),
      datasync: () => this.sync(on('datasync'), () => file.sync()),
      sync: () =>
        this.sync(on('sync'), () => {
          file.sync();
          isBegun = true;
        }),
      info: () => this.look(on('info'), () => file.info()),
      close: () => Promise.resolve(),
    };
  }

  /** Zeros behind the end, as `CreateOptions` says that there may be; never over what is there. */
  private reserve(file: FileNode, end: number): void {
    const from = file.content.length;
    if (end <= from || this.random() < 0.5) return;
    file.write(Buffer.alloc(end - from + Math.floor(this.random() * 1_000)), from);
  }

  /** The power may go with the change half way to the disk: like one that is not synced. */
  private change<T>(call: DiskCall, run: () => T): Promise<T> {
    return this.inTime(() => {
      const result = run();
      this.count(call);
      return result;
    });
  }

  private sync<T>(call: DiskCall, run: () => T): Promise<T> {
    return this.inTime(() => {
      this.count(call);
      return run();
    });
  }

  private look<T>(call: DiskCall, run: () => T): Promise<T> {
    return this.inTime(() => {
      if (this.crashWhen?.(call) === true) this.crash(call);
      return run();
    });
  }

  private count(call: DiskCall): void {
    this.changes += 1;
    if (this.changes >= this.crashAt || this.crashWhen?.(call) === true) this.crash(call);
  }

  private crash(call: DiskCall): never {
    this.off = true;
    this.crashedAt = call;
    throw new MachineOff();
  }

  /** Calls take their time, so that others come in between. */
  private async inTime<T>(run: () => T): Promise<T> {
    for (let wait = Math.floor(this.random() * 3); wait > 0; wait -= 1) await undefined;
    if (this.off) throw new MachineOff();
    return run();
  }

  private find(path: string): Node {
    const { parent, name } = this.place(path);
    const node = name === '' ? parent : parent.names.get(name);
    if (node === undefined) throw failure('ENOENT', path);
    return node;
  }

  private directory(path: string): DirectoryNode {
    const node = this.find(path);
    if (node instanceof DirectoryNode) return node;
    throw failure('ENOTDIR', path);
  }

  /** The directory of a path without trailing slash, and the name in it: empty for the root. */
  private place(path: string): { readonly parent: DirectoryNode; readonly name: string } {
    const end = path.lastIndexOf('/');
    const above = path.slice(0, end);
    // few directories are asked for again and again
    let parts = this.split.get(above);
    if (parts === undefined) this.split.set(above, (parts = partsOf(above)));
    let parent = this.root;
    for (const part of parts) {
      const next = parent.names.get(part);
      if (!(next instanceof DirectoryNode)) {
        throw failure(next === undefined ? 'ENOENT' : 'ENOTDIR', path);
      }
      parent = next;
    }
    return { parent, name: path.slice(end + 1) };
  }
}
