import { currentView } from '../collections/state-view.js';
import { CheckpointUnavailableError } from '../transaction/checkpoint-rejections.js';

/** How the engine is doing. */
export type EngineState = 'new' | 'open' | 'fenced' | 'restoring' | 'closing' | 'closed';

/** Why no call can begin. */
const OBJECTIONS: Readonly<Record<EngineState, string | undefined>> = {
  new: 'the store is not open yet',
  open: undefined,
  fenced: 'the store is fenced after a failed write',
  restoring: 'an earlier state is being restored',
  closing: 'the application is shutting down',
  closed: 'the application has shut down',
};

const LOOKING = 'another state than the present is being looked at';

/** What a call is told that cannot begin; undefined if it can. */
export function objectionOf(
  state: EngineState,
  target: string,
  cause: unknown,
): CheckpointUnavailableError | undefined {
  const why = currentView() === undefined ? OBJECTIONS[state] : LOOKING;
  return why === undefined ? undefined : new CheckpointUnavailableError(target, why, cause);
}

/** @throws CheckpointUnavailableError where a call would be told that it cannot begin */
export function assertPossible(...of: Parameters<typeof objectionOf>): void {
  const objection = objectionOf(...of);
  if (objection !== undefined) throw objection;
}
