/** The place of a journal entry: 1 for the first, then one more each. 0 is before all of them. */
export type Sequence = number;

/** What a component adds to its saved state, for its own use: small, and plain JSON. */
export type PartMeta = { readonly [key: string]: string | number | boolean | null };

/** The state of one component as it is to be saved. */
export interface PartToSave {
  /** A safe name, see `isSafeName`. */
  readonly component: string;
  readonly meta: PartMeta;
  /**
   * The state, in pieces of any size. Pulled one by one while the file is written, so that making
   * them does not block the event loop for long; the state they speak of must not change meanwhile.
   */
  readonly pieces: Iterable<Uint8Array>;
}

/**
 * The state is still the one that the newest generation holds: nothing is written again. It stands for all
 * entries up to the new generation's cut from then on, as if it had been saved there.
 */
export interface UnchangedPart {
  readonly component: string;
  readonly unchanged: true;
}

/** The saved state of one component, found whole: read to its end and checked. */
export interface SavedPart {
  readonly component: string;
  readonly meta: PartMeta;
  /** The last entry whose effect is in the state. */
  readonly sequence: Sequence;
  /** How many bytes the pieces have together. */
  readonly bytes: number;
  /** The pieces as they were saved. Checked again while they are read. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** What can be restored: a numbered generation, or one that was given a name. */
export interface CheckpointInfo {
  /** The number of a generation as digits, or the name. */
  readonly id: string;
  readonly named: boolean;
  /** Wall-clock time of its making, milliseconds since 1970. */
  readonly createdAt: number;
  /** The last entry of the journal before it. */
  readonly sequence: Sequence;
  readonly bytes: number;
  readonly components: readonly {
    readonly component: string;
    readonly meta: PartMeta;
    readonly sequence: Sequence;
    readonly bytes: number;
  }[];
}

/** What opening a store found and did about it. Everything in it was survived; the rest throws. */
export interface OpenReport {
  /** Bytes at the end of the journal that belong to no whole batch: cut off. Normal after a crash. */
  readonly tailTruncatedBytes: number;
  /** Saved states that were damaged, and what was used instead. */
  readonly skipped: readonly { readonly file: string; readonly reason: string }[];
  /** Unfinished files of an earlier life that were removed. */
  readonly removed: readonly string[];
  /** Whether a new snapshot should be made soon, since fewer whole copies are left than there should be. */
  readonly weakened: boolean;
  /** Things worth knowing about the place itself, such as a directory that others may enter. */
  readonly findings: readonly Finding[];
}

/** What an opened store holds. */
export interface StoreContents {
  /** By component: the newest whole state from which the journal goes on without a gap. */
  readonly parts: ReadonlyMap<string, SavedPart>;
  /** Components that have saved states, none of which can be used, and why. */
  readonly lost: ReadonlyMap<string, string>;
  /** All entries after the oldest of the parts, in order; a part skips those it has. */
  entries(): AsyncIterable<{ readonly sequence: Sequence; readonly entry: Uint8Array }>;
  /** The last entry; 0 in a new store. */
  readonly sequence: Sequence;
  readonly report: OpenReport;
}

/** An entry that has its place in the journal. */
export interface Appended {
  readonly sequence: Sequence;
  /**
   * Resolves when the entry is as safe as the store makes it; rejects with `CHECKPOINT_FENCED` if that
   * is not known, or did not happen.
   */
  readonly durable: Promise<void>;
}

/** Stands for the generation before the first: nothing, from which the whole journal leads on. */
export const BEGINNING = '0';

/** What was journaled after a checkpoint. */
export interface History {
  /** How many entries there are after the checkpoint's cut. */
  readonly count: number;
  /**
   * Whether all of them are still there, and lead from the checkpoint to the present: an entry from before
   * a restore or a migration does not lead to what is after it.
   */
  readonly isWhole: boolean;
  /** Where it is whole: all entries after the checkpoint's cut, in order. */
  entries(): AsyncIterable<{ readonly sequence: Sequence; readonly entry: Uint8Array }>;
}

/** How the store is doing. */
export type StoreState = 'new' | 'opening' | 'open' | 'fenced' | 'closed';

/** One damage that `verify` found, or a thing worth knowing. */
export interface Finding {
  readonly level: 'damage' | 'warning';
  readonly file: string;
  readonly problem: string;
}

/** What a look at everything that is kept showed. */
export interface VerifyReport {
  readonly ok: boolean;
  readonly checkpoints: readonly CheckpointInfo[];
  readonly journal: { readonly from: Sequence; readonly to: Sequence; readonly bytes: number };
  readonly findings: readonly Finding[];
}

/**
 * Where checkpoints live: a journal of entries, and saved states that each stand for all entries
 * up to theirs.
 *
 * Entries are appended in one synchronous step, so that order is decided by the caller. Everything
 * rejects with a `CheckpointError`. After a failed write or sync the store is fenced: nothing is
 * accepted and nothing acknowledged until `open` has read again what there really is.
 */
export interface CheckpointStore {
  readonly state: StoreState;
  /** Takes the store for this process and finds what it holds. Again after a fence; not while open. */
  open(): Promise<StoreContents>;
  /** Puts an entry at the end of the journal. All of it is kept, or nothing. @throws CheckpointError at once when it is not open */
  append(entry: Uint8Array): Appended;
  /** Resolves when everything appended so far is durable. */
  flush(): Promise<void>;
  /**
   * Saves the states as they are now, after the entries appended so far: the cut is taken before it
   * returns. Resolves when the generation is on disk, read back and found whole.
   *
   * @param barrier no older state may stand in for this one, as after a restore or a migration: it
   * is kept twice
   */
  snapshot(
    parts: readonly (PartToSave | UnchangedPart)[],
    options?: { readonly barrier?: boolean },
  ): Promise<CheckpointInfo>;
  /** Saves the states under a name, complete in itself, until it is removed. */
  create(name: string, parts: readonly PartToSave[]): Promise<CheckpointInfo>;
  /** Newest first. Reads no states. */
  list(): Promise<readonly CheckpointInfo[]>;
  /** The states of a checkpoint, all of them checked before it resolves. */
  read(id: string): Promise<ReadonlyMap<string, SavedPart>>;
  /** What was journaled after a checkpoint, or since the `BEGINNING`, up to now. Valid until the next snapshot. */
  history(id: string): Promise<History>;
  /** Removes a named checkpoint. */
  remove(name: string): Promise<void>;
  /** Reads and checks all there is, beside running calls; changes nothing. */
  verify(): Promise<VerifyReport>;
  /** Called once when the store is fenced. */
  onFenced(listener: (cause: unknown) => void): void;
  /** Makes everything appended durable, and gives the store free. */
  close(): Promise<void>;
}
