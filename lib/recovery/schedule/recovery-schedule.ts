import type { CancelTimer, Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { Backups } from '../backups/backups.js';
import type { CorruptionDesk } from '../recovery-manager.js';
import { RecoveryError } from '../recovery.error.js';

/** What is done by the clock. */
export interface ScheduleParts {
  readonly backups: Pick<Backups, 'createScheduled' | 'drill'>;
  readonly corruption: Pick<CorruptionDesk, 'check' | 'handle'>;
  /** A timer that keeps no process alive. */
  readonly schedule: Clock['schedule'];
  /** `false`: never. */
  readonly backupInterval: Milliseconds | false;
  readonly corruptionCheckInterval: Milliseconds | false;
  /** Whether what the check finds is mended where no call is lost by that. */
  readonly autoFix: boolean;
  /** Hears of what nobody else does. */
  readonly report: (error: unknown) => void;
}

const BY = 'schedule';

/** Looks after the state while nobody asks: backups, checks, drills. One does not wait for another. */
export class RecoverySchedule {
  private readonly cancels = new Map<string, CancelTimer>();
  private isStopped = false;

  constructor(private readonly parts: ScheduleParts) {}

  start(): void {
    const { backupInterval, corruptionCheckInterval } = this.parts;
    this.every('backup', backupInterval, () => this.parts.backups.createScheduled());
    this.every('check', corruptionCheckInterval, () => this.lookAtAll());
  }

  stop(): void {
    this.isStopped = true;
    for (const cancel of this.cancels.values()) cancel();
    this.cancels.clear();
  }

  private every(name: string, interval: Milliseconds | false, work: () => Promise<unknown>): void {
    if (interval === false || this.isStopped) return;
    const run = async (): Promise<void> => {
      try {
        await work();
      } catch (error) {
        // a recovery by hand goes before, and every failure of a step is an action
        if (!(error instanceof RecoveryError)) this.parts.report(error);
      }
      // from its end: a slow one is not begun twice
      this.every(name, interval, work);
    };
    this.cancels.set(
      name,
      this.parts.schedule(() => void run(), interval),
    );
  }

  private async lookAtAll(): Promise<void> {
    const { corruption, backups, autoFix } = this.parts;
    const { isCorrupted } = await corruption.check({ by: BY });
    if (isCorrupted && autoFix) await corruption.handle(false, { by: BY });
    if (!isCorrupted) await backups.drill({ by: BY });
  }
}
