import type { FileInfo, FileSystem, OpenFile } from '../../checkpoint/stores/file/file-system.js';
import type { Random } from '../../kernel/random.js';
import { DirectoryNode, FileNode, LinkNode, type Node } from './crash-nodes.js';

const failure = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: '${path}'`), { code });

const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '');

/** Thrown by every call once the machine is off. */
export class MachineOff extends Error {
  constructor() {
    super('the machine is off');
  }
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
  private off = false;
  private readonly root: DirectoryNode;
  private readonly crashAt: number;

  /** @param options.crashAt the number of the change at which the power goes; default never */
  constructor(
    private readonly random: Random,
    options: { readonly crashAt?: number; readonly root?: DirectoryNode } = {},
  ) {
    this.root = options.root ?? new DirectoryNode();
    this.crashAt = options.crashAt ?? Infinity;
  }

  /** The power goes now. */
  cutPower(): void {
    this.off = true;
  }

  get isOff(): boolean {
    return this.off;
  }

  /** The disk after the power has gone and come back. */
  restart(options: { readonly crashAt?: number } = {}): CrashFileSystem {
    this.off = true;
    // from all lost to nothing lost
    const odds = [0, 1, this.random(), this.random()][Math.floor(this.random() * 4)]!;
    const root = this.root.afterCrash(this.random, odds, new Map());
    return new CrashFileSystem(this.random, { ...options, root });
  }

  /** The disk after the end of the process alone: the system still has everything. */
  afterKill(options: { readonly crashAt?: number } = {}): CrashFileSystem {
    this.off = true;
    return new CrashFileSystem(this.random, { ...options, root: this.root });
  }

  create(path: string): Promise<OpenFile> {
    return this.change(() => {
      const { parent, name } = this.place(path);
      if (parent.names.has(name)) throw failure('EEXIST', path);
      const file = new FileNode(this.uid);
      parent.put(name, file);
      return this.handle(file);
    });
  }

  openForReading(path: string): Promise<OpenFile> {
    return this.look(() => {
      const node = this.find(path);
      if (node instanceof LinkNode) throw failure('ELOOP', path);
      if (!(node instanceof FileNode)) throw failure('EISDIR', path);
      return this.handle(node);
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.change(() => {
      const { parent, name } = this.place(path);
      if (parent.names.has(name)) throw failure('EEXIST', path);
      parent.put(name, new DirectoryNode());
    });
  }

  list(path: string): Promise<string[]> {
    return this.look(() => [...this.directory(path).names.keys()]);
  }

  info(path: string): Promise<FileInfo> {
    return this.look(() => this.find(path).info(this.uid));
  }

  rename(from: string, to: string): Promise<void> {
    return this.change(() => {
      const node = this.find(from);
      const [source, target] = [this.place(from), this.place(to)];
      if (source.parent === target.parent) source.parent.rename(source.name, target.name, node);
      else throw failure('EXDEV', to);
    });
  }

  link(from: string, to: string): Promise<void> {
    return this.change(() => {
      const node = this.find(from);
      const { parent, name } = this.place(to);
      if (parent.names.has(name)) throw failure('EEXIST', to);
      parent.put(name, node);
    });
  }

  removeFile(path: string): Promise<void> {
    return this.change(() => {
      if (this.find(path) instanceof DirectoryNode) throw failure('EISDIR', path);
      const { parent, name } = this.place(path);
      parent.drop(name);
    });
  }

  removeDirectory(path: string): Promise<void> {
    return this.change(() => {
      if (this.directory(path).names.size > 0) throw failure('ENOTEMPTY', path);
      const { parent, name } = this.place(path);
      parent.drop(name);
    });
  }

  syncFile(path: string): Promise<void> {
    return this.sync(() => {
      const node = this.find(path);
      if (node instanceof FileNode) node.sync();
    });
  }

  syncDirectory(path: string): Promise<boolean> {
    return this.sync(() => {
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

  private handle(file: FileNode): OpenFile {
    return {
      write: (bytes, position) =>
        this.change(() => {
          // now and then a little less than was asked for, as systems do
          const count = this.random() < 0.1 ? Math.ceil(bytes.length / 2) : bytes.length;
          file.write(bytes.subarray(0, count), position);
          return count;
        }),
      read: (into, position) => this.look(() => file.read(into, position)),
      datasync: () => this.sync(() => file.sync()),
      sync: () => this.sync(() => file.sync()),
      info: () => this.look(() => file.info()),
      close: () => Promise.resolve(),
    };
  }

  /** The power may go with the change half way to the disk: like one that is not synced. */
  private async change<T>(run: () => T): Promise<T> {
    return this.look(() => {
      const result = run();
      this.count();
      return result;
    });
  }

  private async sync<T>(run: () => T): Promise<T> {
    return this.look(() => {
      this.count();
      return run();
    });
  }

  private count(): void {
    this.changes += 1;
    if (this.changes < this.crashAt) return;
    this.off = true;
    throw new MachineOff();
  }

  /** Calls take their time, so that others come in between. */
  private async look<T>(run: () => T): Promise<T> {
    for (let wait = Math.floor(this.random() * 3); wait > 0; wait -= 1) await Promise.resolve();
    if (this.off) throw new MachineOff();
    return run();
  }

  private find(path: string): Node {
    let node: Node = this.root;
    for (const part of partsOf(path)) {
      const next: Node | undefined =
        node instanceof DirectoryNode ? node.names.get(part) : undefined;
      if (next === undefined) throw failure('ENOENT', path);
      node = next;
    }
    return node;
  }

  private directory(path: string): DirectoryNode {
    const node = this.find(path);
    if (node instanceof DirectoryNode) return node;
    throw failure('ENOTDIR', path);
  }

  private place(path: string): { readonly parent: DirectoryNode; readonly name: string } {
    const parts = partsOf(path);
    const name = parts.pop()!;
    return { parent: this.directory(parts.join('/')), name };
  }
}
