import type { Milliseconds } from '../../kernel/duration.js';

/** What counts as coming back at regular intervals. */
export interface RecurrenceTerms {
  /** Intervals shorter than this are not looked at; half of it ends an episode. */
  readonly minimumPeriod: Milliseconds;
  /** Episodes that it takes. */
  readonly episodes: number;
  /** The most that the intervals may vary: standard deviation over mean. */
  readonly variation: number;
}

/** A regular interval that was found. */
export interface RecurrenceReading {
  readonly period: Milliseconds;
  /** Standard deviation over mean of the intervals. */
  readonly variation: number;
  /** The first of the episodes that were looked at. */
  readonly since: Milliseconds;
  /** Episodes seen, ever. */
  readonly episodes: number;
}

/** Quiet that is this much longer than usual between the errors of an episode begins another. */
const QUIET = 5;
/** Missing for this many periods, it does not come back any more. */
const MISSED = 2.5;
/** How many new gaps the usual gap within an episode follows. */
const MEMORY = 8;

/**
 * Tells whether errors of one kind come in episodes at regular intervals, as those of a scheduled
 * job do: the intervals between the beginnings of the last episodes vary little. Chance does not
 * look like that: the intervals of independent errors vary by as much as their mean.
 */
export class Recurrence {
  /** When the last episodes began, at most as many as it takes. */
  private begins: readonly Milliseconds[] = [];
  private seen = 0;
  private last: Milliseconds | undefined;
  /** The usual gap between errors of an episode: a mean that follows. */
  private within: Milliseconds = 0;

  constructor(private readonly terms: RecurrenceTerms) {}

  failed(now: Milliseconds): void {
    const { minimumPeriod, episodes } = this.terms;
    const gap = now - (this.last ?? Number.NEGATIVE_INFINITY);
    this.last = now;
    if (gap <= Math.max(minimumPeriod / 2, QUIET * this.within)) {
      this.within += (gap - this.within) / MEMORY;
      return;
    }
    this.seen += 1;
    // a new array each time: of thousands of kinds most come once, and a list that grows has room for 17
    this.begins = this.begins.slice(1 - episodes).concat(now);
  }

  get lastSeen(): Milliseconds {
    return this.last ?? Number.NEGATIVE_INFINITY;
  }

  /** @param slack what holds already may vary this many times as much */
  reading(now: Milliseconds, slack = 1): RecurrenceReading | undefined {
    const { begins, terms } = this;
    if (begins.length < terms.episodes) return undefined;
    const since = begins[0]!;
    const latest = begins.at(-1)!;
    const period = (latest - since) / (begins.length - 1);
    if (period < terms.minimumPeriod || now - latest > MISSED * period) return undefined;
    let squares = 0;
    for (let i = 1; i < begins.length; i += 1) {
      squares += (begins[i]! - begins[i - 1]! - period) ** 2;
    }
    const variation = Math.sqrt(squares / (begins.length - 1)) / period;
    return variation <= slack * terms.variation
      ? { period, variation, since, episodes: this.seen }
      : undefined;
  }
}
