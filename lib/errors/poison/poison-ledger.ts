import type { Milliseconds } from '../../kernel/duration.js';

export const POISON_DEFAULTS = { limit: 3, window: 3_600_000, maxIds: 1_000 } as const;

export interface PoisonLedgerOptions {
  /** The failure that makes a message poison. From 1. Default 3. */
  readonly limit?: number;
  /** How long a failure is remembered, in milliseconds. From 1. Default 1 h. */
  readonly window?: Milliseconds;
  /** Messages remembered at once; the one that failed longest ago is forgotten first. From 1. Default 1,000. */
  readonly maxIds?: number;
}

/**
 * Remembers which messages keep failing: one that fails for the third time within an hour is bad
 * itself, and will fail whoever it is given to.
 */
export class PoisonLedger {
  /** When each message failed, at most `limit` times; in the order of their last failure. */
  private readonly failures = new Map<string, readonly Milliseconds[]>();
  private readonly limit: number;
  private readonly window: Milliseconds;
  private readonly maxIds: number;

  constructor(options: PoisonLedgerOptions = {}) {
    this.limit = options.limit ?? POISON_DEFAULTS.limit;
    this.window = options.window ?? POISON_DEFAULTS.window;
    this.maxIds = options.maxIds ?? POISON_DEFAULTS.maxIds;
  }

  /** Messages remembered. */
  get size(): number {
    return this.failures.size;
  }

  /**
   * A message has failed.
   *
   * @param now by a monotonic clock
   * @returns whether it has done so too often
   */
  failed(messageId: string, now: Milliseconds): boolean {
    const before = this.failures.get(messageId) ?? [];
    const recent = [...before.filter((at) => now - at <= this.window), now].slice(-this.limit);
    this.failures.delete(messageId); // so that it is set as the newest
    this.failures.set(messageId, recent);
    if (this.failures.size > this.maxIds) {
      const [oldest] = this.failures.keys();
      this.failures.delete(oldest!);
    }
    return recent.length === this.limit;
  }

  /** A message went through after all: what it failed of was something else. */
  succeeded(messageId: string): void {
    this.failures.delete(messageId);
  }
}
