import { CheckpointUnavailableError } from './checkpoint-rejections.js';
import type { Overlay } from '../collections/overlay.js';
import type { Change } from '../component/format.js';
import type { FieldKind } from '../state/field-state.js';
import { type Member, type Party, putBack, type Waiter } from './member.js';

/** A durable field, as far as a transaction is concerned. */
export interface Field {
  readonly component: Member;
  readonly name: string;
  readonly kind: FieldKind;
  overlay(): Overlay;
}

/** A running call, as far as it matters whose changes are whose. */
export interface Strand {
  /** Others changed something while it ran: what it did cannot be told from that. */
  isMixed: boolean;
  /** Whether it is the other one, or was called by it. */
  isWithin(other: Strand): boolean;
}

/** What a transaction keeps of itself to come back to. */
export interface Savepoint {
  readonly fields: readonly Field[];
  readonly overlays: readonly Overlay[];
  readonly entries: number;
  readonly answers: number;
  readonly rollbacks: number;
}

/** An answer to be given again to calls with the same key. */
export interface KeptAnswer {
  readonly component: Member;
  readonly key: string;
  readonly answer: unknown;
}

/** An entry that a component with captured state wrote itself. */
export interface OwnEntry {
  readonly component: Member;
  readonly entry: unknown;
}

let count = 0;

/** Most calls have one turn, wait for none, and make no entry or answer of their own: lists are made when they are needed. */
const NONE: never[] = [];

/** One `@Checkpoint` call with all that joined it: kept as a whole, or not at all. */
export class Transaction implements Party {
  /** Grows with each: of two, the one with the larger number is the younger. */
  readonly number = (count += 1);
  /** The components whose turn it has. */
  holds: readonly Member[] = NONE;
  /** The turns it waits for. */
  waits: readonly Waiter[] = NONE;
  entries: OwnEntry[] = NONE;
  answers: KeptAnswer[] = NONE;
  /** Why it must not be kept, though its outermost call may end well. */
  doom: { readonly cause: unknown } | undefined;
  isOver = false;
  /** The joined calls that are running now. */
  private joined: Set<Strand> | undefined;
  /** How many calls have changed state in place that is put back if they fail, and have not been put back. */
  rollbacks = 0;
  /** The fields that were changed, with the changes of each: they are few. */
  private fields: readonly Field[] = NONE;
  private overlays: readonly Overlay[] = NONE;
  /** Components to be put back to what they were, unless it is published. */
  private images: Map<Member, Uint8Array> | undefined;
  /** Methods that change state in place, and run. */
  private inPlace = 0;
  private isPublished = false;
  private isGivenBack = false;

  /** @param owner whose components it may change: one store is one journal */
  constructor(readonly owner: object) {}

  /**
   * A method of the component begins.
   *
   * @param rollback whether its state is put back if the transaction fails
   */
  enter(component: Member, rollback: boolean): void {
    const { captured } = component;
    if (captured !== undefined) {
      if (rollback && this.images?.has(component) !== true) {
        captured.before = captured.capture();
        (this.images ??= new Map()).set(component, captured.before);
      }
      if (rollback) this.rollbacks += 1;
      this.inPlace += 1;
    }
    component.methodBegan();
  }

  /** The method has ended, whether somebody waited for it or not. */
  leave(component: Member): void {
    component.methodEnded();
    if (component.captured === undefined) return;
    this.inPlace -= 1;
    if (this.isOver) this.giveBack();
  }

  hold(component: Member): void {
    this.holds = [...this.holds, component];
  }

  wait(waiter: Waiter): void {
    this.waits = [...this.waits, waiter];
  }

  waitEnded(waiter: Waiter): void {
    this.waits = this.waits.length === 1 ? NONE : this.waits.filter((other) => other !== waiter);
  }

  keepEntry(entry: OwnEntry): void {
    if (this.entries.length === 0) this.entries = [entry];
    else this.entries.push(entry);
  }

  keepAnswer(answer: KeptAnswer): void {
    if (this.answers.length === 0) this.answers = [answer];
    else this.answers.push(answer);
  }

  /** Whether a joined call is running now. */
  get isJoined(): boolean {
    return this.joined !== undefined && this.joined.size > 0;
  }

  /** A joined call begins. */
  join(strand: Strand): void {
    strand.isMixed = this.isMixed(strand);
    this.changedBy(strand);
    this.runs(strand);
  }

  /** A joined call runs, or what it did is being put back. */
  runs(strand: Strand): void {
    (this.joined ??= new Set()).add(strand);
  }

  joinedEnded(strand: Strand): void {
    this.joined?.delete(strand);
  }

  /** Whether what a joined call did cannot be told from what others did beside it, or still do. */
  isMixed(strand: Strand): boolean {
    if (strand.isMixed) return true;
    if (this.joined === undefined) return false;
    for (const other of this.joined) if (!strand.isWithin(other)) return true;
    return false;
  }

  /** A call changes something, or perhaps will: calls side by side with it cannot be taken back alone. */
  changedBy(strand: Strand): void {
    if (this.joined === undefined) return;
    for (const other of this.joined) if (!strand.isWithin(other)) other.isMixed = true;
  }

  /** The changes of a field, if there are any yet. */
  changesOf(field: Field): Overlay | undefined {
    const { fields } = this;
    for (let i = 0; i < fields.length; i += 1) if (fields[i] === field) return this.overlays[i];
    return undefined;
  }

  /** The changes of a field, to make more. */
  change(field: Field): Overlay {
    const known = this.changesOf(field);
    if (known !== undefined) return known;
    const overlay = field.overlay();
    this.fields = [...this.fields, field];
    this.overlays = [...this.overlays, overlay];
    return overlay;
  }

  /** The answer of a call of its own with that key. */
  answerOf(component: Member, key: string): KeptAnswer | undefined {
    return this.answers.find((kept) => kept.component === component && kept.key === key);
  }

  save(): Savepoint {
    const { fields, entries, answers, rollbacks } = this;
    const overlays = this.overlays.map((overlay) => overlay.copy());
    return { fields, overlays, entries: entries.length, answers: answers.length, rollbacks };
  }

  /** Takes back what was changed since. A savepoint is good for one time. */
  backTo(point: Savepoint): void {
    this.fields = point.fields;
    this.overlays = point.overlays;
    this.entries = this.entries.slice(0, point.entries);
    this.answers = this.answers.slice(0, point.answers);
    this.rollbacks = point.rollbacks;
  }

  /** Its changes by field, as they are journaled. */
  get changes(): readonly Change[] {
    const { fields, overlays } = this;
    let changes: readonly Change[] = NONE;
    for (let i = 0; i < fields.length; i += 1) {
      const op = overlays[i]!.op();
      const { component, name, kind } = fields[i]!;
      if (op !== undefined) changes = [...changes, [component.name, name, kind, op]];
    }
    return changes;
  }

  /** Makes its changes those of everybody. */
  publish(): void {
    for (const overlay of this.overlays) overlay.publish();
    this.isPublished = true;
  }

  /** Ends it: what it changed is gone, or published before. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.fields = NONE;
    this.overlays = NONE;
    for (const waiter of this.waits)
      waiter.refuse(
        new CheckpointUnavailableError(waiter.target, 'for the call around it has ended'),
      );
    this.giveBack();
  }

  /** State that is changed in place cannot be put back, nor given to the next, before the last method has ended. */
  private giveBack(): void {
    if (this.inPlace > 0 || this.isGivenBack) return;
    this.isGivenBack = true;
    if (this.images === undefined) return this.release();
    const images = this.isPublished ? [] : [...this.images];
    const waits = images.flatMap(([member, image]) => putBack(member, image) ?? []);
    if (waits.length === 0) this.release();
    else void Promise.all(waits).then(() => this.release());
  }

  private release(): void {
    if (this.images !== undefined)
      for (const { captured } of this.images.keys()) captured!.before = undefined;
    this.images = undefined;
    const { holds } = this;
    for (const component of holds) component.turns.release(this);
    this.holds = NONE;
  }
}
