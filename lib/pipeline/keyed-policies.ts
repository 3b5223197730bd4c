import type { Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { Named } from './lane.js';
import { structuralKey } from './structural-key.js';

/** How many keys are kept, and for how long. */
export interface KeyLimits {
  readonly maxKeys: number;
  /** Milliseconds after which a key that nobody used is forgotten. */
  readonly idleTtl: Milliseconds;
}

/** What is lost by forgetting a policy. */
export interface Forgetting<P> {
  /** Nothing: it goes first when room is needed. */
  isIdle(policy: P): boolean;
  /** Little enough, if it has to go for there is no idle one. */
  mayGo(policy: P): boolean;
  /** Little enough, if nobody used it for long. */
  mayExpire(policy: P): boolean;
}

/** A longer key is kept as its hash: a thousand long ones would be a lot of memory. */
const MAX_KEY = 200;

/** The key as it is kept. */
export function shortKey(key: string): string {
  return key.length > MAX_KEY ? structuralKey(key) : key;
}

/** So many keys are looked at for one new key: who sends keys that stay must not make the next one dear. */
const MAX_LOOKS = 100;

interface Entry<P> extends Named<P> {
  readonly key: string;
  usedAt: Milliseconds;
  /** Its neighbours in the order of use. */
  older: Entry<P> | undefined;
  newer: Entry<P> | undefined;
}

/**
 * One policy per key, bounded: keys often come from users.
 *
 * Least recently used first, but a policy that still has something to say (an open breaker, a
 * bulkhead with running calls) is passed over as long as there is an idle one to forget among the hundred that were used longest ago. A policy
 * that must not be forgotten at all stays beyond the limit, until it may go.
 */
export class KeyedPolicies<P> {
  private readonly entries = new Map<string, Entry<P>>();
  private oldest: Entry<P> | undefined;
  private newest: Entry<P> | undefined;
  /** Keys forgotten to make room, though their time was not over. */
  evicted = 0;

  /**
   * @param makePolicy a new policy for a key
   */
  constructor(
    readonly name: string,
    private limits: KeyLimits,
    private readonly clock: Clock,
    private readonly makePolicy: (key: string) => P,
    private readonly forget: Forgetting<P>,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  /** The policy of the key, made if need be; the key counts as used. */
  of(key: string): Named<P> {
    const now = this.clock.now();
    const known = this.entries.get(key);
    if (known === undefined) return this.make(key, now);
    known.usedAt = now;
    if (known !== this.newest) {
      this.unlink(known);
      this.link(known);
    }
    return known;
  }

  /** The policy of the key if there is one. Looking changes nothing. */
  peek(key: string): P | undefined {
    return this.entries.get(shortKey(key))?.policy;
  }

  /** Every key with its policy, the least recently used first. */
  list(): [key: string, policy: P][] {
    const all: [string, P][] = [];
    for (let entry = this.oldest; entry !== undefined; entry = entry.newer)
      all.push([entry.key, entry.policy]);
    return all;
  }

  /** Other limits from now on; too many keys go as new ones come. */
  limit(limits: KeyLimits): void {
    this.limits = limits;
  }

  private make(key: string, now: Milliseconds): Named<P> {
    this.forgetExpired(now);
    if (this.entries.size >= this.limits.maxKeys) this.makeRoom();
    const policy = this.makePolicy(key);
    const entry = { name: this.name, key, policy, usedAt: now, older: undefined, newer: undefined };
    this.entries.set(key, entry);
    this.link(entry);
    return entry;
  }

  private forgetExpired(now: Milliseconds): void {
    let entry = this.oldest;
    for (let looks = MAX_LOOKS; entry !== undefined && looks > 0; looks -= 1) {
      if (now - entry.usedAt < this.limits.idleTtl) return;
      const { newer } = entry;
      if (this.forget.mayExpire(entry.policy)) this.remove(entry);
      entry = newer;
    }
  }

  /** For one more key. More than one goes where there are too many already, by `limit` or because they might not go. */
  private makeRoom(): void {
    const { entries, forget, limits } = this;
    let last: Entry<P> | undefined;
    for (let looks = Math.min(entries.size, MAX_LOOKS); looks > 0; looks -= 1) {
      if (entries.size < limits.maxKeys) return;
      const entry = this.oldest!;
      if (forget.isIdle(entry.policy)) {
        this.remove(entry);
        this.evicted += 1;
        continue;
      }
      // it gets a second chance at the recent end
      this.unlink(entry);
      this.link(entry);
      if (last === undefined && forget.mayGo(entry.policy)) last = entry;
    }
    if (entries.size < limits.maxKeys || last === undefined) return;
    this.remove(last);
    this.evicted += 1;
  }

  private remove(entry: Entry<P>): void {
    this.entries.delete(entry.key);
    this.unlink(entry);
  }

  /** At the recent end. */
  private link(entry: Entry<P>): void {
    const { newest } = this;
    entry.older = newest;
    entry.newer = undefined;
    if (newest === undefined) this.oldest = entry;
    else newest.newer = entry;
    this.newest = entry;
  }

  private unlink(entry: Entry<P>): void {
    const { older, newer } = entry;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    // a call may hold it for ever, and is not to hold with it all that are forgotten later
    entry.older = undefined;
    entry.newer = undefined;
  }
}
