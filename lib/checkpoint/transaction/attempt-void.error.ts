/** A change by an attempt that may not change anything any more, or by what never was one. */
export class AttemptVoidError extends Error {
  override readonly name = 'AttemptVoidError';
  readonly code = 'ATTEMPT_VOID';

  /** @param path what was to be changed, such as `Ledger.balances` */
  constructor(path: string, why: string, cause?: unknown) {
    super(`${path}: cannot be changed, ${why}`, cause === undefined ? undefined : { cause });
  }
}
