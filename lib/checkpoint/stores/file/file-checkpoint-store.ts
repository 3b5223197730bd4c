import type { Clock } from '../../../kernel/clock.js';
import type {
  Appended,
  CheckpointInfo,
  CheckpointStore,
  History,
  PartToSave,
  SavedPart,
  StoreContents,
  StoreState,
  UnchangedPart,
  VerifyReport,
} from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { assertMayOpen, checkId, checkName } from '../store-checks.js';
import { backgroundClock } from './background-clock.js';
import { FileSession, type SessionOptions } from './file-session.js';
import type { FileSystem } from './file-system.js';
import type { FormerSession } from './former-session.js';
import type { Durability } from '../../durability.js';
import { checkKeys, type KeyOptions } from '../key-input.js';
import { checkOptions, integer, ResilienceConfigError } from '../../../kernel/check.js';
import { fencedError } from './journal-queue.js';
import { Keyring } from './keyring.js';
import type { Machine } from './machine.js';
import { nodeFileSystem } from './node-file-system.js';
import { nodeMachine } from './node-machine.js';
import { verifyDirectory } from './verify.js';

export interface FileCheckpointOptions extends KeyOptions {
  /** Where the files are; made, mode 0700, if it is not there. One process owns it. */
  readonly directory: string;
  /**
   * What is safe when an append is acknowledged. `sync`: it is on the disk, and survives the loss of power.
   * `{ interval: n }`: it survives the end of the process, and up to n milliseconds of entries are lost with the
   * power. `manual`: the same, and only `flush`, `snapshot` and `close` put it on the disk. Default `sync`.
   */
  readonly durability?: Durability;
  /** How many whole generations are kept, at least 2. Default 2. */
  readonly generations?: number;
  /**
   * How many bytes the directory may have when a named checkpoint has been made: one that would take it beyond is
   * refused with `CHECKPOINT_QUOTA`. The journal and the numbered generations are never refused. Default none.
   */
  readonly maxBytes?: number | undefined;
  /** How many named checkpoints are kept, from 1: one more, and the oldest is removed. Default all. */
  readonly retain?: number | undefined;
  /** Refuse a directory that others may enter, instead of warning. Default false. */
  readonly strictPermissions?: boolean;
  /** The disk. Default: that of this machine. */
  readonly fs?: FileSystem;
  /** Time. Default: the platform's, with timers that keep no process alive. */
  readonly clock?: Clock;
  /** Which process we are, and which others there are. Default: asked of the system. */
  readonly machine?: Machine;
}

export const FILE_CHECKPOINT_DEFAULTS = {
  durability: 'sync',
  generations: 2,
  strictPermissions: false,
} as const;

const LIMITS = { maxBytes: integer(1), retain: integer(1) };

/**
 * Checkpoints in the files of a directory, without any dependency: a journal that is only appended to, and
 * states that are written once and never changed.
 */
export class FileCheckpointStore implements CheckpointStore {
  private readonly options: SessionOptions;
  private readonly listeners: ((cause: unknown) => void)[] = [];
  private current: StoreState = 'new';
  private session: FileSession | undefined;
  private former: FormerSession | undefined;
  private fence: { readonly cause: unknown } | undefined;

  /** @throws ResilienceConfigError if a key cannot be one, or a limit */
  constructor({ integrityKey, encryptionKey, acceptPlain, ...options }: FileCheckpointOptions) {
    const given = { integrityKey, encryptionKey, acceptPlain };
    const { maxBytes, retain } = options;
    const at = 'FileCheckpointStore';
    const mistakes = [...checkKeys(at, given), ...checkOptions(at, { maxBytes, retain }, LIMITS)];
    if (mistakes.length > 0) throw new ResilienceConfigError(mistakes);
    this.options = {
      ...FILE_CHECKPOINT_DEFAULTS,
      fs: nodeFileSystem,
      clock: backgroundClock,
      machine: nodeMachine,
      ...options,
      maxBytes,
      retain,
      keys: Keyring.of(given),
      generations: Math.max(2, options.generations ?? FILE_CHECKPOINT_DEFAULTS.generations),
    };
  }

  get state(): StoreState {
    return this.current;
  }

  async open(): Promise<StoreContents> {
    assertMayOpen(this.current);
    const before = this.current;
    this.current = 'opening';
    try {
      await this.session?.close();
      this.former = this.session?.former ?? this.former;
      this.session = undefined;
      const options = { ...this.options, former: this.former };
      const { session, contents } = await FileSession.open(options, (cause) =>
        this.onFailure(cause),
      );
      this.session = session;
      this.fence = undefined;
      this.current = 'open';
      return contents;
    } catch (error) {
      this.current = before;
      throw error;
    }
  }

  append(entry: Uint8Array): Appended {
    return this.writable().append(entry);
  }

  async flush(): Promise<void> {
    return this.writable().flush();
  }

  async snapshot(
    parts: readonly (PartToSave | UnchangedPart)[],
    options: { readonly barrier?: boolean } = {},
  ): Promise<CheckpointInfo> {
    return this.writable().snapshot(parts, options.barrier ?? false);
  }

  async create(name: string, parts: readonly PartToSave[]): Promise<CheckpointInfo> {
    checkName(name);
    return this.writable().create(name, parts);
  }

  async list(): Promise<readonly CheckpointInfo[]> {
    return this.readable().list();
  }

  async read(id: string): Promise<ReadonlyMap<string, SavedPart>> {
    checkId(id);
    return this.readable().read(id);
  }

  async history(id: string): Promise<History> {
    checkId(id);
    return this.writable().history(id);
  }

  async remove(name: string): Promise<void> {
    checkName(name);
    return this.writable().remove(name);
  }

  async verify(): Promise<VerifyReport> {
    this.readable();
    const { directory, fs, keys } = this.options;
    return verifyDirectory(directory, fs, keys);
  }

  onFenced(listener: (cause: unknown) => void): void {
    this.listeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.current === 'closed') return;
    const { session } = this;
    const open = this.current === 'open';
    this.current = 'closed';
    this.session = undefined;
    try {
      if (open) await session?.flush();
    } finally {
      await session?.close();
    }
  }

  /** Nobody waits in vain, and the directory is free for whoever opens it next. */
  private onFailure(cause: unknown): void {
    this.fence = { cause };
    if (this.current === 'open') this.current = 'fenced';
    void this.session?.close();
    for (const listener of this.listeners) listener(cause);
  }

  private writable(): FileSession {
    if (this.current === 'fenced') throw fencedError(this.fence?.cause);
    return this.readable();
  }

  private readable(): FileSession {
    if (this.session !== undefined && this.current !== 'opening') return this.session;
    const code = this.current === 'fenced' ? 'CHECKPOINT_FENCED' : 'CHECKPOINT_CLOSED';
    throw new CheckpointError(code, `The checkpoint store is ${this.current}: open it first.`);
  }
}
