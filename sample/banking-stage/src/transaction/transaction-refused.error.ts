/** Why a transaction was refused. Nothing has changed when one of these is answered. */
export type RefusalReason =
  | 'malformed'
  | 'weak-key'
  | 'unsigned'
  | 'bad-signature'
  | 'replayed'
  | 'expired'
  | 'insufficient-funds'
  | 'fee-above-maximum'
  | 'compliance-refused'
  | 'compliance-unavailable'
  | 'mempool-full';

export class TransactionRefusedError extends Error {
  override readonly name = 'TransactionRefusedError';

  constructor(
    readonly reason: RefusalReason,
    message: string,
    readonly facts: Readonly<Record<string, string | number>> = {},
  ) {
    super(message);
  }
}
