/**
 * The stable words of what can go wrong with a checkpoint.
 *
 * - `CHECKPOINT_DAMAGED`: bytes that were written are not there any more as they were, and nothing
 *   whole can stand in for them. Starting all the same would lose acknowledged calls in silence.
 * - `CHECKPOINT_VERSION`: written by newer code or a newer Node than this.
 * - `CHECKPOINT_KEY`: written with a key that is not given, without one, or by somebody who does not have it.
 * - `CHECKPOINT_LOCKED`: another process owns the directory, or took it over.
 * - `CHECKPOINT_IO`: the disk refused: read, write or sync. Says nothing of the bytes on it.
 * - `CHECKPOINT_FENCED`: after a failed write or sync nothing more is accepted until the store is opened again.
 * - `CHECKPOINT_NAME`: a name that may not be one.
 * - `CHECKPOINT_UNKNOWN`: there is no checkpoint of that name or number.
 * - `CHECKPOINT_EXISTS`: there is one of that name already.
 * - `CHECKPOINT_QUOTA`: a checkpoint with a name would take more room than is allowed.
 * - `CHECKPOINT_CLOSED`: the store has been closed.
 */
export type CheckpointErrorCode =
  | 'CHECKPOINT_DAMAGED'
  | 'CHECKPOINT_VERSION'
  | 'CHECKPOINT_KEY'
  | 'CHECKPOINT_LOCKED'
  | 'CHECKPOINT_IO'
  | 'CHECKPOINT_FENCED'
  | 'CHECKPOINT_NAME'
  | 'CHECKPOINT_UNKNOWN'
  | 'CHECKPOINT_EXISTS'
  | 'CHECKPOINT_QUOTA'
  | 'CHECKPOINT_CLOSED';

/** A store could not keep, find or give back what it was asked for. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';

  /** @param message what was asked, what came in the way, and what to do about it */
  constructor(
    readonly code: CheckpointErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A checkpoint with a name was refused for its size; Nest answers with 507. Nothing of it is left. */
export class CheckpointQuotaError extends CheckpointError {
  readonly status = 507;
  /** The same as `status`, under the name that `http-errors` uses. */
  readonly statusCode = 507;

  /**
   * @param used the bytes that the directory has
   * @param needed the bytes that it needs more, at least: it was given up as soon as they were too many
   * @param allowed the bytes that the directory may have
   */
  constructor(
    readonly used: number,
    readonly needed: number,
    readonly allowed: number,
  ) {
    super(
      'CHECKPOINT_QUOTA',
      `The checkpoint was not made: ${used} bytes are used and it needs at least ${needed} more, where ${allowed} are allowed. ` +
        'Remove named checkpoints, or allow more.',
    );
  }
}
