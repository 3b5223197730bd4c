/** The five checks every chain needs, and those over what is not in a block. */
export const CHECKS = [
  'hash-integrity',
  'chain-continuity',
  'transaction-validity',
  'utxo-consistency',
  'supply',
  'mempool-consistency',
  'statistics',
] as const;

export interface Issue {
  readonly check: (typeof CHECKS)[number];
  /** Where it is: `block 3`, `account ab12…`. */
  readonly at: string;
  readonly problem: string;
}

/** Issues one by one, with `undefined` at places where a long check may be interrupted. */
export type Findings = Generator<Issue | undefined>;

/** Runs a check to its end, at once. */
export function issuesOf(findings: Findings): Issue[] {
  return [...findings].filter((found) => found !== undefined);
}
