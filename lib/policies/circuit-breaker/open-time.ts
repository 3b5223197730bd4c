import type { Milliseconds } from '../../kernel/duration.js';
import { MAX_TIMER } from '../../kernel/duration.js';
import { ignore } from '../../kernel/ignore.js';
import type { PredicateReport } from '../../kernel/matcher.js';
import type { Random } from '../../kernel/random.js';
import {
  CIRCUIT_BREAKER_DEFAULTS as DEFAULTS,
  type CircuitBreakerOptions,
  type OpenFor,
} from './circuit-breaker.options.js';
import type { Trip } from './trip.js';

/** What a saved breaker is believed at most, where no `maxOpenFor` says it: it may have been asked to wait. */
const LONGEST_SAVED: Milliseconds = 60_000;

/** How long a breaker stays open: grown, spread, and cut. */
export class OpenTime {
  /** The open time of a first trip, where it is not asked of a function. */
  readonly base: Milliseconds;
  /** The longest time that growth leads to. */
  readonly longest: Milliseconds;
  /** How far away the next probe of a saved breaker may be. */
  readonly longestSaved: Milliseconds;
  readonly maxRetryAfter: Milliseconds;
  private readonly ask: OpenFor | undefined;
  private readonly max: Milliseconds | undefined;
  private readonly jitter: number;

  constructor({ openFor, maxOpenFor, openJitter, maxRetryAfter }: CircuitBreakerOptions) {
    this.ask = typeof openFor === 'function' ? openFor : undefined;
    this.base = typeof openFor === 'number' ? openFor : DEFAULTS.openFor;
    this.max = maxOpenFor;
    this.longest = maxOpenFor ?? Math.max(DEFAULTS.maxOpenFor, this.base);
    this.longestSaved = maxOpenFor ?? Math.max(LONGEST_SAVED, this.base);
    this.jitter = openJitter ?? DEFAULTS.openJitter;
    this.maxRetryAfter = maxRetryAfter ?? DEFAULTS.maxRetryAfter;
  }

  /** @param openings how often it opened since it was last closed, this time included */
  after(trip: Trip, openings: number, random: Random, report: PredicateReport): Milliseconds {
    const answer = this.answer(trip, openings, report);
    const max = answer === undefined ? this.longest : (this.max ?? Math.max(this.longest, answer));
    const time = answer ?? this.base * 2 ** (openings - 1);
    const spread = 1 + this.jitter * (2 * random() - 1);
    return Math.min(Math.max(1, Math.round(Math.min(time, max) * spread)), max);
  }

  private answer(trip: Trip, openings: number, report: PredicateReport): Milliseconds | undefined {
    if (this.ask === undefined) return undefined;
    try {
      const answer: unknown = this.ask({ ...trip, openings });
      if (typeof answer === 'number' && answer >= 1 && answer <= MAX_TIMER) return answer;
      ignore(answer);
      throw new RangeError(
        `openFor answered ${String(answer)}, expected a number of milliseconds from 1 to ${MAX_TIMER}`,
      );
    } catch (error) {
      report('openFor', error);
      return undefined;
    }
  }
}
