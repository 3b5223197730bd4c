import type { Clock } from '../../../kernel/clock.js';
import type { Milliseconds } from '../../../kernel/duration.js';

interface Failures {
  count: number;
  readonly since: Milliseconds;
}

/** Failures that one address has for nothing in a window. */
const FREE = 6;
const WINDOW: Milliseconds = 60_000;
const MAX_ADDRESSES = 10_000;

/** Counts wrong credentials by the address of the socket, in bounded memory. What headers say of addresses is anybody's. */
export class FailureLimiter {
  private readonly failures = new Map<string, Failures>();

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  get size(): number {
    return this.failures.size;
  }

  /** Milliseconds for which that address is to be told nothing else; undefined if it may try. */
  blocked(address: string): Milliseconds | undefined {
    const known = this.failures.get(address);
    if (known === undefined) return undefined;
    const left = known.since + WINDOW - this.clock.now();
    if (left <= 0) {
      this.failures.delete(address);
      return undefined;
    }
    return known.count >= FREE ? left : undefined;
  }

  failed(address: string): void {
    if (this.blocked(address) !== undefined) return;
    const known = this.failures.get(address);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    if (this.failures.size >= MAX_ADDRESSES) {
      const [oldest] = this.failures.keys(); // they all have windows of one length
      this.failures.delete(oldest!);
    }
    this.failures.set(address, { count: 1, since: this.clock.now() });
  }
}
