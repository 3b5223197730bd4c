import type { Values, Stored } from '../value/values.js';
import type { DurableKey, MapOp, MapState } from '../state/map-state.js';
import { Few } from './few.js';
import type { Overlay } from './overlay.js';

/** A key that was set; `added` if it stands at the end of the map now. Undefined where it left. */
interface Change {
  readonly stored: Stored;
  readonly added: boolean;
}

/** A map as one call sees it: the published one under its own changes. */
export class MapOverlay implements Overlay {
  size: number;
  private cleared = false;
  /** In the order in which the added ones came. */
  private changes = new Few<DurableKey, Change | undefined>();

  constructor(
    private readonly base: MapState,
    private readonly values: Values,
  ) {
    this.size = base.entries.size;
  }

  has(key: DurableKey): boolean {
    const { changes } = this;
    return changes.has(key) ? changes.get(key) !== undefined : this.inBase(key);
  }

  get(key: DurableKey): Stored {
    const { changes } = this;
    if (changes.has(key)) return changes.get(key)?.stored;
    return this.cleared ? undefined : this.base.entries.get(key);
  }

  set(key: DurableKey, stored: Stored): void {
    const { changes } = this;
    const before = changes.get(key);
    if (before !== undefined) {
      changes.set(key, { stored, added: before.added });
      return;
    }
    const added = changes.has(key) || !this.inBase(key);
    // a key that left and comes again goes to the end, as in a Map
    changes.delete(key);
    changes.set(key, { stored, added });
    if (added) this.size += 1;
  }

  delete(key: DurableKey): boolean {
    if (!this.has(key)) return false;
    this.size -= 1;
    if (this.inBase(key)) this.changes.set(key, undefined);
    else this.changes.delete(key);
    return true;
  }

  clear(): void {
    this.cleared = true;
    this.changes.clear();
    this.size = 0;
  }

  *entries(): IterableIterator<[DurableKey, Stored]> {
    const { changes } = this;
    if (!this.cleared) {
      for (const [key, stored] of this.base.entries) {
        const change = changes.get(key);
        if (change === undefined && !changes.has(key)) yield [key, stored];
        else if (change?.added === false) yield [key, change.stored];
        if (this.cleared) break; // meanwhile, by whoever takes the entries
      }
    }
    for (const [key, change] of changes.all) if (change?.added === true) yield [key, change.stored];
  }

  copy(): MapOverlay {
    const copy = new MapOverlay(this.base, this.values);
    copy.size = this.size;
    copy.cleared = this.cleared;
    copy.changes = this.changes.copy();
    return copy;
  }

  op(): MapOp | undefined {
    if (!this.cleared && this.changes.size === 0) return undefined;
    const gone: DurableKey[] = [];
    const set: [DurableKey, unknown][] = [];
    const added: [DurableKey, unknown][] = [];
    this.changes.forEach((change, key) => {
      if (change === undefined) gone.push(key);
      else (change.added ? added : set).push([key, this.values.data(change.stored)]);
    });
    return [this.cleared, gone, set, added];
  }

  publish(): void {
    const { entries } = this.base;
    if (this.cleared) entries.clear();
    this.changes.forEach((change, key) => {
      if (change?.added !== false) entries.delete(key);
      if (change !== undefined) entries.set(key, change.stored);
    });
  }

  private inBase(key: DurableKey): boolean {
    return !this.cleared && this.base.entries.has(key);
  }
}
