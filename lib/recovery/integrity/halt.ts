import type { Clock } from '../../kernel/clock.js';
import type { Milliseconds } from '../../kernel/duration.js';
import { RecoveryError } from '../recovery.error.js';

/** The end of a run before its end: by its deadline, or because nobody wants it any more. */
export class Halt {
  /** Undefined as long as it may go on. */
  reason: RecoveryError | undefined;
  private readonly controller = new AbortController();
  private readonly deadline: Milliseconds;
  private readonly stopTimer: () => void;
  private check = '';
  /** One wait at a time: a race against one long promise would keep every wait of the run. */
  private giveUp: (error: RecoveryError) => void = () => {};

  constructor(
    private readonly run: {
      readonly signal?: AbortSignal;
      readonly timeout: Milliseconds;
      readonly clock: Clock;
    },
  ) {
    const { signal, timeout, clock } = run;
    this.deadline = clock.now() + timeout;
    this.stopTimer = clock.schedule(this.late, timeout);
    if (signal?.aborted === true) this.left();
    else signal?.addEventListener('abort', this.left);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The check that runs from now on. @throws RecoveryError if it may not */
  enter(check: string): void {
    if (this.reason !== undefined) throw this.reason;
    this.check = check;
  }

  /** What comes, unless the halt comes first. @throws RecoveryError */
  async until<T>(coming: T): Promise<Awaited<T>> {
    const given = Promise.resolve(coming);
    try {
      return await new Promise<Awaited<T>>((resolve, reject) => {
        this.giveUp = reject;
        if (this.reason !== undefined) reject(this.reason);
        given.then(resolve, reject);
      });
    } finally {
      this.giveUp = () => {};
    }
  }

  close(): void {
    this.stopTimer();
    this.run.signal?.removeEventListener('abort', this.left);
    this.controller.abort(this.reason ?? new Error('the checks are over'));
  }

  /** A timer is late where a check has blocked the event loop. */
  look(): void {
    if (this.run.clock.now() >= this.deadline) this.late();
  }

  private readonly late = (): void => this.halt(`took longer than ${this.run.timeout} ms`);

  private readonly left = (): void => this.halt('was ended by whoever asked for it');

  private halt(why: string): void {
    if (this.reason !== undefined) return;
    const at = this.check === '' ? '' : `, at ${JSON.stringify(this.check)}`;
    this.reason = new RecoveryError('RECOVERY_ABORTED', `the check for corruption ${why}${at}`);
    this.controller.abort(this.reason);
    this.giveUp(this.reason);
  }
}
