import type { Clock } from '../kernel/clock.js';
import { makeContext } from './call-context.js';
import type { CallContext, ContextSource } from './current-call.js';
import type { Lane } from './lane.js';

/**
 * A call that runs without an engine, as its method sees it: nothing can abort it and it has no
 * deadline, so that calls which meet the same policies need not be told from each other.
 */
export class DirectCall implements ContextSource {
  constructor(
    private readonly target: string,
    private readonly clock: Clock,
    private readonly lane: Lane,
  ) {}

  get context(): CallContext {
    let signal: AbortSignal | undefined;
    return makeContext({
      clock: this.clock,
      target: this.target,
      attempt: 1,
      ends: () => undefined,
      signal: () => (signal ??= new AbortController().signal),
    });
  }

  endsBy(): undefined {
    return undefined;
  }

  holds(bulkhead: object): boolean {
    return this.lane.bulkhead?.policy === bulkhead;
  }
}
