import type { Block } from '../chain/block.js';
import type { Certificate, Vote } from '../consensus/certificate.js';
import type { Promised, Voted } from '../consensus/proposer.js';
import type { Slot } from '../consensus/voting.js';
import type { PendingOrder } from '../mempool/pending-order.js';
import type { TransactionId } from '../transaction/transaction.js';

export interface DecidedBlock {
  readonly block: Block;
  readonly certificate: Certificate;
}

/** What validators ask of each other. Each may come twice, late or never: none does harm then. */
export interface Messages {
  /** Where are you? */
  readonly status: { readonly ask: object; readonly answer: { readonly height: number } };
  /** Take part in no earlier round of this height. */
  readonly promise: { readonly ask: { readonly slot: Slot }; readonly answer: Promised<Block> };
  /** Vote for this block. */
  readonly vote: {
    readonly ask: { readonly slot: Slot; readonly block: Block };
    readonly answer: Voted<Vote>;
  };
  /** It was decided: whoever has the block needs no more. */
  readonly decided: {
    readonly ask: { readonly certificate: Certificate };
    readonly answer: object;
  };
  /** What was accepted and is in no block yet; answers those that are known now. */
  readonly orders: {
    readonly ask: { readonly orders: readonly PendingOrder[] };
    readonly answer: { readonly known: readonly TransactionId[] };
  };
  /** The blocks from a height on, as many as one message holds. */
  readonly blocks: {
    readonly ask: { readonly from: number };
    readonly answer: { readonly decided: readonly DecidedBlock[] };
  };
}

export type Verb = keyof Messages;
