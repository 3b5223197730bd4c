import type { Milliseconds } from '../../kernel/duration.js';
import type { ErrorContext, ErrorFacts } from '../error-context.js';
import type { Clean } from '../record/clean.js';
import { DecayingRate } from './decaying-rate.js';
import { fingerprintOf, isSame } from './fingerprint.js';
import { MAX_NAME } from './shown.js';

/** An entry as it is kept. */
export interface Kept {
  readonly entry: ErrorContext;
  /** In the order in which they came. */
  readonly serial: number;
  readonly weight: number;
  readonly group: Group;
}

/** The errors of one kind. Times are by the monotonic clock. */
export class Group {
  count = 0;
  lastAt: Milliseconds;
  readonly rate = new DecayingRate();
  /** The first that came. */
  sample: Kept | undefined;
  /** The newest, without the first; the oldest of them first. */
  readonly recent: Kept[] = [];

  constructor(
    readonly fingerprint: string,
    readonly template: string,
    readonly firstAt: Milliseconds,
  ) {
    this.lastAt = firstAt;
  }

  add(now: Milliseconds): void {
    this.count += 1;
    this.lastAt = now;
    this.rate.add(now);
  }
}

/** The newest of its errors that is kept. */
export function newestOf(group: Group): Kept {
  return group.recent.at(-1) ?? group.sample!;
}

/** The groups of one component, the one not seen for longest first. */
export class Shelf {
  readonly groups = new Map<string, Group>();
  private newest: Group | undefined;

  /**
   * @param name of the component, cleaned
   * @param method what stands behind its last point, cleaned
   */
  constructor(
    readonly name: string,
    readonly method: string,
  ) {}

  /**
   * The group of an error, which is the one seen last from now on.
   *
   * @returns the fingerprint of the group if there is none
   */
  find(facts: ErrorFacts, common: () => string): Group | string {
    const { newest } = this;
    // in a storm it is mostly the same again
    if (newest !== undefined && isSame(newestOf(newest).entry.error, facts)) return newest;
    const fingerprint = fingerprintOf(facts, common(), this.name);
    if (newest?.fingerprint === fingerprint) return newest;
    const group = this.groups.get(fingerprint);
    if (group === undefined) return fingerprint;
    this.groups.delete(fingerprint);
    this.put(group);
    return group;
  }

  put(group: Group): void {
    this.groups.set(group.fingerprint, group);
    this.newest = group;
  }

  takeOldest(): Group {
    const [oldest] = this.groups.values();
    this.groups.delete(oldest!.fingerprint);
    if (this.newest === oldest) this.newest = undefined;
    return oldest!;
  }
}

/** All groups, by component; where room is needed, the component with the most makes it. */
export class Groups {
  private readonly shelves = new Map<string, Shelf>();
  private newest: Shelf | undefined;
  size = 0;

  constructor(private readonly clean: Clean) {}

  /** The shelf of a component, which is the one used last from now on. */
  shelf(name: string): Shelf {
    if (this.newest?.name === name) return this.newest;
    const shelf = this.shelves.get(name) ?? this.newShelf(name);
    this.shelves.delete(name);
    this.shelves.set(name, shelf);
    this.newest = shelf;
    return shelf;
  }

  add(shelf: Shelf, group: Group): void {
    shelf.put(group);
    this.size += 1;
  }

  /**
   * Takes away the group that was not seen for longest of the component that has the most: a
   * component with ever new errors drives out its own, not those of others.
   */
  takeOne(): Group {
    let fullest: Shelf | undefined;
    for (const shelf of this.shelves.values()) {
      if (fullest === undefined || shelf.groups.size > fullest.groups.size) fullest = shelf;
    }
    const group = fullest!.takeOldest();
    this.size -= 1;
    if (fullest!.groups.size === 0) this.forget(fullest!);
    return group;
  }

  *[Symbol.iterator](): Iterator<Group> {
    for (const shelf of this.shelves.values()) yield* shelf.groups.values();
  }

  clear(): void {
    this.shelves.clear();
    this.newest = undefined;
    this.size = 0;
  }

  /** Of a name that was cut the last point is none of its own. */
  private newShelf(name: string): Shelf {
    const method = name.slice(name.replace(/\.+$/, '').lastIndexOf('.') + 1);
    return new Shelf(name, this.clean(method, MAX_NAME));
  }

  private forget(shelf: Shelf): void {
    this.shelves.delete(shelf.name);
    if (this.newest === shelf) this.newest = undefined;
  }
}
