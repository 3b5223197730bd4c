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
  private readonly running = new Map<string, Promise<void>>();
  private readonly ending = new AbortController();

  constructor(private readonly parts: ScheduleParts) {}

  start(): void {
    const { backupInterval, corruptionCheckInterval } = this.parts;
    this.every('backup', backupInterval, () => this.parts.backups.createScheduled());
    this.every('check', corruptionCheckInterval, () => this.lookAtAll());
  }

  /** Begins nothing any more; resolves when what runs has ended, which a check does at once. */
  async stop(): Promise<void> {
    this.ending.abort(new Error('the application ends'));
    for (const cancel of this.cancels.values()) cancel();
    await Promise.all(this.running.values());
  }

  private every(name: string, interval: Milliseconds | false, work: () => Promise<unknown>): void {
    if (interval === false || this.ending.signal.aborted) return;
    const again = (): void => {
      this.every(name, interval, work);
      // a slow one is not begun twice
      if (!this.running.has(name)) this.running.set(name, this.run(name, work));
    };
    this.cancels.set(name, this.parts.schedule(again, interval));
  }

  private async run(name: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // a recovery by hand goes before, and every failure of a step is an action
      if (!(error instanceof RecoveryError)) this.parts.report(error);
    } finally {
      this.running.delete(name);
    }
  }

  private async lookAtAll(): Promise<void> {
    const { corruption, backups, autoFix } = this.parts;
    const { signal } = this.ending;
    const { isCorrupted } = await corruption.check({ by: BY, signal });
    if (isCorrupted && autoFix) await corruption.handle(false, { by: BY });
    if (!isCorrupted) await backups.drill({ by: BY, signal });
  }
}
