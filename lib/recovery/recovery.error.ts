/**
 * The stable words of what a recovery refuses.
 *
 * - `RECOVERY_BUSY`: another one is under way.
 * - `RECOVERY_NO_STORE`: the application keeps no checkpoints.
 * - `RECOVERY_NOT_ATTACHED`: nobody has said which application is to be closed.
 * - `RECOVERY_SHUTTING_DOWN`: the application ends.
 * - `RECOVERY_UNKNOWN`: there is no backup, connection or circuit breaker of that name.
 * - `RECOVERY_NAME`: a name that may not be one, or is taken by the names that we give.
 * - `RECOVERY_EXISTS`: there is a backup of that name already.
 * - `RECOVERY_BAD_BACKUP`: the backup is damaged, or does not pass the checks.
 * - `RECOVERY_QUOTA`: the backup would take more room than is allowed.
 * - `RECOVERY_ABORTED`: whoever asked has left, or it took too long.
 */
export type RecoveryErrorCode =
  | 'RECOVERY_BUSY'
  | 'RECOVERY_NO_STORE'
  | 'RECOVERY_NOT_ATTACHED'
  | 'RECOVERY_SHUTTING_DOWN'
  | 'RECOVERY_UNKNOWN'
  | 'RECOVERY_NAME'
  | 'RECOVERY_EXISTS'
  | 'RECOVERY_BAD_BACKUP'
  | 'RECOVERY_QUOTA'
  | 'RECOVERY_ABORTED';

const STATUS: { readonly [C in RecoveryErrorCode]: number } = {
  RECOVERY_BUSY: 409,
  RECOVERY_NO_STORE: 409,
  RECOVERY_NOT_ATTACHED: 409,
  RECOVERY_SHUTTING_DOWN: 409,
  RECOVERY_UNKNOWN: 404,
  RECOVERY_NAME: 400,
  RECOVERY_EXISTS: 409,
  RECOVERY_BAD_BACKUP: 422,
  RECOVERY_QUOTA: 507,
  RECOVERY_ABORTED: 503,
};

/** A recovery was refused, or could not be carried out: nothing has changed. */
export class RecoveryError extends Error {
  override readonly name = 'RecoveryError';
  /** The HTTP status that says the same. */
  readonly status: number;

  /** @param message what was asked, what came in the way, and what to do about it; may be shown to the caller */
  constructor(
    readonly code: RecoveryErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = STATUS[code];
  }
}
