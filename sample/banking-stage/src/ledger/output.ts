import type { Address } from '../keys/key-pair.js';
import type { Amount } from '../transaction/transaction.js';

export interface Output {
  readonly owner: Address;
  readonly amount: Amount;
}

/** `<transaction>:<n>`, `genesis:<n>` or `fees@<height>:0`: unique for ever. */
export type OutputId = string;

/** The place of a coin in its owner's queue. */
export type CoinKey = string;

export function coinKey(owner: Address, at: number): CoinKey {
  return `${owner}/${at}`;
}

/** What executing a transaction did: these coins are gone, those are there instead. */
export interface Execution {
  readonly inputs: readonly OutputId[];
  readonly outputs: readonly Output[];
}
