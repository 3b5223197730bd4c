import type { Milliseconds } from '../../kernel/duration.js';
import { ResilienceRejection } from '../../kernel/rejection.js';

/** All places are taken and the queue is full. */
export class BulkheadFullError extends ResilienceRejection {
  constructor(target: string, running: number, queued: number, stack?: boolean) {
    super({
      message: `bulkhead ${target} is full: ${running} running, ${queued} queued`,
      code: 'BULKHEAD_FULL',
      policy: 'bulkhead',
      target,
      status: 503,
      stack,
    });
  }
}

/** The call waited in the bulkhead's queue for longer than its `queueTimeout`. It never started. */
export class QueueTimeoutError extends ResilienceRejection {
  constructor(target: string, waited: Milliseconds, stack?: boolean) {
    super({
      message: `bulkhead ${target}: no place within ${waited} ms`,
      code: 'BULKHEAD_QUEUE_TIMEOUT',
      policy: 'bulkhead',
      target,
      status: 503,
      stack,
    });
  }
}

/**
 * A call that holds a place asked the same bulkhead for another, and no place was free: it would
 * have waited for itself. It never started.
 *
 * This is noticed in the synchronous part of the method, before its first `await`, and throughout a
 * method with `propagateDeadline`. Elsewhere a call further in cannot be told from any other: it
 * waits until its `queueTimeout`, or the time limit of the call around it.
 */
export class BulkheadReentrancyError extends ResilienceRejection {
  constructor(target: string, stack?: boolean) {
    super({
      message: `bulkhead ${target}: a call inside it may not wait for another place in it`,
      code: 'BULKHEAD_REENTRANCY',
      policy: 'bulkhead',
      target,
      status: 503,
      stack,
    });
  }
}
