import type { Milliseconds } from '../../kernel/duration.js';
import { type Waiter, WaitingLine } from '../../kernel/waiting-line.js';
import { RATE_LIMIT_DEFAULTS as DEFAULTS, type RateLimitOptions } from './rate-limit.options.js';

/** A rate limit seen from outside at one moment. */
export interface RateLimitSnapshot {
  /** Calls that would start at once if they came now. */
  readonly available: number;
  /** Calls that wait for their turn. */
  readonly waiting: number;
  readonly limit: number;
  readonly per: Milliseconds;
  readonly burst: number;
  readonly maxWait: Milliseconds;
  /** Calls let through, at once or after waiting. */
  readonly admitted: number;
  /** Those of them that waited. */
  readonly waited: number;
  /** Calls refused. They were not charged. */
  readonly refused: number;
  /** 1, and one more with each `reconfigure`. */
  readonly version: number;
}

/**
 * In any span of time t at most `burst + t × limit / per` calls start, counted when they really
 * start: also if timers fire late, the machine slept, or waiters left.
 *
 * The generic cell rate algorithm (ITU-T I.371), the token bucket without a timer: a call is early
 * if it comes before the one `burst` places ahead of it has been paid for. Each call costs
 * `per / limit`, which few machine numbers hold; so nothing is summed up: the calls since a fixed
 * moment are counted and compared with the time since then, both times `limit`. No error grows
 * with the number of calls.
 *
 * Nobody is charged before the call starts: a waiter holds a place in the line and not a moment in
 * time, so that whoever leaves takes nothing along and all behind move up.
 *
 * Readings of the clock are handed in, and must not go back.
 */
export class RateLimit {
  private limit = 0;
  private per: Milliseconds = 0;
  private burst = 0;
  private maxWait: Milliseconds = 0;
  /** When the present debt began; after a change of the options, when what was owed then is paid. */
  private since: Milliseconds = Number.NEGATIVE_INFINITY;
  /** Calls that started since then. */
  private started = 0;
  private readonly line = new WaitingLine();
  private waiting = 0;
  private admitted = 0;
  private waited = 0;
  private refused = 0;
  private revision = 1;

  /** @param options checked */
  constructor(options: RateLimitOptions) {
    this.configure(options);
  }

  /** 1, and one more with each `reconfigure`. */
  get version(): number {
    return this.revision;
  }

  /**
   * Asks for one call.
   *
   * @returns 0: it may start, and is charged. More than 0: it may wait, about that many whole
   * milliseconds; `join` in the same step. Less than 0: refused, not charged; come back after the
   * opposite of that many whole milliseconds to start at once, if nobody else came before.
   */
  enter(now: Milliseconds): number {
    if (this.tryEnter(now)) return 0;
    const wait = this.waitFor(this.waiting, now);
    // who waits goes first, even if its timer is late; what rounding adds is no reason to refuse
    if (this.wholeWait(this.waiting, now) <= this.maxWait) return Math.max(1, wait);
    this.refused += 1;
    return -wait;
  }

  /** Lets a call start, and charges it, if that can be at once; if not, nothing has changed. */
  tryEnter(now: Milliseconds): boolean {
    this.forget(now);
    if (this.waiting > 0 || this.shortage(0, now) > 0) return false;
    this.start();
    return true;
  }

  /**
   * Waits in line, after `enter` allowed it. From then on the call is not refused any more. Turns
   * come by `serve`: whenever the line was empty before, see to it by `nextTurn`.
   *
   * @param grant runs when the turn comes; must not throw
   */
  join(grant: () => void): Waiter {
    this.waiting += 1;
    return this.line.join(grant);
  }

  /** Leaves the line: all behind move up. Does nothing after the turn came. */
  leave(waiter: Waiter): void {
    if (waiter.unlink()) this.waiting -= 1;
  }

  /** Whole milliseconds until `serve` has something to do; undefined if nobody waits. */
  nextTurn(now: Milliseconds): Milliseconds | undefined {
    return this.waiting === 0 ? undefined : Math.max(0, this.waitFor(0, now));
  }

  /** Grants, in order, all whose turn has come. To be followed by the next `nextTurn`. */
  serve(now: Milliseconds): void {
    this.forget(now);
    while (this.waiting > 0 && this.shortage(0, now) <= 0) {
      const { first } = this.line;
      first!.unlink();
      this.waiting -= 1;
      this.waited += 1;
      this.start();
      first!.grant();
    }
  }

  /**
   * Changes the options; one that is not given returns to its default. Calls that were made stay
   * charged as calls, at most as many as the new burst. Who waits stays, also where a newcomer would
   * now be refused, and those whose turn came by the change are granted. `nextTurn` has changed.
   *
   * @param options checked
   */
  reconfigure(options: RateLimitOptions, now: Milliseconds): void {
    this.forget(now);
    const debt = this.started - ((now - this.since) * this.limit) / this.per;
    this.configure(options);
    this.started = 0;
    this.since = now + (Math.min(debt, this.burst) * this.per) / this.limit;
    this.revision += 1;
    this.serve(now);
  }

  /** Forgets what was charged: the whole burst is free again, and who waits goes first. */
  reset(now: Milliseconds): void {
    this.started = 0;
    this.since = now;
    this.serve(now);
  }

  /** Whether it is as good as new: it may be forgotten, and nobody gets a call too many by that. */
  isIdle(now: Milliseconds): boolean {
    return this.waiting === 0 && this.isPaid(now);
  }

  snapshot(now: Milliseconds): RateLimitSnapshot {
    const { waiting, limit, per, burst, maxWait, admitted, waited, refused, version } = this;
    const free = waiting > 0 ? 0 : Math.floor(-this.shortage(-1, now) / per);
    return {
      available: Math.min(burst, Math.max(0, free)),
      waiting,
      limit,
      per,
      burst,
      maxWait,
      admitted,
      waited,
      refused,
      version,
    };
  }

  private configure(options: RateLimitOptions): void {
    this.limit = options.limit;
    this.per = options.per ?? DEFAULTS.per;
    this.burst = options.burst ?? options.limit;
    this.maxWait = options.maxWait ?? DEFAULTS.maxWait;
  }

  private start(): void {
    this.started += 1;
    this.admitted += 1;
  }

  /** Time beyond the debt earns nothing: after a night's rest there is one burst, not a night's calls. */
  private forget(now: Milliseconds): void {
    if (!this.isPaid(now)) return;
    this.since = now;
    this.started = 0;
  }

  private isPaid(now: Milliseconds): boolean {
    return this.started * this.per <= (now - this.since) * this.limit;
  }

  /** The time, in milliseconds × limit, until a call with `ahead` calls before it may start; 0 or less: now. */
  private shortage(ahead: number, now: Milliseconds): number {
    return (this.started + ahead + 1 - this.burst) * this.per - (now - this.since) * this.limit;
  }

  /** The same in whole milliseconds: never early, by the reckoning of `enter` at that time. */
  private waitFor(ahead: number, now: Milliseconds): Milliseconds {
    const wait = this.wholeWait(ahead, now);
    return this.shortage(ahead, now + wait) > 0 ? wait + 1 : wait;
  }

  private wholeWait(ahead: number, now: Milliseconds): Milliseconds {
    return Math.ceil(this.shortage(ahead, now) / this.limit);
  }
}
