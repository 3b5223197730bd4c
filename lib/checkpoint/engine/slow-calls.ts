import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { Keeping } from '../transaction/keeping.js';

/** A call that has its component for longer is told of. Milliseconds. */
const SLOW = 50;

/**
 * Tells of calls that keep others waiting: while they run, for one that hangs never ends, and again
 * at their end if they took much longer. One timer for all calls, and none while nothing runs for long.
 */
export class SlowCalls {
  private cancel: (() => void) | undefined;
  private isStopped = false;
  /** The timer is nobody's call: who hears of it must not find somebody's async context. */
  private readonly aside = new AsyncResource('bulwark:slow-calls');

  constructor(
    private readonly clock: Clock,
    private readonly running: readonly Keeping[],
    private readonly tell: (target: string, duration: Milliseconds) => void,
  ) {}

  began(): void {
    if (this.cancel !== undefined || this.isStopped) return;
    const look = (): void => this.look();
    this.cancel = this.aside.runInAsyncScope(() => this.clock.schedule(look, SLOW + 1));
  }

  ended(call: Keeping, duration: Milliseconds): void {
    if (duration > (call.isToldOf ? 2 * SLOW : SLOW)) this.tell(call.target, duration);
  }

  stop(): void {
    this.isStopped = true;
    this.cancel?.();
  }

  private look(): void {
    this.cancel = undefined;
    let more = false;
    for (const call of [...this.running]) {
      const duration = this.clock.now() - call.beganAt;
      if (call.isJoined || call.isToldOf) continue;
      if (duration <= SLOW) more = true;
      else {
        call.isToldOf = true;
        this.tell(call.target, duration);
      }
    }
    if (more) this.began();
  }
}
