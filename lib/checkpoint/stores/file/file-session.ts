import type { Clock } from '../../../kernel/clock.js';
import {
  type Appended,
  BEGINNING,
  type CheckpointInfo,
  type History,
  type PartToSave,
  type SavedPart,
  type StoreContents,
  type UnchangedPart,
} from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { automaticKindOf } from '../../automatic-names.js';
import { checkParts, newestFirst, unknown } from '../store-checks.js';
import { damaged, ioFailure, WAY_OUT } from './failures.js';
import { segmentName } from './file-names.js';
import type { FileSystem } from './file-system.js';
import { assertSame, type FormerSession } from './former-session.js';
import { GenerationKeeper, Queue } from './generation-keeper.js';
import { historyOf, NOTHING } from './history.js';
import { readJournal } from './journal-reader.js';
import type { Keyring } from './keyring.js';
import type { Durability } from '../../durability.js';
import { JournalWriter, type LiveSegment } from './journal-writer.js';
import { beginSegment, rollSegment } from './live-segment.js';
import { DirectoryLock } from './lock.js';
import type { Machine } from './machine.js';
import { infoOf, type Manifest } from './manifest.js';
import {
  createNamed,
  type NamedLimits,
  readNamed,
  removeNamed,
  retainNamed,
} from './named-checkpoints.js';
import { prune, retain } from './prune.js';
import { recover, reportOf } from './recovery.js';
import { problemOfState, savedPart } from './state-file.js';
import { closeQuietly, StoreDirectory } from './store-directory.js';
import { linkToEnd, makeDurable, removeUnfinished } from './take-over.js';

export interface SessionOptions extends NamedLimits {
  readonly directory: string;
  readonly durability: Durability;
  readonly generations: number;
  readonly strictPermissions: boolean;
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly machine: Machine;
  readonly keys: Keyring;
  readonly former?: FormerSession | undefined;
}

/** A directory from one opening to the next: owned, recovered, and written to. */
export class FileSession {
  private readonly files = new Queue();
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly options: SessionOptions,
    private readonly directory: StoreDirectory,
    private readonly lock: DirectoryLock,
    private readonly writer: JournalWriter,
    private readonly keeper: GenerationKeeper,
    private journal: readonly string[],
    private readonly store: string,
  ) {}

  static async open(
    options: SessionOptions,
    onFenced: (cause: unknown) => void,
  ): Promise<{ session: FileSession; contents: StoreContents }> {
    const { fs, clock, machine, keys, former, durability } = options;
    const make = former === undefined;
    const { directory, findings } = await StoreDirectory.at(fs, options.directory, make, keys);
    if (options.strictPermissions && findings.length > 0) {
      throw new CheckpointError('CHECKPOINT_IO', `${directory.path}: ${findings[0]!.problem}.`);
    }
    const lock = await DirectoryLock.take(directory, { clock, machine, former: former?.token });
    let begun: LiveSegment | undefined;
    try {
      const recovered = await recover(directory);
      assertSame(directory, recovered, former);
      await makeDurable(directory, recovered);
      const about = {
        store: recovered.store,
        epoch: lock.epoch,
        first: recovered.end.last + 1,
        previous: linkToEnd(recovered),
        barrier: recovered.generations.barrier,
      };
      const segment = await beginSegment(directory, about, durability);
      begun = segment;
      const removed = await removeUnfinished(directory);
      await lock.removeOlder();
      const { store, generations } = recovered;
      const assertOwned = async (): Promise<void> => {
        if (!lock.assured) await lock.assure();
      };
      const ports = { directory, store, epoch: lock.epoch, clock, assertOwned };
      const rotten = new Set(recovered.skipped.map(({ file }) => file));
      const known = generations.whole.map((manifest) => ({
        manifest,
        rotten: new Set(filesOf(manifest).filter((file) => rotten.has(file))),
      }));
      const keeper = new GenerationKeeper(ports, known, generations.highest, generations.barrier);
      const writer = new JournalWriter(
        segment,
        recovered.end.last,
        durability,
        lock,
        clock,
        onFenced,
      );
      lock.onLost = (error) => writer.fail(error);
      const journal = [
        ...recovered.chain.map(({ name }) => name),
        segmentName(lock.epoch, segment.header.first),
      ];
      return {
        session: new FileSession(options, directory, lock, writer, keeper, journal, store),
        contents: {
          parts: recovered.parts,
          lost: recovered.lost,
          sequence: recovered.end.last,
          entries: () => readJournal(directory, recovered.range, recovered.end),
          report: reportOf(recovered, removed, findings),
        },
      };
    } catch (error) {
      if (begun !== undefined) await closeQuietly(begun.file);
      await (begun === undefined ? lock.withdraw() : lock.release());
      throw ioFailure(`The checkpoints in ${directory.path} cannot be opened`, error);
    }
  }

  /** What the next one in this process is told. */
  get former(): FormerSession {
    const { token, durable } = this.lock;
    return { token, store: this.store, durable };
  }

  append(entry: Uint8Array): Appended {
    return this.writer.append(entry);
  }

  flush(): Promise<void> {
    return this.writer.flush();
  }

  async snapshot(
    parts: readonly (PartToSave | UnchangedPart)[],
    barrier: boolean,
  ): Promise<CheckpointInfo> {
    checkParts(parts);
    const cut = this.keeper.cut(this.writer.sequence, barrier);
    let begun!: () => void;
    let missed!: (error: unknown) => void;
    const journaled = new Promise<void>((resolve, reject) => {
      begun = resolve;
      missed = reject;
    });
    journaled.catch(() => {}); // it may fail before anybody waits for it
    const made = this.files.run(() => this.keeper.make(cut, parts, journaled));
    const rolled = this.writer.barrier(async (segment) => {
      await this.writer.sync(segment);
      const behind = barrier ? cut.generation : this.keeper.barrierGeneration;
      const next = await rollSegment(
        this.directory,
        segment,
        cut.sequence,
        behind,
        this.options.durability,
      );
      if (next !== undefined) this.journal = [...this.journal, nameOf(next.header)];
      begun();
      // what comes after a barrier goes on from its states, so it is not written before they are
      if (barrier) await made;
      return next;
    });
    rolled.catch(missed);
    return this.guarded('A checkpoint cannot be made', async () => {
      const info = await made;
      await this.files.run(() => this.prune());
      return info;
    });
  }

  async create(name: string, parts: readonly PartToSave[]): Promise<CheckpointInfo> {
    checkParts(parts);
    const { sequence } = this.writer;
    const { directory, store, options } = this;
    const { clock, maxBytes, retain } = options;
    const assertOwned = (): Promise<void> => this.assertOwned();
    const cut = { store, epoch: this.lock.epoch, sequence, createdAt: clock.epoch() };
    return this.guarded(`The checkpoint "${name}" cannot be made`, () =>
      this.files.run(async () => {
        const info = await createNamed(directory, name, parts, cut, clock, assertOwned, maxBytes);
        // it stands, whether or not there is one too many
        if (retain !== undefined && automaticKindOf(name) === undefined)
          await retainNamed(directory, store, retain, name).catch(() => {});
        return info;
      }),
    );
  }

  remove(name: string): Promise<void> {
    return this.guarded(`The checkpoint "${name}" cannot be removed`, () =>
      this.files.run(async () => {
        await this.assertOwned();
        await removeNamed(this.directory, name);
      }),
    );
  }

  async list(): Promise<CheckpointInfo[]> {
    const { whole } = await this.guarded('The checkpoints cannot be listed', () =>
      readNamed(this.directory, this.store),
    );
    return [
      ...whole.map(({ manifest }) => infoOf(manifest)),
      ...this.keeper.generations.map(({ manifest }) => infoOf(manifest)),
    ].toSorted(newestFirst);
  }

  read(id: string): Promise<ReadonlyMap<string, SavedPart>> {
    return this.guarded(`The checkpoint "${id}" cannot be read`, async () => {
      const { directory, manifest } = await this.find(id);
      const parts = new Map<string, SavedPart>();
      for (const part of manifest.parts) {
        let problem: string | undefined = 'none';
        for (const name of part.files) {
          problem = await problemOfState(directory, name, part);
          if (problem !== undefined) continue;
          parts.set(part.component, savedPart(directory, name, part, manifest));
          break;
        }
        if (problem !== undefined) {
          throw damaged(
            `The checkpoint "${id}" is not whole: ${directory.join(part.files[0]!)}, ${problem}. ${WAY_OUT}`,
          );
        }
      }
      return parts;
    });
  }

  /** Everything that was appended is on the disk before it is read. */
  history(id: string): Promise<History> {
    const { directory, keeper, writer } = this;
    return this.guarded(`The journal after checkpoint "${id}" cannot be read`, async () => {
      const cut = id === BEGINNING ? NOTHING : (await this.find(id)).manifest;
      const { sequence: last } = writer;
      await writer.flush();
      const { header, synced } = writer.current;
      const live = { name: nameOf(header), length: synced };
      return historyOf(directory, cut, { last, live, keeper });
    });
  }

  /** Ends it: what is under way comes to its end, and the directory is free. Reading goes on. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    await this.files.idle();
    await this.writer.settled();
    await closeQuietly(this.writer.current.file);
    await this.lock.release();
  }

  private async find(id: string): Promise<{ directory: StoreDirectory; manifest: Manifest }> {
    const { directory, keeper } = this;
    const kept = keeper.generations.find(({ manifest }) => String(manifest.generation) === id);
    if (kept !== undefined) return { directory, manifest: kept.manifest };
    const { whole, bad } = await readNamed(directory, this.store);
    const named = whole.find(({ manifest }) => manifest.name === id);
    if (named !== undefined) return named;
    const broken = bad.find(({ name }) => name === id);
    if (broken === undefined) throw unknown(id);
    if (broken.error !== undefined) throw broken.error;
    throw damaged(`The checkpoint "${id}" is not whole: ${broken.problem}.`);
  }

  /** What cannot be removed now is removed the next time: a full or failing disk must not fail a good snapshot. */
  private async prune(): Promise<void> {
    const { directory, keeper, options } = this;
    const kept = retain(keeper.generations, keeper.barrierGeneration, options.generations);
    keeper.keepOnly(kept.generations);
    try {
      await prune(directory, kept, this.journal, () => this.assertOwned());
    } catch {
      // see above
    }
  }

  private async assertOwned(): Promise<void> {
    if (!this.lock.assured) await this.lock.assure();
  }

  private async guarded<T>(what: string, task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      throw ioFailure(what, error);
    }
  }
}

const nameOf = ({ epoch, first }: { epoch: number; first: number }): string =>
  segmentName(epoch, first);

const filesOf = (manifest: Manifest): string[] => manifest.parts.flatMap(({ files }) => files);
