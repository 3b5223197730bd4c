import type { Clock } from '../kernel/clock.js';
import type { Milliseconds } from '../kernel/duration.js';
import type { CallContext } from './current-call.js';

/** What a context tells of its attempt. */
interface Facts {
  readonly clock: Clock;
  readonly target: string;
  readonly attempt: number;
  /** When the attempt is given up, by the monotonic clock. */
  ends(): Milliseconds | undefined;
  signal(): AbortSignal;
}

export function makeContext({ clock, target, attempt, ends, signal }: Facts): CallContext {
  const remaining = (): Milliseconds => {
    const at = ends();
    return at === undefined ? Number.POSITIVE_INFINITY : Math.max(0, at - clock.now());
  };
  return {
    get signal() {
      return signal();
    },
    attempt,
    ...(ends() === undefined ? {} : { deadline: clock.epoch() + remaining() }),
    remaining,
    target,
  };
}
