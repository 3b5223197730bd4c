import { type DurableKey, MapState } from '../state/map-state.js';
import type { Values } from '../value/values.js';
import { DurableCollection } from './durable-collection.js';
import { checkKey } from './durable-map.js';
import { MapOverlay } from './map-overlay.js';

/**
 * A Set that outlives a crash: put it on a field with `@Durable()`. Its members are strings,
 * numbers, bigints or booleans.
 */
export class DurableSet<T extends DurableKey> extends DurableCollection<MapState, MapOverlay> {
  /** @internal */
  readonly kind = 'set';

  /** @param members what it holds until there is a checkpoint to take it from */
  constructor(members: Iterable<T> = []) {
    super((values) => new MapState(values, 'set'));
    this.addAll(members);
  }

  get size(): number {
    return this.seen()?.size ?? this.state.entries.size;
  }

  has(member: T): boolean {
    return this.seen()?.has(member) ?? this.state.entries.has(member);
  }

  /** @throws AttemptVoidError outside of a running `@Checkpoint` method of the component */
  add(member: T): this {
    const key = checkKey(member, () => this.path);
    this.change((overlay) => {
      if (!overlay.has(key)) overlay.set(key, true);
    });
    return this;
  }

  /** Adds each of the members. */
  addAll(members: Iterable<T>): this {
    for (const member of members) this.add(member);
    return this;
  }

  /** @returns whether the member was there */
  delete(member: T): boolean {
    return this.change((overlay) => overlay.delete(member));
  }

  /** @returns how many of the members were there */
  deleteAll(members: Iterable<T>): number {
    let count = 0;
    for (const member of members) if (this.delete(member)) count += 1;
    return count;
  }

  clear(): void {
    this.change((overlay) => overlay.clear());
  }

  *values(): SetIterator<T> {
    for (const [key] of this.walked()?.entries() ?? this.state.entries) yield key as T;
  }

  keys(): SetIterator<T> {
    return this.values();
  }

  *entries(): SetIterator<[T, T]> {
    for (const member of this.values()) yield [member, member];
  }

  [Symbol.iterator](): SetIterator<T> {
    return this.values();
  }

  forEach(visit: (member: T, again: T, set: this) => void): void {
    for (const member of this.values()) visit(member, member, this);
  }

  /** @internal */
  override overlay(): MapOverlay {
    return new MapOverlay(this.state, this.rules);
  }

  protected override moved(values: Values): MapState {
    const state = new MapState(values, 'set');
    for (const [key, stored] of this.state.entries) state.entries.set(key, stored);
    return state;
  }
}
