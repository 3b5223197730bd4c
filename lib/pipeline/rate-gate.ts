import type { CancelTimer, Clock } from '../kernel/clock.js';
import type { RateLimitOptions } from '../policies/rate-limit/rate-limit.options.js';
import { RateLimit, type RateLimitSnapshot } from '../policies/rate-limit/rate-limit.js';

/** A rate limit with the one timer that calls whose turn has come. */
export class RateGate {
  private readonly limit: RateLimit;
  private cancelTurn: CancelTimer | undefined;

  constructor(
    options: RateLimitOptions,
    private readonly clock: Clock,
  ) {
    this.limit = new RateLimit(options);
  }

  /** 0: go; more: `join`, it may take that long; less: refused, come back after the opposite of it. */
  enter(): number {
    return this.limit.enter(this.clock.now());
  }

  /** Goes if that can be at once; if not, nothing has changed. */
  tryEnter(): boolean {
    return this.limit.tryEnter(this.clock.now());
  }

  /**
   * Waits in line; the answer leaves it.
   *
   * @param grant runs when the turn comes; must not throw
   */
  join(grant: () => void): () => void {
    const waiter = this.limit.join(grant);
    this.plan();
    return () => {
      this.limit.leave(waiter);
      this.plan();
    };
  }

  reconfigure(options: RateLimitOptions): void {
    this.limit.reconfigure(options, this.clock.now());
    this.plan();
  }

  reset(): void {
    this.limit.reset(this.clock.now());
    this.plan();
  }

  get isIdle(): boolean {
    return this.limit.isIdle(this.clock.now());
  }

  get hasWaiters(): boolean {
    return this.limit.nextTurn(this.clock.now()) !== undefined;
  }

  snapshot(): RateLimitSnapshot {
    return this.limit.snapshot(this.clock.now());
  }

  private plan(): void {
    this.cancelTurn?.();
    const wait = this.limit.nextTurn(this.clock.now());
    this.cancelTurn = wait === undefined ? undefined : this.clock.schedule(() => this.turn(), wait);
  }

  private turn(): void {
    this.limit.serve(this.clock.now());
    this.plan();
  }
}
