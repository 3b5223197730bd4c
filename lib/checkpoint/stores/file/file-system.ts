/** What a name stands for, itself and not what a link leads to. */
export interface FileInfo {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly size: number;
  /** The permission bits, such as `0o600`. */
  readonly mode: number;
  readonly uid: number;
  /** How many names the file has. */
  readonly links: number;
}

/** An open file. A failed call rejects with the error of the system and its `code`. */
export interface OpenFile {
  /** Whether two writes with their `datasync` may be under way at once, and each be told of its own failure. Default false. */
  readonly sideBySide?: boolean;
  /** Writes some of the bytes, at least one, and answers how many. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Reads some bytes and answers how many; 0 at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Resolves when content and length are on the disk. */
  datasync(): Promise<void>;
  /** Resolves when everything about the file is on the disk, but not its name. */
  sync(): Promise<void>;
  info(): Promise<FileInfo>;
  close(): Promise<void>;
}

export interface CreateOptions {
  /**
   * It will be written at its end only, what it begins with be followed by `sync`, and each write after that by `datasync`;
   * two are under way at once only where it says that it takes them `sideBySide`. The file system may then do both
   * calls at once, and leave zeros behind the end. Not before: that a segment has no entries is told by its length.
   * Default false.
   */
  readonly journal?: boolean;
}

/**
 * The few things that the file store asks of a disk, as a port: so that every crash and every fault
 * can be replayed in a test.
 */
export interface FileSystem {
  /** Who we are, where users have numbers. */
  readonly uid: number | undefined;
  /** Makes a new file for reading and writing, mode 0600; rejects with `EEXIST` if the name is taken. */
  create(path: string, options?: CreateOptions): Promise<OpenFile>;
  /** Opens for reading; follows no link and waits for no pipe. */
  openForReading(path: string): Promise<OpenFile>;
  /** Makes a directory, mode 0700; rejects with `EEXIST` if the name is taken. */
  makeDirectory(path: string): Promise<void>;
  list(path: string): Promise<string[]>;
  /** The path of an existing directory without any link in it. */
  realPath(path: string): Promise<string>;
  info(path: string): Promise<FileInfo>;
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second name; rejects with `EEXIST` if it is taken. */
  link(from: string, to: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** Makes the content of a file durable, whoever wrote it. */
  syncFile(path: string): Promise<void>;
  /** Makes the names in a directory durable. Answers whether this file system can do that. */
  syncDirectory(path: string): Promise<boolean>;
}

/** A mebibyte of nothing. */
export const ZEROS = Buffer.alloc(1024 * 1024);

/** The `code` of an error of the system, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  const code: unknown =
    typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Writes all of it, however little the system takes at a time. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const written = await file.write(bytes.subarray(done), position + done);
    if (!(written > 0)) throw new Error(`the system wrote ${written} of ${bytes.length} bytes`);
    done += written;
  }
}

/** Reads until `into` is full or the file ends; answers how much that was. */
export async function readFully(
  file: OpenFile,
  into: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const read = await file.read(into.subarray(done), position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}
