import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { ignore } from '../../kernel/ignore.js';
import type { PredicateReport } from '../../kernel/matcher.js';
import { FALLBACK_CACHE_DEFAULTS, type FallbackCacheOptions } from './last-good.options.js';

/** A good answer and when it came, by the monotonic clock. */
interface Kept {
  readonly value: unknown;
  readonly at: Milliseconds;
}

/** A good answer given again. */
export interface Recalled {
  readonly value: unknown;
  /** Milliseconds since the method gave it. */
  readonly age: Milliseconds;
}

/** A longer key is better hashed: keys are held in memory, and arguments may come from outside. */
const MAX_KEY = 1_024;

/** Keeps the last good answer of each key for a while, and not too many of them. */
export class LastGood {
  /** In the order of their last use, which is when they were kept or given again. */
  private readonly kept = new Map<string, Kept>();
  private readonly ttl: Milliseconds;
  private readonly maxEntries: number;
  private readonly clone: boolean;
  private readonly key: (...args: unknown[]) => unknown;

  constructor(
    options: FallbackCacheOptions,
    private readonly clock: Clock,
    private readonly report: PredicateReport,
  ) {
    this.ttl = options.ttl;
    this.key = options.key;
    this.maxEntries = options.maxEntries ?? FALLBACK_CACHE_DEFAULTS.maxEntries;
    this.clone = options.clone ?? FALLBACK_CACHE_DEFAULTS.clone;
  }

  /** Answers held, those that are too old and not yet dropped included. */
  get size(): number {
    return this.kept.size;
  }

  /** The key of a call; undefined if it has none. Never throws. */
  keyOf(self: unknown, args: unknown[]): string | undefined {
    try {
      const key = this.key.apply(self, args);
      if (key === undefined) return undefined;
      if (typeof key !== 'string') {
        ignore(key);
        throw new TypeError(`got a ${typeof key}, expected a string`);
      }
      if (key.length <= MAX_KEY) return key;
      throw new RangeError(
        `got ${key.length} characters, expected at most ${MAX_KEY}; structuralKey(args) makes short keys`,
      );
    } catch (error) {
      this.report('cache.key', error);
      return undefined;
    }
  }

  keep(key: string, value: unknown): void {
    let mine = value;
    try {
      if (this.clone) mine = structuredClone(value);
    } catch (error) {
      this.report('cache.clone', error);
      return;
    }
    const at = this.clock.now();
    this.touch(key, { value: mine, at });
    for (const [oldest, { at: then }] of this.kept) {
      if (this.kept.size <= this.maxEntries && at - then < this.ttl) return;
      this.kept.delete(oldest);
    }
  }

  /** The last good answer for the key; undefined if there is none, or none young enough. */
  recall(key: string): Recalled | undefined {
    const kept = this.kept.get(key);
    if (kept === undefined) return undefined;
    const age = this.clock.now() - kept.at;
    if (age >= this.ttl) {
      this.kept.delete(key);
      return undefined;
    }
    this.touch(key, kept);
    return { value: this.clone ? structuredClone(kept.value) : kept.value, age };
  }

  private touch(key: string, kept: Kept): void {
    this.kept.delete(key);
    this.kept.set(key, kept);
  }
}
