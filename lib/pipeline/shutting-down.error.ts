import { ResilienceRejection } from '../kernel/rejection.js';

/**
 * The application ends. The call was refused before it began, sent away while it waited for its
 * turn, or given up when its grace was over; in that last case the method may still run, and its
 * signal has aborted. Another instance can do it.
 */
export class ShuttingDownError extends ResilienceRejection {
  constructor(target: string, stack?: boolean) {
    super({
      message: `${target}: the application is shutting down`,
      code: 'SHUTTING_DOWN',
      policy: 'shutdown',
      target,
      status: 503,
      stack,
    });
  }
}
