import type { Milliseconds } from '../../kernel/duration.js';
import { ResilienceRejection } from '../../kernel/rejection.js';

/** What else is known of a timeout. */
export interface TimeoutFacts {
  /** Default false. */
  readonly blocked?: boolean;
  /** Default false. */
  readonly idle?: boolean;
  /** Default false. */
  readonly inherited?: boolean;
}

/**
 * Our own time limit passed, or the `totalTimeout` of a retry. The work may still be running: it
 * was asked to stop by `currentCall().signal`, and its late result will be dropped.
 */
export class CallTimeoutError extends ResilienceRejection {
  /** The limit that passed. */
  readonly limit: Milliseconds;
  /** False if the method had not started: the call was still waiting in a bulkhead's queue. */
  readonly started: boolean;
  /** True if our own event loop was blocked, so that the timer fired late: no fault of the dependency. */
  readonly blocked: boolean;
  /** True if `limit` is `idle`: a stream had begun, and sent nothing for so long. */
  readonly idle: boolean;
  /** True if it was the deadline of a call further out, by `propagateDeadline`. */
  readonly inherited: boolean;

  constructor(
    policy: 'time-limit' | 'retry',
    target: string,
    limit: Milliseconds,
    started: boolean,
    stack?: boolean,
    { blocked = false, idle = false, inherited = false }: TimeoutFacts = {},
  ) {
    const took = `${started ? 'took' : 'waited in the queue for'} longer than ${limit} ms`;
    const what = idle
      ? `sent nothing for ${limit} ms`
      : inherited
        ? `reached the deadline of the call around it, ${limit} ms after it began`
        : took;
    super({
      message: `${target} ${what}${blocked ? ', as the event loop was blocked' : ''}`,
      code: 'CALL_TIMEOUT',
      policy,
      target,
      status: 504,
      stack,
    });
    this.limit = limit;
    this.started = started;
    this.blocked = blocked;
    this.idle = idle;
    this.inherited = inherited;
  }
}
