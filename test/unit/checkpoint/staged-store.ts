import { CheckpointError } from '../../../lib/checkpoint/checkpoint.error.js';
import type {
  Appended,
  CheckpointInfo,
  CheckpointStore,
  History,
  PartMeta,
  PartToSave,
  SavedPart,
  Sequence,
  StoreContents,
  StoreState,
  UnchangedPart,
  VerifyReport,
} from '../../../lib/checkpoint/checkpoint-store.js';

interface Kept {
  readonly meta: PartMeta;
  readonly sequence: Sequence;
  readonly pieces: readonly Uint8Array[];
}

/** What outlives the process. */
export class Disk {
  readonly entries: Uint8Array[] = [];
  readonly generations: Map<string, Kept>[] = [];
  readonly named = new Map<string, Map<string, Kept>>();
  /** Components whose saved states are to be found damaged. */
  readonly rotten = new Set<string>();
}

interface Waiting {
  readonly entry: Uint8Array;
  resolve(): void;
  reject(error: unknown): void;
}

/** A store in memory whose syncs happen when the test says so, unless they happen at once. */
export class StagedStore implements CheckpointStore {
  state: StoreState = 'new';
  /** Whether an entry is durable as soon as it is appended. */
  syncs = true;
  /** What the next snapshots fail with. */
  breaksSnapshots: unknown;
  /** What the next openings fail with. */
  breaksOpen: unknown;
  private waiting: Waiting[] = [];
  private listeners: ((cause: unknown) => void)[] = [];

  constructor(readonly disk = new Disk()) {}

  get sequence(): Sequence {
    return this.disk.entries.length + this.waiting.length;
  }

  async open(): Promise<StoreContents> {
    if (this.breaksOpen !== undefined) throw this.breaksOpen;
    this.state = 'open';
    this.waiting = [];
    const { disk } = this;
    const newest = disk.generations.at(-1) ?? new Map<string, Kept>();
    const parts = new Map([...newest].map(([name, kept]) => [name, saved(name, kept)]));
    for (const name of disk.rotten) parts.delete(name);
    return {
      parts,
      lost: new Map([...disk.rotten].map((name) => [name, 'checksum'])),
      async *entries() {
        for (const [i, entry] of disk.entries.entries()) yield { sequence: i + 1, entry };
      },
      sequence: disk.entries.length,
      report: { tailTruncatedBytes: 0, skipped: [], removed: [], weakened: false, findings: [] },
    };
  }

  append(entry: Uint8Array): Appended {
    if (this.state !== 'open') throw new CheckpointError('CHECKPOINT_FENCED', 'not open');
    const durable = new Promise<void>((resolve, reject) => {
      this.waiting.push({ entry: entry.slice(), resolve, reject });
    });
    const { sequence } = this;
    if (this.syncs) this.sync();
    return { sequence, durable };
  }

  /** Everything appended is on disk. */
  sync(): void {
    for (const { entry, resolve } of this.waiting.splice(0)) {
      this.disk.entries.push(entry);
      resolve();
    }
  }

  /** The next write fails: nothing that was not synced is there. */
  fail(cause: unknown = new Error('EIO')): void {
    this.state = 'fenced';
    const error = new CheckpointError('CHECKPOINT_FENCED', 'a sync failed', { cause });
    for (const { reject } of this.waiting.splice(0)) reject(error);
    for (const listener of this.listeners) listener(cause);
  }

  async flush(): Promise<void> {
    this.sync();
  }

  async snapshot(
    parts: readonly (PartToSave | UnchangedPart)[],
    _options?: { readonly barrier?: boolean },
  ): Promise<CheckpointInfo> {
    const { sequence } = this;
    if (this.breaksSnapshots !== undefined) throw this.breaksSnapshots;
    const before = this.disk.generations.at(-1);
    await Promise.resolve();
    const generation = new Map(
      parts.map((part) => [
        part.component,
        'unchanged' in part ? { ...before!.get(part.component)!, sequence } : kept(part, sequence),
      ]),
    );
    this.sync();
    this.disk.generations.push(generation);
    return info(String(this.disk.generations.length), false, generation);
  }

  async create(name: string, parts: readonly PartToSave[]): Promise<CheckpointInfo> {
    const { sequence } = this;
    const generation = new Map(parts.map((part) => [part.component, kept(part, sequence)]));
    this.disk.named.set(name, generation);
    return info(name, true, generation);
  }

  async list(): Promise<readonly CheckpointInfo[]> {
    return [
      ...[...this.disk.named].map(([name, parts]) => info(name, true, parts)),
      ...this.disk.generations.map((parts, i) => info(String(i + 1), false, parts)).reverse(),
    ];
  }

  async read(id: string): Promise<ReadonlyMap<string, SavedPart>> {
    const found = this.disk.named.get(id) ?? this.disk.generations[Number(id) - 1];
    if (found === undefined)
      throw new CheckpointError('CHECKPOINT_UNKNOWN', `there is no checkpoint ${id}`);
    return new Map([...found].map(([name, part]) => [name, saved(name, part)]));
  }

  async history(id: string): Promise<History> {
    const [part] = [...(await this.read(id)).values()];
    const from = part?.sequence ?? 0;
    const held = this.disk.entries.slice(from);
    return {
      count: held.length,
      isWhole: true,
      async *entries() {
        for (const [i, entry] of held.entries()) yield { sequence: from + i + 1, entry };
      },
    };
  }

  async remove(name: string): Promise<void> {
    this.disk.named.delete(name);
  }

  async verify(): Promise<VerifyReport> {
    const journal = { from: 1, to: this.disk.entries.length, bytes: 0 };
    return { ok: true, checkpoints: await this.list(), journal, findings: [] };
  }

  onFenced(listener: (cause: unknown) => void): void {
    this.listeners.push(listener);
  }

  async close(): Promise<void> {
    this.sync();
    this.state = 'closed';
  }
}

function kept({ meta, pieces }: PartToSave, sequence: Sequence): Kept {
  return { meta, sequence, pieces: [...pieces].map((piece) => piece.slice()) };
}

const size = ({ pieces }: Kept): number => pieces.reduce((sum, { length }) => sum + length, 0);

function saved(component: string, part: Kept): SavedPart {
  const { meta, sequence, pieces } = part;
  return {
    component,
    meta,
    sequence,
    bytes: size(part),
    async *pieces() {
      yield* pieces;
    },
  };
}

function info(id: string, named: boolean, parts: ReadonlyMap<string, Kept>): CheckpointInfo {
  const components = [...parts].map(([component, part]) => ({
    component,
    meta: part.meta,
    sequence: part.sequence,
    bytes: size(part),
  }));
  const bytes = components.reduce((sum, part) => sum + part.bytes, 0);
  const sequence = Math.max(0, ...components.map((part) => part.sequence));
  return { id, named, createdAt: 0, sequence, bytes, components };
}
