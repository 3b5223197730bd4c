import type { Clock } from '../../kernel/clock.js';
import {
  type Appended,
  BEGINNING,
  type CheckpointInfo,
  type CheckpointStore,
  type History,
  type PartMeta,
  type PartToSave,
  type SavedPart,
  type Sequence,
  type StoreContents,
  type StoreState,
  type UnchangedPart,
  type VerifyReport,
} from '../checkpoint-store.js';
import { CheckpointError } from '../checkpoint.error.js';
import {
  assertMayOpen,
  assertUntaken,
  checkEntry,
  checkId,
  checkName,
  checkParts,
  newestFirst,
  notSaved,
  unknown,
} from './store-checks.js';

interface Held {
  readonly component: string;
  readonly meta: PartMeta;
  readonly pieces: readonly Uint8Array[];
}

interface Checkpoint {
  readonly id: string;
  readonly named: boolean;
  readonly createdAt: number;
  readonly sequence: Sequence;
  readonly parts: ReadonlyMap<string, Held>;
}

/** How many generations are kept. */
const GENERATIONS = 2;

/**
 * Keeps everything in memory: for tests, and for components whose state need not survive. Behaves like
 * the store in files, closes and opens again with all it had, and forgets on demand.
 */
export class MemoryCheckpointStore implements CheckpointStore {
  private current: StoreState = 'new';
  private entries: { readonly sequence: Sequence; readonly entry: Uint8Array }[] = [];
  private last: Sequence = 0;
  private generations: Checkpoint[] = [];
  private made = 0;
  private barrier = 0;
  /** The cut of the generation that is the barrier. */
  private barrierAt: Sequence = 0;
  /** Entries up to this one are gone. */
  private forgotten: Sequence = 0;
  private readonly named = new Map<string, Checkpoint>();
  private readonly listeners: ((cause: unknown) => void)[] = [];

  /** @param options.clock for the times in lists; default: all at 0 */
  constructor(private readonly options: { readonly clock?: Clock } = {}) {}

  get state(): StoreState {
    return this.current;
  }

  /** Loses everything, as a disk does that is replaced by a new one. The store has to be opened again. */
  forget(): void {
    this.current = 'closed';
    this.entries = [];
    this.generations = [];
    this.named.clear();
    this.last = this.made = this.barrier = this.barrierAt = this.forgotten = 0;
  }

  /** Fails, as if a write had; nothing is lost. */
  fail(cause: unknown): void {
    if (this.current !== 'open') return;
    this.current = 'fenced';
    for (const listener of this.listeners) listener(cause);
  }

  async open(): Promise<StoreContents> {
    assertMayOpen(this.current);
    this.current = 'open';
    const newest = this.generations.at(-1);
    const from = newest?.sequence ?? 0;
    const held = this.entries.filter(({ sequence }) => sequence > from);
    return {
      parts: savedParts(newest),
      lost: new Map(),
      sequence: this.last,
      entries: async function* () {
        yield* held;
      },
      report: { tailTruncatedBytes: 0, skipped: [], removed: [], weakened: false, findings: [] },
    };
  }

  append(entry: Uint8Array): Appended {
    this.assertOpen();
    checkEntry(entry);
    this.last += 1;
    this.entries.push({ sequence: this.last, entry: Uint8Array.from(entry) });
    return { sequence: this.last, durable: Promise.resolve() };
  }

  async flush(): Promise<void> {
    this.assertOpen();
  }

  async snapshot(
    parts: readonly (PartToSave | UnchangedPart)[],
    options: { readonly barrier?: boolean } = {},
  ): Promise<CheckpointInfo> {
    this.assertOpen();
    checkParts(parts);
    const before = this.generations.at(-1)?.parts;
    const held = parts.map((part) => {
      if (!('unchanged' in part)) return hold(part);
      const known = before?.get(part.component);
      if (known === undefined) throw notSaved(part.component);
      return known;
    });
    this.made += 1;
    if (options.barrier === true) [this.barrier, this.barrierAt] = [this.made, this.last];
    const made = this.checkpoint(String(this.made), false, held);
    this.retain([...this.generations, made]);
    return infoOf(made);
  }

  async create(name: string, parts: readonly PartToSave[]): Promise<CheckpointInfo> {
    checkName(name);
    this.assertOpen();
    checkParts(parts);
    assertUntaken(name, [...this.named.keys()]);
    const made = this.checkpoint(name, true, parts.map(hold));
    this.named.set(name, made);
    return infoOf(made);
  }

  async list(): Promise<readonly CheckpointInfo[]> {
    this.assertReadable();
    return [...this.named.values(), ...this.generations].map(infoOf).toSorted(newestFirst);
  }

  async read(id: string): Promise<ReadonlyMap<string, SavedPart>> {
    checkId(id);
    this.assertReadable();
    const found = this.named.get(id) ?? this.generations.find((one) => one.id === id);
    if (found === undefined) throw unknown(id);
    return savedParts(found);
  }

  async history(id: string): Promise<History> {
    checkId(id);
    this.assertOpen();
    const named = this.named.get(id);
    const found = named ?? this.generations.find((one) => one.id === id);
    if (found === undefined && id !== BEGINNING) throw unknown(id);
    const sequence = found?.sequence ?? 0;
    const isBehind = named === undefined ? Number(id) >= this.barrier : sequence > this.barrierAt;
    const isWhole = (isBehind || this.barrier === 0) && sequence >= this.forgotten;
    const held = this.entries.filter((one) => one.sequence > sequence);
    return {
      count: this.last - sequence,
      isWhole,
      entries: async function* () {
        if (isWhole) yield* held;
      },
    };
  }

  async remove(name: string): Promise<void> {
    checkName(name);
    this.assertOpen();
    if (!this.named.delete(name)) throw unknown(name);
  }

  async verify(): Promise<VerifyReport> {
    const bytes = this.entries.reduce((sum, { entry }) => sum + entry.length, 0);
    return {
      ok: true,
      checkpoints: await this.list(),
      journal: { from: this.entries[0]?.sequence ?? this.last + 1, to: this.last, bytes },
      findings: [],
    };
  }

  onFenced(listener: (cause: unknown) => void): void {
    this.listeners.push(listener);
  }

  async close(): Promise<void> {
    this.current = 'closed';
  }

  private checkpoint(id: string, named: boolean, held: readonly Held[]): Checkpoint {
    return {
      id,
      named,
      createdAt: this.options.clock?.epoch() ?? 0,
      sequence: this.last,
      parts: new Map(held.map((one) => [one.component, one])),
    };
  }

  /** The newest, the last before a barrier, and the entries since the oldest that counts. */
  private retain(all: readonly Checkpoint[]): void {
    const isBehind = ({ id }: Checkpoint): boolean => Number(id) >= this.barrier;
    const behind = all.filter(isBehind).slice(-GENERATIONS);
    const before = all.filter((one) => !isBehind(one)).slice(-1);
    this.generations = [...before, ...behind];
    const from = behind[0]?.sequence ?? 0;
    this.forgotten = from;
    this.entries = this.entries.filter(({ sequence }) => sequence > from);
  }

  private assertOpen(): void {
    if (this.current === 'fenced') {
      throw new CheckpointError('CHECKPOINT_FENCED', 'The store has failed: open it again.');
    }
    this.assertReadable();
  }

  private assertReadable(): void {
    if (this.current === 'open' || this.current === 'fenced') return;
    throw new CheckpointError('CHECKPOINT_CLOSED', `The store is ${this.current}: open it first.`);
  }
}

/** The pieces are copied: the caller may go on with its state. */
const hold = ({ component, meta, pieces }: PartToSave): Held => ({
  component,
  meta: { ...meta },
  pieces: Array.from(pieces, (piece) => Uint8Array.from(piece)),
});

const bytesOf = ({ pieces }: Held): number => pieces.reduce((sum, piece) => sum + piece.length, 0);

function savedParts(checkpoint: Checkpoint | undefined): Map<string, SavedPart> {
  const parts = new Map<string, SavedPart>();
  for (const [component, held] of checkpoint?.parts ?? []) {
    const { meta, pieces } = held;
    parts.set(component, {
      component,
      meta,
      sequence: checkpoint!.sequence,
      bytes: bytesOf(held),
      pieces: async function* () {
        yield* pieces;
      },
    });
  }
  return parts;
}

function infoOf({ id, named, createdAt, sequence, parts }: Checkpoint): CheckpointInfo {
  const components = [...parts.values()].map((held) => {
    const { component, meta } = held;
    return { component, meta, sequence, bytes: bytesOf(held) };
  });
  const bytes = components.reduce((sum, one) => sum + one.bytes, 0);
  return { id, named, createdAt, sequence, bytes, components };
}
