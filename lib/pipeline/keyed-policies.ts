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
  /** Keys forgotten to make room, though their time was not over. */
  evicted = 0;

  /**
   * @param make a new policy for a key
   */
  constructor(
    readonly name: string,
    private limits: KeyLimits,
    private readonly clock: Clock,
    private readonly make: (key: string) => P,
    private readonly forget: Forgetting<P>,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  /** The policy of the key, made if need be; the key counts as used. */
  of(key: string): Named<P> {
    const now = this.clock.now();
    let entry = this.entries.get(key);
    if (entry === undefined) {
      this.forgetExpired(now);
      if (this.entries.size >= this.limits.maxKeys) this.makeRoom();
      entry = { name: this.name, key, policy: this.make(key), usedAt: now };
    } else {
      entry.usedAt = now;
      this.entries.delete(key);
    }
    this.entries.set(key, entry); // at the recent end
    return entry;
  }

  /** The policy of the key if there is one. Looking changes nothing. */
  peek(key: string): P | undefined {
    return this.entries.get(shortKey(key))?.policy;
  }

  /** Every key with its policy, the least recently used first. */
  *list(): IterableIterator<[string, P]> {
    for (const [key, { policy }] of this.entries) yield [key, policy];
  }

  /** Other limits from now on; too many keys go as new ones come. */
  limit(limits: KeyLimits): void {
    this.limits = limits;
  }

  private forgetExpired(now: Milliseconds): void {
    let looks = MAX_LOOKS;
    for (const [key, { policy, usedAt }] of this.entries) {
      if (now - usedAt < this.limits.idleTtl || looks === 0) return;
      if (this.forget.mayExpire(policy)) this.entries.delete(key);
      looks -= 1;
    }
  }

  /** For one more key. More than one goes where there are too many already, by `limit` or because they might not go. */
  private makeRoom(): void {
    const { entries, forget, limits } = this;
    let last: string | undefined;
    for (let looks = Math.min(entries.size, MAX_LOOKS); looks > 0; looks -= 1) {
      if (entries.size < limits.maxKeys) return;
      const [key, entry] = entries.entries().next().value!;
      entries.delete(key);
      if (forget.isIdle(entry.policy)) {
        this.evicted += 1;
        continue;
      }
      // it gets a second chance at the recent end
      entries.set(key, entry);
      if (last === undefined && forget.mayGo(entry.policy)) last = key;
    }
    if (entries.size < limits.maxKeys || last === undefined) return;
    entries.delete(last);
    this.evicted += 1;
  }
}
