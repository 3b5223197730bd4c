import type { CallContext, ContextSource } from './current-call.js';
import type { Lane } from './lane.js';
import type { Pipeline } from './pipeline.js';

/** A call that runs without an engine, where its key says what it meets. */
export class DirectCall implements ContextSource {
  constructor(
    private readonly pipeline: Pipeline,
    private readonly lane: Lane,
  ) {}

  get context(): CallContext {
    return this.pipeline.context;
  }

  endsBy(): undefined {
    return undefined;
  }

  holds(bulkhead: object): boolean {
    return this.lane.bulkhead?.policy === bulkhead;
  }
}
