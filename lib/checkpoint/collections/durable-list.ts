import { ListState } from '../state/list-state.js';
import type { Stored, Values } from '../value/values.js';
import type { DeepReadonly } from './deep-readonly.js';
import { DurableCollection } from './durable-collection.js';
import { ListOverlay } from './list-overlay.js';

/**
 * An array that outlives a crash: put it on a field with `@Durable()`. Items are kept as in a
 * `DurableMap`. Changes at either end and of single items cost what they change.
 */
export class DurableList<T> extends DurableCollection<ListState, ListOverlay> {
  /** @internal */
  readonly kind = 'list';

  /** @param items what it holds until there is a checkpoint to take it from */
  constructor(items: Iterable<T> = []) {
    super((values) => new ListState(values));
    for (const item of items) this.push(item);
  }

  get length(): number {
    return this.seen()?.length ?? this.state.items.length;
  }

  /** @param index from the end if negative */
  at(index: number): DeepReadonly<T> | undefined {
    const whole = toWhole(index);
    const place = whole < 0 ? this.length + whole : whole;
    if (place < 0 || place >= this.length) return undefined;
    const seen = this.seen();
    return this.out(seen === undefined ? this.state.items[place] : seen.at(place));
  }

  /**
   * Replaces an item.
   *
   * @throws RangeError if there is none at the index
   * @throws UnsupportedValueError for an item that would not come back from the disk as it went
   */
  set(index: number, item: T | DeepReadonly<T>): void {
    this.assertThere(index);
    const [stored] = this.taken([item], index);
    this.change((overlay) => overlay.splice(index, 1, [stored]));
  }

  /** Replaces an item by what `change` makes of it, and answers that. @throws RangeError if there is none */
  update(index: number, change: (item: DeepReadonly<T>) => T | DeepReadonly<T>): DeepReadonly<T> {
    this.assertThere(index);
    this.set(index, change(this.at(index) as DeepReadonly<T>));
    return this.at(index)!;
  }

  /** @returns the new length */
  push(...items: (T | DeepReadonly<T>)[]): number {
    const stored = this.taken(items, this.length);
    return this.change((overlay) => {
      overlay.splice(overlay.length, 0, stored);
      return overlay.length;
    });
  }

  pop(): DeepReadonly<T> | undefined {
    return this.splice(this.length - 1, 1)[0];
  }

  shift(): DeepReadonly<T> | undefined {
    return this.splice(0, 1)[0];
  }

  /** @returns the new length */
  unshift(...items: (T | DeepReadonly<T>)[]): number {
    this.splice(0, 0, ...items);
    return this.length;
  }

  /** As that of an array. @returns the items that left */
  splice(
    start: number,
    ...rest: [deleteCount?: number, ...items: (T | DeepReadonly<T>)[]]
  ): DeepReadonly<T>[] {
    const { length } = this;
    const from = placeOf(start, length);
    const [deleteCount = 0, ...items] = rest;
    // as in an array: to the end if it is not given at all, and none if it is undefined
    const gone = rest.length === 0 ? length - from : clamp(deleteCount, length - from);
    const stored = this.taken(items, from);
    const left = this.change((overlay) => overlay.splice(from, gone, stored));
    return left.map((item) => this.out(item));
  }

  clear(): void {
    this.splice(0);
  }

  /** The items, in an array of the caller's own. */
  slice(start?: number, end?: number): DeepReadonly<T>[] {
    const { length } = this;
    const from = placeOf(start ?? 0, length);
    const to = placeOf(end ?? length, length);
    const items: DeepReadonly<T>[] = [];
    for (let i = from; i < to; i += 1) items.push(this.at(i)!);
    return items;
  }

  *[Symbol.iterator](): ArrayIterator<DeepReadonly<T>> {
    for (const stored of this.walked() ?? this.state.items) yield this.out(stored);
  }

  values(): ArrayIterator<DeepReadonly<T>> {
    return this[Symbol.iterator]();
  }

  *entries(): ArrayIterator<[number, DeepReadonly<T>]> {
    let i = 0;
    for (const item of this) yield [i++, item];
  }

  forEach(visit: (item: DeepReadonly<T>, index: number, list: this) => void): void {
    for (const [i, item] of this.entries()) visit(item, i, this);
  }

  find(test: (item: DeepReadonly<T>, index: number) => boolean): DeepReadonly<T> | undefined {
    for (const [i, item] of this.entries()) if (test(item, i)) return item;
    return undefined;
  }

  /** @returns -1 if no item passes */
  findIndex(test: (item: DeepReadonly<T>, index: number) => boolean): number {
    for (const [i, item] of this.entries()) if (test(item, i)) return i;
    return -1;
  }

  some(test: (item: DeepReadonly<T>, index: number) => boolean): boolean {
    return this.findIndex(test) >= 0;
  }

  every(test: (item: DeepReadonly<T>, index: number) => boolean): boolean {
    return !this.some((item, index) => !test(item, index));
  }

  map<R>(change: (item: DeepReadonly<T>, index: number) => R): R[] {
    return this.slice().map(change);
  }

  filter(test: (item: DeepReadonly<T>, index: number) => boolean): DeepReadonly<T>[] {
    return this.slice().filter(test);
  }

  reduce<R>(combine: (sum: R, item: DeepReadonly<T>, index: number) => R, initial: R): R {
    return this.slice().reduce(combine, initial);
  }

  /** @internal */
  override overlay(): ListOverlay {
    return new ListOverlay(this.state, this.rules);
  }

  protected override moved(values: Values): ListState {
    const state = new ListState(values);
    for (const [i, stored] of this.state.items.entries())
      state.items.push(values.take(this.give(stored), () => `${this.path}[${i}]`));
    return state;
  }

  private assertThere(index: number): void {
    if (Number.isInteger(index) && index >= 0 && index < this.length) return;
    throw new RangeError(`${this.path}: no item at ${index}, its length is ${this.length}`);
  }

  private taken(items: readonly unknown[], from: number): Stored[] {
    return items.map((item, i) => this.take(item, () => `[${from + i}]`));
  }

  private out(stored: Stored): DeepReadonly<T> {
    return this.give(stored) as DeepReadonly<T>;
  }
}

const toWhole = (value: number): number => (Number.isNaN(value) ? 0 : Math.trunc(value));

const clamp = (value: number, max: number): number => Math.min(Math.max(toWhole(value), 0), max);

/** From the end if negative, as in the functions of an array. */
function placeOf(index: number, length: number): number {
  const whole = toWhole(index);
  return clamp(whole < 0 ? length + whole : whole, length);
}
