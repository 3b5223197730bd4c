import { TransactionRefusedError } from './transaction-refused.error.js';
import type { Amount, Transaction, TransactionId } from './transaction.js';
import { verified } from './verify-transaction.js';

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

/** What is wrong with an order, whatever it is; undefined where it is one that can be accepted. */
export function orderProblem({ id, transaction, fee, verdict }: Order): string | undefined {
  try {
    if (verified(transaction).id !== id) return 'its id is not that of its transaction';
  } catch (error) {
    if (error instanceof TransactionRefusedError) return `${error.reason}: ${error.message}`;
    throw error;
  }
  if (!Number.isSafeInteger(fee) || fee < 0 || fee > transaction.maxFee) {
    return `a fee of ${fee} was not what the sender signed`;
  }
  if (verdict !== 'cleared' && verdict !== 'provisional') return `verdict ${String(verdict)}`;
  return undefined;
}
