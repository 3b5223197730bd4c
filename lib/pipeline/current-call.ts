import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../kernel/clock.js';
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
  /** When the attempt is given up by that clock, as long as somebody waits for it; else undefined. */
  endsBy(clock: Clock): Milliseconds | undefined;
  /** Whether it has a slot in that bulkhead. */
  holds(bulkhead: object): boolean;
}

/** What every copy of the package in the process must agree on: one may run what another decorated. */
interface Shared {
  running: ContextSource | undefined;
  /**
   * Made when the first pipeline with `propagateDeadline` is: merely enabling one makes every promise
   * of a Node 20 process slower.
   */
  contexts: AsyncLocalStorage<ContextSource> | undefined;
}

const SHARED = Symbol.for('bulwark:current-call:1');
const shared = ((globalThis as { [SHARED]?: Shared })[SHARED] ??= {
  running: undefined,
  contexts: undefined,
});
let warned = false;

/** From here on attempts may run in an async context. */
export function openContexts(): void {
  shared.contexts ??= new AsyncLocalStorage();
}

/** When the nearest enclosing call that propagates its deadline ends; undefined if there is none. */
export function inheritedEnd(clock: Clock): Milliseconds | undefined {
  return shared.contexts?.getStore()?.endsBy(clock);
}

const INERT: CallContext = {
  signal: new AbortController().signal,
  attempt: 1,
  remaining: () => Number.POSITIVE_INFINITY,
  target: '',
};

/**
 * The attempt that is starting. To be read in the first synchronous line of the method, before any
 * `await`; keep the answer as long as you like. In a method with `propagateDeadline` it can be read
 * anywhere. Read elsewhere it is inert: a signal that never aborts, attempt 1, no deadline, and the
 * process warns once.
 */
export function currentCall(): CallContext {
  const source = enclosingCall();
  if (source !== undefined) return source.context;
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

/** The attempt whose method is in its synchronous part, or in whose async context we are. */
export function enclosingCall(): ContextSource | undefined {
  return shared.running ?? shared.contexts?.getStore();
}

/** Calls the method as the running attempt in an async context of its own; `openContexts` has been called. */
export function runInContext(
  source: ContextSource,
  method: (...args: never[]) => unknown,
  self: unknown,
  args: unknown[],
): unknown {
  return shared.contexts!.run(source, runAs, source, method, self, args);
}

/**
 * Calls the method as the running attempt, or as none. A plain field: no async context is
 * opened.
 */
export function runAs(
  source: ContextSource | undefined,
  method: (...args: never[]) => unknown,
  self: unknown,
  args: unknown[],
): unknown {
  const before = shared.running;
  shared.running = source;
  try {
    return method.apply(self, args as never[]);
  } finally {
    shared.running = before;
  }
}
