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
