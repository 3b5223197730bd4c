/** A value that would not come back from the disk as it went. */
export class UnsupportedValueError extends TypeError {
  override readonly name = 'UnsupportedValueError';
  readonly code = 'UNSUPPORTED_VALUE';

  /**
   * @param path where it is, such as `Ledger.balances["alice"].owner`
   * @param problem what came, and what to use in its place
   */
  constructor(
    readonly path: string,
    readonly problem: string,
  ) {
    super(`${path}: ${problem}`);
  }
}
