import { CheckpointError } from '../checkpoint.error.js';
import type { PartMeta, SavedPart } from '../checkpoint-store.js';
import type { FieldKind, FieldState, Op } from '../state/field-state.js';
import { makeState } from '../state/make-state.js';
import type { Codec } from '../value/codec.js';
import type { Values } from '../value/values.js';
import { Answers } from './answers.js';
import type { Change, EntryData, Piece } from './format.js';

/** The state of a component as the store has it, before anybody claims it. */
export class Recovered {
  readonly fields = new Map<string, FieldState>();
  readonly answers = new Answers();
  /** What `captureState` gave, if it has captured state. */
  captured: { readonly data: unknown } | undefined;
  /** What has been journaled since, for `applyEntry`. */
  readonly entries: unknown[] = [];
  /** How much was journaled after the saved part: that part alone is not the state. */
  journaled = 0;
  /** Of the saved part; undefined while it has only been journaled. */
  meta: PartMeta | undefined;

  constructor(
    readonly name: string,
    private readonly values: Values,
  ) {}

  /** The form of the state; 1 where nothing says otherwise. */
  get version(): number {
    return typeof this.meta?.['version'] === 'number' ? this.meta['version'] : 1;
  }

  /** Whether anything of it is known. */
  get isEmpty(): boolean {
    return this.fields.size === 0 && this.captured === undefined && this.entries.length === 0;
  }

  async load(part: SavedPart, codec: Codec): Promise<void> {
    this.meta = part.meta;
    if (part.meta['codec'] !== codec.name) {
      const message = `component ${this.name} was kept by codec ${String(part.meta['codec'])}, and this is ${codec.name}`;
      throw new CheckpointError('CHECKPOINT_VERSION', message);
    }
    for await (const bytes of part.pieces()) this.take(codec.decode(bytes) as Piece);
  }

  /** Carries out what was journaled of a field. */
  change(field: string, kind: FieldKind, op: Op): void {
    let state = this.fields.get(field);
    if (state === undefined) {
      state = makeState(kind, this.values);
      this.fields.set(field, state);
    }
    state.apply(op);
  }

  keepAnswer(key: string, data: unknown): void {
    this.answers.keep(key, this.values.fromData(data));
  }

  private take(piece: Piece): void {
    switch (piece[0]) {
      case 'fields':
        for (const [name, kind] of piece[1]) this.fields.set(name, makeState(kind, this.values));
        break;
      case 'change':
        this.change(piece[1], piece[2], piece[3]);
        break;
      case 'answers':
        for (const [key, data] of piece[1]) this.keepAnswer(key, data);
        break;
      default:
        this.captured = { data: piece[1] };
    }
  }
}

/** Hands the parts of an entry to the components that they concern. */
export function replay(
  [, changes, entries, answers]: EntryData,
  of: (component: string) => Recovered | undefined,
): void {
  for (const [component, field, kind, op] of changes as readonly Change[])
    of(component)?.change(field, kind, op);
  for (const [component, entry] of entries) of(component)?.entries.push(entry);
  for (const [component, key, data] of answers) of(component)?.keepAnswer(key, data);
}
