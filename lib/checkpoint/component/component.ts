import type { PartMeta, PartToSave, Sequence } from '../checkpoint-store.js';
import type { DurableCollection } from '../collections/durable-collection.js';
import type { Overlay } from '../collections/overlay.js';
import type { FieldState, SliceSize } from '../state/field-state.js';
import { Turns } from '../transaction/turns.js';
import type { Member } from '../transaction/member.js';
import type { Codec } from '../value/codec.js';
import type { Values } from '../value/values.js';
import { Answers } from './answers.js';
import type { CapturedState } from './captured-state.js';
import type { CheckpointComponentOptions } from './component.options.js';
import type { Piece } from './format.js';
import type { Pending } from './pending.js';

/** A durable field, whatever its kind. */
export type AnyCollection = DurableCollection<FieldState, Overlay>;

/** How big a piece should be, in bytes: large enough to be quick, small enough not to block. */
const PIECE = 64 * 1024;

/** A provider whose state is kept. */
export class Component implements Member {
  readonly turns: Turns;
  readonly fields = new Map<string, AnyCollection>();
  captured: CapturedState | undefined;
  answers = new Answers();
  /** Settles when its state is complete, where that takes time. */
  starting: Promise<void> | undefined;
  /** Calls that changed it since it was saved. */
  unsaved = 0;
  /** Whether the newest generation has it at all. */
  isSaved = false;
  savedAt = 0;
  sequence: Sequence = 0;
  /** The last entry that concerns it, on its way to the disk. */
  pending: Pending | undefined;
  /** Whether its calls wait for that. */
  private readonly isSync: boolean;
  private active = 0;
  private readonly idlers: (() => void)[] = [];

  constructor(
    readonly options: CheckpointComponentOptions,
    readonly instance: object,
    private readonly codec: Codec,
    private readonly values: Values,
    private readonly onSpoiled: (error: unknown) => void,
  ) {
    this.turns = new Turns(this, options.maxPending ?? 1_000);
    this.isSync = (options.durability ?? 'sync') === 'sync';
  }

  get name(): string {
    return this.options.name;
  }

  get isSerial(): boolean {
    return this.options.serial !== false;
  }

  /** Whether it is changed in place while a call runs, and not known as it was before. */
  get isInFlux(): boolean {
    const { captured } = this;
    if (captured === undefined || captured.before !== undefined) return false;
    return this.active > 0;
  }

  get unsettled(): Pending | undefined {
    return this.isSync && this.pending?.isDurable === false ? this.pending : undefined;
  }

  journaled(sequence: Sequence, pending: Pending): void {
    this.pending = pending;
    if (this.sequence === sequence) return;
    this.sequence = sequence;
    this.unsaved += 1;
  }

  methodBegan(): void {
    this.active += 1;
  }

  methodEnded(): void {
    this.active -= 1;
    if (this.active > 0 || this.idlers.length === 0) return;
    for (const idle of this.idlers.splice(0)) idle();
  }

  spoiled(error: unknown): void {
    this.onSpoiled(error);
  }

  /** Resolves when no method is running that could change its state in place. */
  whenIdle(): Promise<void> {
    if (this.captured === undefined || this.active === 0) return Promise.resolve();
    return new Promise((resolve) => this.idlers.push(resolve));
  }

  /** Lets new calls wait. @returns lets them go on */
  close(): () => void {
    let open!: () => void;
    const before = this.starting;
    const closed = new Promise<void>((resolve) => (open = resolve));
    this.starting = closed;
    return () => {
      if (this.starting === closed) this.starting = before;
      open();
    };
  }

  /** Remembers its state. @returns puts it back */
  keepsake(): () => void | Promise<void> {
    const states = [...this.fields].map(([, field]) => ({ field, state: field.published }));
    const { answers, captured } = this;
    const image = captured?.capture();
    return () => {
      this.answers = answers;
      for (const { field, state } of states) field.replace(state);
      return image === undefined ? undefined : captured!.restore(image);
    };
  }

  /** Its state as it is now, to be saved. What a running call has done to it is not in it. */
  part(): PartToSave {
    const size: SliceSize = { entries: 64 };
    const { name, codec, captured } = this;
    const fields = [...this.fields].map(([field, { kind, published }]) => ({
      field,
      kind,
      slices: published.slices(size),
    }));
    const answers = this.answers.entries();
    const state = captured?.image();
    const pieces = function* (values: Values): Iterable<Uint8Array> {
      const piece = (data: Piece): Uint8Array => codec.encode(data);
      if (state !== undefined) yield state;
      yield piece(['fields', fields.map(({ field, kind }) => [field, kind])]);
      for (const { field, kind, slices } of fields) {
        for (const op of slices) {
          const bytes = piece(['change', field, kind, op]);
          size.entries = nextSize(size.entries, bytes.length);
          yield bytes;
        }
      }
      for (let i = 0; i < answers.length; i += 256) {
        const slice = answers.slice(i, i + 256);
        yield piece(['answers', slice.map(([key, stored]) => [key, values.data(stored)])]);
      }
    };
    return { component: name, meta: this.meta(), pieces: pieces(this.values) };
  }

  /** The small summary for lists; empty if it has none, or fails to make one. */
  describe(): Readonly<Record<string, string | number | boolean | null>> {
    const { describeState } = this.instance as { describeState?: () => unknown };
    try {
      const told: unknown = describeState?.call(this.instance);
      return typeof told === 'object' && told !== null ? { ...(told as object) } : {};
    } catch {
      return {};
    }
  }

  private meta(): PartMeta {
    const { version = 1 } = this.options;
    return { version, codec: this.codec.name, describe: JSON.stringify(this.describe()) };
  }
}

function nextSize(entries: number, bytes: number): number {
  if (bytes > 2 * PIECE) return Math.max(1, Math.floor((entries * PIECE) / bytes));
  return bytes < PIECE / 2 ? Math.min(4_096, entries * 2) : entries;
}
