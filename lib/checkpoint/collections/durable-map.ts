import { show } from '../../kernel/check.js';
import { type DurableKey, MapState } from '../state/map-state.js';
import { UnsupportedValueError } from '../value/unsupported-value.error.js';
import type { Stored, Values } from '../value/values.js';
import type { DeepReadonly } from './deep-readonly.js';
import { DurableCollection } from './durable-collection.js';
import { MapOverlay } from './map-overlay.js';

/**
 * A Map that outlives a crash: put it on a field with `@Durable()`.
 *
 * Keys are strings, numbers, bigints or booleans. A value is frozen to its depth when it is set, or
 * copied in and out where it cannot be frozen (a Date, a Map, a Set, bytes, an instance of a
 * registered class); to change one, `set` another, or `update` it.
 */
export class DurableMap<K extends DurableKey, V> extends DurableCollection<MapState, MapOverlay> {
  /** @internal */
  readonly kind = 'map';

  /** @param entries what it holds until there is a checkpoint to take it from */
  constructor(entries: Iterable<readonly [K, V]> = []) {
    super((values) => new MapState(values));
    this.setAll(entries);
  }

  get size(): number {
    return this.seen()?.size ?? this.state.entries.size;
  }

  has(key: K): boolean {
    return this.seen()?.has(key) ?? this.state.entries.has(key);
  }

  get(key: K): DeepReadonly<V> | undefined {
    const seen = this.seen();
    return this.out(seen === undefined ? this.state.entries.get(key) : seen.get(key));
  }

  /**
   * @throws UnsupportedValueError for a value that would not come back from the disk as it went
   * @throws AttemptVoidError outside of a running `@Checkpoint` method of the component
   */
  set(key: K, value: V | DeepReadonly<V>): this {
    const place = this.key(key);
    const stored = this.take(value, () => `[${show(key)}]`);
    this.change((overlay) => overlay.set(place, stored));
    return this;
  }

  /** Sets what `change` makes of the present value, and answers it. */
  update(
    key: K,
    change: (value: DeepReadonly<V> | undefined) => V | DeepReadonly<V>,
  ): DeepReadonly<V> {
    this.set(key, change(this.get(key)));
    return this.get(key)!;
  }

  /** Sets each of the entries. */
  setAll(entries: Iterable<readonly [K, V | DeepReadonly<V>]>): this {
    for (const [key, value] of entries) this.set(key, value);
    return this;
  }

  /** @returns whether the key was there */
  delete(key: K): boolean {
    return this.change((overlay) => overlay.delete(key));
  }

  /** @returns how many of the keys were there */
  deleteAll(keys: Iterable<K>): number {
    let count = 0;
    for (const key of keys) if (this.delete(key)) count += 1;
    return count;
  }

  clear(): void {
    this.change((overlay) => overlay.clear());
  }

  *keys(): MapIterator<K> {
    for (const [key] of this.raw()) yield key as K;
  }

  *values(): MapIterator<DeepReadonly<V>> {
    for (const [, stored] of this.raw()) yield this.out(stored)!;
  }

  *entries(): MapIterator<[K, DeepReadonly<V>]> {
    for (const [key, stored] of this.raw()) yield [key as K, this.out(stored)!];
  }

  [Symbol.iterator](): MapIterator<[K, DeepReadonly<V>]> {
    return this.entries();
  }

  forEach(visit: (value: DeepReadonly<V>, key: K, map: this) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }

  /** @internal */
  override overlay(): MapOverlay {
    return new MapOverlay(this.state, this.rules);
  }

  protected override moved(values: Values): MapState {
    const state = new MapState(values);
    for (const [key, stored] of this.state.entries)
      state.entries.set(
        key,
        values.take(this.give(stored), () => `${this.path}[${show(key)}]`),
      );
    return state;
  }

  private raw(): Iterable<[DurableKey, Stored]> {
    return this.walked()?.entries() ?? this.state.entries;
  }

  private out(stored: Stored): DeepReadonly<V> | undefined {
    return this.give(stored) as DeepReadonly<V> | undefined;
  }

  private key(key: K): DurableKey {
    return checkKey(key, () => this.path);
  }
}

/** Only what is equal after a restart too can be found again. */
export function checkKey(key: unknown, path: () => string): DurableKey {
  const isObject = typeof key === 'object' && key !== null;
  if (isObject || typeof key === 'function' || typeof key === 'symbol') {
    const problem = `got ${show(key)}, expected a string, number, bigint or boolean`;
    throw new UnsupportedValueError(`${path()} key`, problem);
  }
  return key as DurableKey;
}
