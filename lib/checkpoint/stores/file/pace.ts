import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../../kernel/clock.js';
import type { Milliseconds } from '../../../kernel/duration.js';

/** How much of what was measured before still counts. */
const MEMORY = 7 / 8;
/**
 * So much longer than the callers may the disk take. Beyond, two batches gain little where it takes them side by side,
 * and lose where it takes one after the other.
 */
const PATIENCE = 1.5;

/**
 * Says how many batches of a journal are best under way at once. With one, disk and callers wait for each other: a round
 * takes the time of the disk and that of all callers until they have their next entries. With two, one half of
 * the callers goes on while the batch of the other half is on its way.
 */
export class Pace {
  /** How many batches may be under way at once; one where no time of the disk has been told. */
  lanes: 1 | 2 = 1;
  /** How many entries of a batch are one half of the callers'; Infinity where they stay together. */
  share = Infinity;
  private disk: Milliseconds | undefined = undefined;
  private spent: Milliseconds = 0;
  private told = 0;

  constructor(private readonly clock: Clock) {}

  /** A batch took so long to the disk. */
  wrote(duration: Milliseconds): void {
    this.disk = (this.disk ?? duration) * MEMORY + duration * (1 - MEMORY);
  }

  /** Resolves when so many who are being told have gone on. */
  async back(count: number): Promise<void> {
    const since = this.clock.now();
    await turn();
    this.spent = this.spent * MEMORY + (this.clock.now() - since);
    this.told = this.told * MEMORY + count;
  }

  /** @param callers how many wait for their entries, or are just being told */
  choose(callers: number): this {
    const theirs = this.told === 0 ? 0 : (this.spent / this.told) * callers;
    this.lanes = callers > 1 && (this.disk ?? Infinity) < PATIENCE * theirs ? 2 : 1;
    this.share = this.lanes === 1 ? Infinity : Math.ceil(callers / 2);
    return this;
  }
}
