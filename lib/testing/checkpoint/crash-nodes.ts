import type { FileInfo } from '../../checkpoint/stores/file/file-system.js';
import type { Random } from '../../kernel/random.js';

/** What a name of the disk in memory stands for. */
export type Node = FileNode | DirectoryNode | LinkNode;

const SECTOR = 512;

/** A symbolic link. Nothing of ours ever follows one, so it leads nowhere. */
export class LinkNode {
  info(uid: number): FileInfo {
    return { kind: 'link', size: 0, mode: 0o777, uid, links: 1 };
  }

  afterCrash(): this {
    return this;
  }
}

/** A file: what the system sees, and what of it is on the disk for sure. */
export class FileNode {
  links = 0;
  private live: Buffer = Buffer.alloc(0);
  private durable: Buffer = Buffer.alloc(0);
  private readonly pending: { readonly at: number; readonly end: number }[] = [];

  constructor(private readonly uid: number) {}

  static of(bytes: Uint8Array, uid: number): FileNode {
    const file = new FileNode(uid);
    file.write(bytes, 0);
    file.sync();
    return file;
  }

  get content(): Buffer {
    return this.live;
  }

  write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    const next = Buffer.alloc(Math.max(this.live.length, end));
    this.live.copy(next);
    next.set(bytes, at);
    this.live = next;
    this.pending.push({ at, end });
  }

  read(into: Uint8Array, at: number): number {
    const from = this.live.subarray(at, at + into.length);
    into.set(from);
    return from.length;
  }

  sync(): void {
    this.durable = this.live;
    this.pending.length = 0;
  }

  info(): FileInfo {
    const { live, uid, links } = this;
    return { kind: 'file', size: live.length, mode: 0o600, uid, links };
  }

  /** The sectors of what was not synced survive each by itself; the length may have grown without them. */
  afterCrash(random: Random, odds: number, seen: Map<Node, Node>): FileNode {
    const known = seen.get(this);
    if (known instanceof FileNode) return known;
    const after = new FileNode(this.uid);
    seen.set(this, after);
    after.durable = after.live = this.survivors(random, odds);
    return after;
  }

  private survivors(random: Random, odds: number): Buffer {
    if (this.pending.length === 0) return Buffer.from(this.durable);
    const bytes = Buffer.alloc(Math.max(this.durable.length, this.live.length));
    this.durable.copy(bytes);
    let length = random() < 0.3 ? this.live.length : this.durable.length;
    for (const { at, end } of this.pending) {
      for (let from = at; from < end;) {
        const to = Math.min(end, (Math.floor(from / SECTOR) + 1) * SECTOR);
        if (random() < odds) {
          this.live.copy(bytes, from, from, to);
          length = Math.max(length, to);
        }
        from = to;
      }
    }
    return bytes.subarray(0, length);
  }
}

/** One change of the names in a directory. */
type NameChange = (names: Map<string, Node>) => void;

/** A directory: the names that the system sees, and those that are on the disk for sure. */
export class DirectoryNode {
  readonly names = new Map<string, Node>();
  private durable = new Map<string, Node>();
  private pending: NameChange[] = [];

  put(name: string, node: Node): void {
    if (node instanceof FileNode) node.links += 1;
    this.apply((names) => void names.set(name, node));
  }

  drop(name: string): void {
    const node = this.names.get(name);
    if (node instanceof FileNode) node.links -= 1;
    this.apply((names) => void names.delete(name));
  }

  rename(from: string, to: string, node: Node): void {
    const replaced = this.names.get(to);
    if (replaced instanceof FileNode) replaced.links -= 1;
    this.apply((names) => {
      names.delete(from);
      names.set(to, node);
    });
  }

  sync(): void {
    this.durable = new Map(this.names);
    this.pending = [];
  }

  info(uid: number): FileInfo {
    return { kind: 'directory', size: 0, mode: 0o700, uid, links: 2 };
  }

  /** Each change that was not synced survives by itself. */
  afterCrash(random: Random, odds: number, seen: Map<Node, Node>): DirectoryNode {
    const names = new Map(this.durable);
    for (const change of this.pending) if (random() < odds) change(names);
    const after = new DirectoryNode();
    for (const [name, node] of names) after.put(name, node.afterCrash(random, odds, seen));
    after.sync();
    return after;
  }

  private apply(change: NameChange): void {
    change(this.names);
    this.pending.push(change);
  }
}
