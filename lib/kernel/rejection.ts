import type { Milliseconds } from './duration.js';

const BRAND: unique symbol = Symbol.for('bulwark:rejection') as never;

/** The kinds of policy that can refuse a call; `shutdown`: the application ends. */
export type PolicyKind =
  | 'circuit-breaker'
  | 'retry'
  | 'bulkhead'
  | 'time-limit'
  | 'rate-limit'
  | 'fallback'
  | 'checkpoint'
  | 'shutdown';

/** What every refusal can say about itself. */
export interface RejectionInit {
  readonly message: string;
  readonly code: string;
  readonly policy: PolicyKind;
  readonly target: string;
  readonly status: number;
  readonly retryAfter?: Milliseconds | undefined;
  /** Whether to capture a stack trace; it costs more than the refusal itself. Default false. */
  readonly stack?: boolean | undefined;
}

/**
 * We refused the call, or gave up on it: the base of every error this library makes.
 *
 * An error of the protected method is never wrapped in one; it reaches the caller as it was.
 * `status`, `statusCode` and `expose` make Nest answer with that HTTP status without a filter,
 * and keep the message, which names classes, out of the answer.
 */
export abstract class ResilienceRejection extends Error {
  /** A stable word for programs, such as `CIRCUIT_OPEN`. */
  readonly code: string;
  /** The kind of policy that refused. */
  readonly policy: PolicyKind;
  /** The name of the protected method, such as `FeesClient.quote`. */
  readonly target: string;
  /** When it makes sense to come back, where that is known. */
  readonly retryAfter?: Milliseconds;
  /** The HTTP status that says the same: 503, 504 or 429. */
  readonly status: number;
  /** The same as `status`, under the name that `http-errors` uses. */
  readonly statusCode: number;
  /** False: the message is for logs, not for the client. */
  readonly expose: boolean;

  /** A refusal of another copy of the package is of the class with that name too. */
  static override [Symbol.hasInstance](error: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(this, error) || isOfClass(error, this);
  }

  protected constructor(init: RejectionInit) {
    const captured = init.stack === true;
    const limit = Error.stackTraceLimit;
    if (!captured) Error.stackTraceLimit = 0;
    super(init.message);
    if (!captured) Error.stackTraceLimit = limit;
    this.name = new.target.name;
    this.code = init.code;
    this.policy = init.policy;
    this.target = init.target;
    if (init.retryAfter !== undefined) this.retryAfter = init.retryAfter;
    this.status = init.status;
    this.statusCode = init.status;
    this.expose = false;
  }
}
Object.defineProperty(ResilienceRejection.prototype, BRAND, { value: true });

/** Whether `error` is a refusal of this library, also of another copy of the package. */
export function isResilienceRejection(error: unknown): error is ResilienceRejection {
  try {
    return (error as { [BRAND]?: unknown })[BRAND] === true;
  } catch {
    return false; // undefined and null, and a Proxy whose traps throw, are nobody's rejections
  }
}

/** Whether a refusal is of that class, where the class is of one copy of the package and it of another. */
function isOfClass(
  error: unknown,
  type: { readonly name: string; readonly prototype: unknown },
): boolean {
  if (!isResilienceRejection(error) || !isResilienceRejection(type.prototype)) return false;
  return error.name === type.name || type.name === 'ResilienceRejection';
}
