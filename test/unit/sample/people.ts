import { keyPairFrom } from '../../../sample/banking-stage/src/keys/key-pair.js';
import type { KeyPair } from '../../../sample/banking-stage/src/keys/key-pair.js';
import { transactionId } from '../../../sample/banking-stage/src/transaction/transaction.js';
import { signPayment } from '../../../sample/banking-stage/src/transaction/transaction.js';
import type { Order } from '../../../sample/banking-stage/src/transaction/order.js';
import type { Transaction } from '../../../sample/banking-stage/src/transaction/transaction.js';

export const alice = keyPairFrom('test/alice');
export const bob = keyPairFrom('test/bob');
export const carol = keyPairFrom('test/carol');
export const validator = keyPairFrom('test/validator');

let lastNonce = 0;

/** A payment like no other: its nonce is new. */
export function pay(from: KeyPair, to: KeyPair, amount: number, maxFee = 10): Transaction {
  return signPayment({ to: to.address, amount, maxFee, nonce: ++lastNonce }, from);
}

export function order(transaction: Transaction, fee = 1): Order {
  return { id: transactionId(transaction), transaction, fee, verdict: 'cleared' };
}
