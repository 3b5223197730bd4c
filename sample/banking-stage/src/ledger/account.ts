import type { Amount } from '../transaction/transaction.js';

export interface Account {
  readonly balance: Amount;
  /** Its coins are numbered: those from `head` up to, not including, `tail` are unspent. */
  readonly head: number;
  readonly tail: number;
  readonly sent: number;
}

export const EMPTY_ACCOUNT: Account = { balance: 0, head: 0, tail: 0, sent: 0 };
