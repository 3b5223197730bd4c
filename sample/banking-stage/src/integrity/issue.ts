/** The five checks every chain needs, and the one over what is not in a block yet. */
export const CHECKS = [
  'hash-integrity',
  'chain-continuity',
  'transaction-validity',
  'utxo-consistency',
  'supply',
  'mempool-consistency',
] as const;

export interface Issue {
  readonly check: (typeof CHECKS)[number];
  /** Where it is: `block 3`, `account ab12…`. */
  readonly at: string;
  readonly problem: string;
}
