import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { ErrorPatterns } from '../../errors/patterns/error-patterns.js';
import type { CallCounts } from '../../health/inputs.js';
import type { CancelTimer, Clock } from '../../kernel/clock.js';
import { RecentCalls } from '../../pipeline/statistics/recent-calls.js';
import { systemClock } from '../../pipeline/system-clock.js';
import type { ApplicationRuntime } from '../application-runtime.js';
import { inBackground } from '../health/process-readings.js';

/** How often the counters are looked at. */
const INTERVAL = 1_000;

/** Looks at the counters of all targets every second, for what has become of the calls, and for patterns among errors. */
@Injectable()
export class ErrorWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly calls = new RecentCalls();
  private cancel: CancelTimer = () => {};

  constructor(
    private readonly runtime: ApplicationRuntime,
    private readonly patterns: ErrorPatterns,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.plan();
  }

  onApplicationShutdown(): void {
    this.cancel();
  }

  /** Of the last minute. */
  recent(): CallCounts {
    this.look();
    return this.calls.recent();
  }

  private plan(): void {
    const again = (): void => {
      this.look();
      this.plan();
    };
    this.cancel =
      this.clock === systemClock
        ? inBackground(again, INTERVAL)
        : this.clock.schedule(again, INTERVAL);
  }

  private look(): void {
    const now = this.clock.now();
    this.calls.look(now, this.runtime.allTargets(), (target, attempts, failures) =>
      this.patterns.observe(target, attempts, failures, now),
    );
    this.patterns.tick(now);
  }
}
