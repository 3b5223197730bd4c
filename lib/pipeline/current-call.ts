import type { Milliseconds } from '../kernel/duration.js';

/** The attempt that is running, as the method sees it. */
export interface CallContext {
  /** Aborts when nobody waits for this attempt any more: its time limit passed, or the caller left. */
  readonly signal: AbortSignal;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Wall-clock time, milliseconds since 1970, at which the attempt will be given up; undefined without a limit. */
  readonly deadline?: Milliseconds;
  /** Milliseconds left for this attempt, from 0; Infinity without a limit. */
  remaining(): Milliseconds;
  readonly idempotencyKey?: string;
  /** The name of the protected method. */
  readonly target: string;
}

/** Something that can make the context of the attempt it stands for. */
export interface ContextSource {
  readonly context: CallContext;
}

let running: ContextSource | undefined;
let warned = false;

const INERT: CallContext = {
  signal: new AbortController().signal,
  attempt: 1,
  remaining: () => Number.POSITIVE_INFINITY,
  target: '',
};

/**
 * The attempt that is starting. To be read in the first synchronous line of the method, before any
 * `await`; keep the answer as long as you like. Read elsewhere it is inert: a signal that never
 * aborts, attempt 1, no deadline, and the process warns once.
 */
export function currentCall(): CallContext {
  if (running !== undefined) return running.context;
  if (!warned) {
    warned = true;
    process.emitWarning(
      'currentCall() was read outside a protected call, or after its first await: its signal never aborts',
      {
        code: 'BULWARK_CURRENT_CALL',
      },
    );
  }
  return INERT;
}

/**
 * Calls the method as the running attempt, or as none. A plain variable: no async context is
 * opened.
 */
export function runAs(
  source: ContextSource | undefined,
  method: (...args: never[]) => unknown,
  self: unknown,
  args: unknown[],
): unknown {
  const before = running;
  running = source;
  try {
    return method.apply(self, args as never[]);
  } finally {
    running = before;
  }
}
