/** How the engine is doing. */
export type EngineState = 'new' | 'open' | 'fenced' | 'restoring' | 'closing' | 'closed';

/** Why no call can begin. */
export const OBJECTIONS: Readonly<Record<EngineState, string | undefined>> = {
  new: 'the store is not open yet',
  open: undefined,
  fenced: 'the store is fenced after a failed write',
  restoring: 'an earlier state is being restored',
  closing: 'the application is shutting down',
  closed: 'the application has shut down',
};
