import type { Milliseconds } from '../kernel/duration.js';

type State =
  | { readonly kind: 'good' }
  | {
      readonly kind: 'bad';
      readonly hold: Milliseconds;
      /** When it was last seen bad. */
      readonly badAt: Milliseconds;
      /** When it was first seen good after that. */
      readonly goodSince?: Milliseconds;
    };

/** Falls are counted over this span. */
const WINDOW: Milliseconds = 60_000;
/** However often it falls, it comes back within this. */
const LONGEST_HOLD: Milliseconds = 60_000;
/** More falls than that make no hold longer, at any `recoverAfter` from a millisecond. */
const MAX_FALLS = 20;

/**
 * Keeps a yes-or-no from flapping. It gets worse at once: traffic that fails is worse than traffic
 * that waits. It gets better when it has been good for `recoverAfter` without a break, and twice as
 * long for each further fall within a minute, up to a minute.
 *
 * It sees what it is shown: between two looks it believes what the last one said. Who looks less
 * than once a minute is not made to look twice.
 */
export class Damping {
  private state: State = { kind: 'good' };
  private falls: Milliseconds[] = [];
  private readonly longest: Milliseconds;

  /** @param recoverAfter 0: never held */
  constructor(private readonly recoverAfter: Milliseconds) {
    this.longest = Math.max(LONGEST_HOLD, recoverAfter);
  }

  /** Takes in how it is, and answers how it is to be told. */
  look(isGood: boolean, now: Milliseconds): boolean {
    this.state = isGood ? this.good(this.state, now) : this.bad(this.state, now);
    return this.state.kind === 'good';
  }

  private good(state: State, now: Milliseconds): State {
    if (state.kind === 'good') return state;
    const { hold, badAt, goodSince = now } = state;
    const isOver = now - goodSince >= hold || now - badAt >= this.longest;
    return isOver ? { kind: 'good' } : { ...state, goodSince };
  }

  private bad(state: State, now: Milliseconds): State {
    if (state.kind === 'bad') return { kind: 'bad', hold: state.hold, badAt: now };
    this.falls = [...this.falls.filter((at) => now - at < WINDOW), now].slice(-MAX_FALLS);
    const hold = Math.min(this.longest, this.recoverAfter * 2 ** (this.falls.length - 1));
    return { kind: 'bad', hold, badAt: now };
  }
}
