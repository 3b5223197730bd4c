import type { Amount, Transaction, TransactionId } from './transaction.js';

/** `provisional`: accepted while compliance could not be asked; to be looked at afterwards. */
export type Verdict = 'cleared' | 'provisional';

/** A transaction that was accepted: it will be executed, once, in the order of acceptance. */
export interface Order {
  readonly id: TransactionId;
  readonly transaction: Transaction;
  readonly fee: Amount;
  readonly verdict: Verdict;
}

export function costOf(order: Order): Amount {
  return order.transaction.amount + order.fee;
}
