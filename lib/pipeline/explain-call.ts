import type { Milliseconds } from '../kernel/duration.js';
import type { Pipeline } from './pipeline.js';
import type { Retries } from './retries.js';
import { explain, explainNothing, type Trace } from './trace.js';

/** A call whose caller gets an error. */
interface FailedCall {
  readonly pipeline: Pipeline;
  readonly trace: Trace | undefined;
  readonly totalEnds: Milliseconds | undefined;
}

/** Notes how the error that the caller gets came about. */
export function explainCall(error: unknown, call: FailedCall, retries: Retries): void {
  const { trace, totalEnds, pipeline } = call;
  const { records } = retries;
  if (records === undefined && trace === undefined) {
    explainNothing(error, pipeline.name, retries);
    return;
  }
  const explanation = {
    target: pipeline.name,
    attempts: records ?? [],
    decisions: trace?.decisions ?? [],
    ...(totalEnds === undefined
      ? {}
      : { remaining: Math.max(0, totalEnds - pipeline.env.clock.now()) }),
  };
  explain(error, explanation, retries);
}
