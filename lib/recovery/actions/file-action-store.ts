import { randomBytes } from 'node:crypto';
import {
  codeOf,
  type FileSystem,
  type OpenFile,
  readFully,
  writeAll,
} from '../../checkpoint/stores/file/file-system.js';
import { closeQuietly, StoreDirectory } from '../../checkpoint/stores/file/store-directory.js';
import { isKeyError, Keyring } from '../../checkpoint/stores/file/keyring.js';
import { LinesOut, linesIn } from './sealed-lines.js';
import type { RecoveryAction } from '../recovery-report.js';
import type { ActionStore } from './action-log.js';

const NAME = /^actions-\d{13}-[0-9a-f]{32}\.jsonl$/;
/** No log of ours comes near: 10,000 actions of at most 2.5 KB, twice. */
const MAX_BYTES = 64 * 1024 * 1024;
/** A file that has grown beyond that, and to twice of what it began with, is followed by another. */
const GROWN = 4 * 1024 * 1024;

/** The file that is written to. */
interface Current {
  readonly file: OpenFile;
  position: number;
  readonly begun: number;
  readonly lines: LinesOut;
}

/**
 * Actions in a file of a directory: one line of JSON each. Every life begins a file with what it
 * remembers of the earlier ones, so that no file is ever changed but at its end, and none grows for ever.
 */
export class FileActionStore implements ActionStore {
  private current: Current | undefined;
  /** Files for which there is no key. */
  private readonly sealed = new Set<string>();

  /**
   * @param directory made if it is not there, mode 0700; must not be a link
   * @param fs the disk
   * @param keys what is written with another one is left alone
   */
  constructor(
    private readonly directory: string,
    private readonly fs: FileSystem,
    /** As those of the checkpoints: what is said of a state must not be easier to read than the state. */
    private readonly keys: Keyring = Keyring.none,
  ) {}

  async read(): Promise<readonly RecoveryAction[]> {
    const place = await this.place(false);
    const byId = new Map<number, RecoveryAction>();
    for (const name of await this.names(place))
      for (const action of await this.actionsIn(place!, name)) byId.set(action.id, action);
    return [...byId.values()].toSorted((a, b) => a.id - b.id);
  }

  async append(action: RecoveryAction, all: readonly RecoveryAction[]): Promise<void> {
    const { current } = this;
    if (current === undefined || current.position > Math.max(GROWN, 2 * current.begun))
      return this.begin(action.at, all);
    current.position += await write(current.file, current.position, current.lines.of([action]));
  }

  async close(): Promise<void> {
    const file = this.current?.file;
    this.current = undefined;
    if (file !== undefined) await closeQuietly(file);
  }

  /** A new file, complete before the older ones go. */
  private async begin(at: number, all: readonly RecoveryAction[]): Promise<void> {
    const place = (await this.place(true))!;
    const older = (await this.names(place)).filter((one) => !this.sealed.has(one));
    const name = `actions-${String(at).padStart(13, '0')}-${randomBytes(16).toString('hex')}.jsonl`;
    const file = await this.fs.create(place.join(name));
    try {
      const lines = new LinesOut(this.keys);
      const position = await write(file, 0, lines.head + lines.of(all));
      await place.sync();
      const former = this.current?.file;
      this.current = { file, position, begun: position, lines };
      if (former !== undefined) await closeQuietly(former);
    } catch (error) {
      // a disk that is full stays so for many actions
      await closeQuietly(file);
      await place.remove(name).catch(() => {});
      throw error;
    }
    for (const gone of older) await place.remove(gone);
  }

  private async actionsIn(place: StoreDirectory, name: string): Promise<RecoveryAction[]> {
    const { file, size } = await place.open(name);
    if (file === undefined) return [];
    try {
      if (size > MAX_BYTES) return [];
      const bytes = Buffer.alloc(size);
      const text = bytes.subarray(0, await readFully(file, bytes, 0)).toString();
      return linesIn(text, this.keys, name).flatMap((line) => actionFrom(line) ?? []);
    } catch (error) {
      if (!isKeyError(error)) throw error;
      this.sealed.add(name);
      return [];
    } finally {
      await file.close();
    }
  }

  private async place(make: boolean): Promise<StoreDirectory | undefined> {
    try {
      return (await StoreDirectory.at(this.fs, this.directory, make)).directory;
    } catch (error) {
      if (!make && codeOf((error as { cause?: unknown }).cause) === 'ENOENT') return undefined;
      throw error;
    }
  }

  private async names(place: StoreDirectory | undefined): Promise<string[]> {
    return ((await place?.list()) ?? []).filter((name) => NAME.test(name)).toSorted();
  }
}

/** @returns how many bytes were written */
async function write(file: OpenFile, position: number, lines: string): Promise<number> {
  const bytes = Buffer.from(lines);
  await writeAll(file, bytes, position);
  await file.datasync();
  return bytes.length;
}

/** What a line says, if it is an action: a crash may have cut the last one, and anybody may have written it. */
function actionFrom(line: string): RecoveryAction | undefined {
  try {
    const { id, at, type, status, details, by } = JSON.parse(line) as RecoveryAction;
    const isSound =
      Number.isSafeInteger(id) &&
      Number.isFinite(at) &&
      [type, status, details, by].every((text) => typeof text === 'string' && text.length <= 1_000);
    return isSound ? { id, at, type, status, details, by } : undefined;
  } catch {
    return undefined;
  }
}
