import { CheckpointError } from '../../checkpoint.error.js';

/** What the system says, in one line. */
export const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause);

export const damaged = (message: string, cause?: unknown): CheckpointError =>
  new CheckpointError('CHECKPOINT_DAMAGED', message, { cause });

/** The disk refused. An error that is ours already keeps its word. */
export function ioFailure(what: string, cause: unknown): CheckpointError {
  if (cause instanceof CheckpointError) return cause;
  return new CheckpointError('CHECKPOINT_IO', `${what}: ${reasonOf(cause)}`, { cause });
}

/** What everyone can do about damage, at the end of each message on it. */
export const WAY_OUT =
  'Nothing was changed. `npx bulwark-verify <directory>` shows what is whole; restore the directory from a copy, ' +
  'or move it away to start with nothing.';
