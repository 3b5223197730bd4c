import type { Clock } from '../../../kernel/clock.js';
import type {
  CheckpointInfo,
  PartToSave,
  Sequence,
  UnchangedPart,
} from '../../checkpoint-store.js';
import { notSaved } from '../store-checks.js';
import { manifestName, parseFileName } from './file-names.js';
import { infoOf, type Manifest, type ManifestPart } from './manifest.js';
import { makeManifest, makeState, type Place, withSecondCopy } from './state-writer.js';
import { savedPart } from './state-file.js';
import type { StoreDirectory } from './store-directory.js';

/** A generation that is known to be on the disk. */
export interface KeptGeneration {
  readonly manifest: Manifest;
  /** Files of it that were found damaged: nothing may refer to them any more. */
  readonly rotten: ReadonlySet<string>;
}

export interface KeeperPorts {
  readonly directory: StoreDirectory;
  readonly store: string;
  readonly epoch: number;
  readonly clock: Clock;
  /** Throws if what is published now would not be ours to publish. */
  assertOwned(): Promise<void>;
}

/** What a snapshot was asked to be, at the time of asking. */
export interface Cut {
  readonly generation: number;
  readonly sequence: Sequence;
  readonly createdAt: number;
  readonly barrier: boolean;
  /** The generation that the caller took for the newest. */
  readonly base: number;
}

/** The numbered checkpoints of an open store: makes them, and knows which there are. */
export class GenerationKeeper {
  private highest: number;
  private asked: number;

  /** @param known oldest first @param highest the highest number that was ever given @param barrier see the manifest's name */
  constructor(
    private readonly ports: KeeperPorts,
    private known: readonly KeptGeneration[],
    highest: number,
    private barrier: number,
  ) {
    this.highest = highest;
    this.asked = this.newest;
  }

  get generations(): readonly KeptGeneration[] {
    return this.known;
  }

  /** The generation that none before may stand in for. */
  get barrierGeneration(): number {
    return this.barrier;
  }

  cut(sequence: Sequence, barrier: boolean): Cut {
    const base = this.asked;
    this.highest += 1;
    this.asked = this.highest;
    const createdAt = this.ports.clock.epoch();
    return { generation: this.highest, sequence, createdAt, barrier, base };
  }

  /**
   * Writes a generation and publishes it.
   *
   * @param journaled resolves when the journal is on the disk up to the cut and begins a segment there
   */
  async make(
    cut: Cut,
    parts: readonly (PartToSave | UnchangedPart)[],
    journaled: Promise<void>,
  ): Promise<CheckpointInfo> {
    const { directory, store, epoch } = this.ports;
    const { generation, sequence, createdAt } = cut;
    const place = { directory, store, generation, epoch };
    try {
      const saved: ManifestPart[] = [];
      const copies = this.copiesOf(cut);
      for (const part of parts) saved.push(await this.makePart(place, part, cut, copies));
      // a manifest never gets to the disk before what it speaks of
      await directory.sync();
      await journaled;
      await this.ports.assertOwned();
      const barrier = cut.barrier ? generation : this.barrier;
      const manifest = { store, generation, epoch, barrier, createdAt, sequence, parts: saved };
      const names = [1, 2]
        .slice(0, copies)
        .map((copy) => manifestName(generation, epoch, barrier, copy));
      await makeManifest(directory, names, manifest);
      await directory.sync();
      this.known = [...this.known, { manifest, rotten: new Set() }];
      this.barrier = barrier;
      return infoOf(manifest);
    } catch (error) {
      await this.removeStates(place).catch(() => {}); // the next prune does
      throw error;
    }
  }

  private get newest(): number {
    return this.known.at(-1)?.manifest.generation ?? 0;
  }

  /** Twice where no other generation could stand in: behind a barrier, and where there is none yet. */
  private copiesOf({ barrier }: Cut): 1 | 2 {
    const standIn = this.known.some(
      ({ manifest, rotten }) => manifest.generation >= this.barrier && rotten.size === 0,
    );
    return barrier || !standIn ? 2 : 1;
  }

  private async makePart(
    place: Place,
    part: PartToSave | UnchangedPart,
    { base }: Cut,
    copies: 1 | 2,
  ): Promise<ManifestPart> {
    if (!('unchanged' in part)) return makeState(place, part, copies, this.ports.clock);
    const kept = this.known.at(-1);
    const known = kept?.manifest.parts.find(({ component }) => component === part.component);
    const files = known?.files.filter((name) => kept?.rotten.has(name) !== true) ?? [];
    if (known === undefined || files.length === 0 || this.newest !== base) {
      throw notSaved(part.component);
    }
    const still = { ...known, files };
    // of an earlier key, or of none: it is not carried on for ever
    if (known.seal !== place.directory.keys.writing?.mark) {
      const saved = savedPart(place.directory, files[0]!, known, kept!.manifest);
      const { component, meta } = known;
      const part = { component, meta, pieces: saved.pieces() };
      return makeState(place, part, copies, this.ports.clock);
    }
    return copies === 2 ? withSecondCopy(place, still) : still;
  }

  /** Leaves nothing of a failure, unless a manifest got its name: then it may be durable, and needs them. */
  private async removeStates({ directory, generation, epoch }: Place): Promise<void> {
    const ours = (await directory.list()).filter((name) => {
      const parsed = parseFileName(name);
      if (parsed?.kind !== 'state' && parsed?.kind !== 'manifest') return false;
      return parsed.generation === generation && parsed.epoch === epoch;
    });
    if (ours.some((name) => parseFileName(name)?.kind === 'manifest')) return;
    for (const name of ours) await directory.remove(name);
  }

  /** Forgets the generations that have been removed. */
  keepOnly(kept: readonly KeptGeneration[]): void {
    this.known = kept;
  }
}

/** Runs one task after another; the failure of one is none of the next. */
export class Queue {
  private last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last.then(task);
    this.last = result.catch(() => {});
    return result;
  }

  /** Resolves when all that was asked for is done. */
  async idle(): Promise<void> {
    await this.last;
  }
}
