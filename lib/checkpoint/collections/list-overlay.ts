import { type ListOp, type ListState, splice } from '../state/list-state.js';
import type { Stored, Values } from '../value/values.js';
import type { Overlay } from './overlay.js';

type Step = [start: number, gone: number, items: Stored[]];

/** A list as one call sees it: what is left of the published one, with changes in it, and a tail of its own. */
export class ListOverlay implements Overlay {
  private steps: Step[] = [];
  private from = 0;
  private upTo: number;
  private changed = new Map<number, Stored>();
  private tail: Stored[] = [];

  constructor(
    private readonly base: ListState,
    private readonly values: Values,
  ) {
    this.upTo = base.items.length;
  }

  get length(): number {
    return this.kept + this.tail.length;
  }

  /** @param index from 0 to below `length` */
  at(index: number): Stored {
    const { kept, from, changed } = this;
    if (index >= kept) return this.tail[index - kept];
    const place = from + index;
    return changed.has(place) ? changed.get(place) : this.base.items[place];
  }

  /** Replaces, takes out and puts in; within the length. */
  splice(start: number, gone: number, items: Stored[]): Stored[] {
    if (gone === 0 && items.length === 0) return [];
    const left = Array.from({ length: gone }, (_, i) => this.at(start + i));
    this.change(start, gone, items);
    this.note(start, gone, items);
    return left;
  }

  *[Symbol.iterator](): IterableIterator<Stored> {
    for (let i = 0; i < this.length; i += 1) yield this.at(i);
  }

  copy(): ListOverlay {
    const copy = new ListOverlay(this.base, this.values);
    copy.steps = this.steps.map(([start, gone, items]) => [start, gone, [...items]]);
    copy.from = this.from;
    copy.upTo = this.upTo;
    copy.changed = new Map(this.changed);
    copy.tail = [...this.tail];
    return copy;
  }

  op(): ListOp | undefined {
    if (this.steps.length === 0) return undefined;
    return this.steps.map(([start, gone, items]) => [
      start,
      gone,
      items.map((stored) => this.values.data(stored)),
    ]);
  }

  publish(): void {
    for (const [start, gone, items] of this.steps) splice(this.base.items, start, gone, items);
  }

  /** How many of the published items are left. */
  private get kept(): number {
    return this.upTo - this.from;
  }

  private change(start: number, gone: number, items: Stored[]): void {
    const { kept, tail } = this;
    if (start >= kept) splice(tail, start - kept, gone, items);
    else if (items.length === 0 && start === 0 && gone <= kept) this.from += gone;
    else if (items.length === 0 && start + gone === kept) this.dropEnd(gone);
    else if (items.length === gone && start + gone <= kept)
      for (const [i, item] of items.entries()) this.changed.set(this.from + start + i, item);
    else this.spread(start, gone, items);
  }

  private dropEnd(gone: number): void {
    this.upTo -= gone;
    // what comes to stand there is in the tail
    for (let i = 0; i < gone; i += 1) this.changed.delete(this.upTo + i);
  }

  /** In the middle: from here on the whole list is the tail. */
  private spread(start: number, gone: number, items: Stored[]): void {
    const all = [...this];
    this.from = 0;
    this.upTo = 0;
    this.changed.clear();
    this.tail = all;
    splice(all, start, gone, items);
  }

  private note(start: number, gone: number, items: Stored[]): void {
    const last = this.steps.at(-1);
    // many items pushed one by one are one step
    if (last !== undefined && gone === 0 && start === last[0] + last[2].length && last[1] === 0)
      for (const item of items) last[2].push(item);
    else this.steps.push([start, gone, [...items]]);
  }
}
