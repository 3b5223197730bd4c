import type { Milliseconds } from '../../kernel/duration.js';
import { ResilienceRejection } from '../../kernel/rejection.js';

/**
 * Our own time limit passed, or the `totalTimeout` of a retry. The work may still be running: it
 * was asked to stop by `currentCall().signal`, and its late result will be dropped.
 */
export class CallTimeoutError extends ResilienceRejection {
  /** The limit that passed. */
  readonly limit: Milliseconds;
  /** False if the method had not started: the call was still waiting in a bulkhead's queue. */
  readonly started: boolean;

  constructor(
    policy: 'time-limit' | 'retry',
    target: string,
    limit: Milliseconds,
    started: boolean,
    stack?: boolean,
  ) {
    super({
      message: `${target} ${started ? 'took' : 'waited in the queue for'} longer than ${limit} ms`,
      code: 'CALL_TIMEOUT',
      policy,
      target,
      status: 504,
      stack,
    });
    this.limit = limit;
    this.started = started;
  }
}
