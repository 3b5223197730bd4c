import { claimOf } from '../checkpoint/component/claims.js';
import { CheckpointCall } from '../checkpoint/transaction/checkpoint-call.js';
import type { Pipeline } from './pipeline.js';

/** The call, as far as keeping what it does is concerned. */
interface KeptCall {
  readonly pipeline: Pipeline;
  readonly self: unknown;
  readonly args: readonly unknown[];
}

/**
 * How an attempt keeps what its method does; undefined if that keeps nothing, or its instance has no
 * store, as in a plain unit test.
 */
export function keepingOf(
  { pipeline, self, args }: KeptCall,
  committed: () => void,
): CheckpointCall | undefined {
  const { checkpoint, name } = pipeline;
  if (checkpoint === undefined) return undefined;
  const claim = claimOf(self);
  if (claim === undefined) return undefined;
  const { component, host } = claim;
  return new CheckpointCall({
    component,
    host,
    target: name,
    options: checkpoint,
    args,
    committed,
  });
}
