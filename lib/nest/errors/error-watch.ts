import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ErrorPatterns } from '../../errors/patterns/error-patterns.js';
import type { CallCounts } from '../../health/inputs.js';
import type { CancelTimer, Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { RecentCalls } from '../../pipeline/statistics/recent-calls.js';
import { systemClock } from '../../pipeline/system-clock.js';
import type { ApplicationRuntime } from '../application-runtime.js';
import { inBackground } from '../background.js';

/** How often the counters are looked at while there are errors. */
const INTERVAL: Milliseconds = 1_000;
/** Without an error for so long, and without a pattern that holds, nobody has to look. */
const QUIET: Milliseconds = 120_000;

/**
 * Looks at the counters of all targets every second while there are errors, for patterns among them,
 * and whenever somebody asks. Where nothing fails it has no timer, nor with the clock of a test, whose
 * timers are counted and run by the test.
 */
@Injectable()
export class ErrorWatch implements OnApplicationShutdown {
  private readonly calls = new RecentCalls();
  private failedAt: Milliseconds = 0;
  private cancel: CancelTimer | undefined;
  private over = false;

  constructor(
    private readonly runtime: ApplicationRuntime,
    private readonly patterns: ErrorPatterns,
    private readonly clock: Clock,
  ) {}

  onApplicationShutdown(): void {
    this.over = true;
    this.cancel?.();
  }

  /** An error was recorded. */
  failed(): void {
    this.failedAt = this.clock.now();
    if (this.cancel !== undefined || this.over || this.clock !== systemClock) return;
    this.look(); // what went well before is not to be mixed with what comes
    this.plan();
  }

  /** Of the last minute. */
  recent(): CallCounts {
    this.look();
    return this.calls.recent();
  }

  /** Tells of what has begun or ended, and of calls since the last look. */
  look(): void {
    const now = this.clock.now();
    this.calls.look(now, this.runtime.allTargets(), (target, attempts, failures) =>
      this.patterns.observe(target, attempts, failures, now),
    );
    this.patterns.tick(now);
  }

  private plan(): void {
    const again = (): void => {
      this.cancel = undefined;
      this.look();
      const quiet = this.clock.now() - this.failedAt > QUIET;
      if (!quiet || this.patterns.active().length > 0) this.plan();
    };
    this.cancel = inBackground(again, INTERVAL);
  }
}
