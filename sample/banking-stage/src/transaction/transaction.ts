import { canonicalBytes, digest } from '../codec/digest.js';
import type { Digest } from '../codec/digest.js';
import type { Address, KeyPair, Signature } from '../keys/key-pair.js';

/** Whole units. Safe integers throughout, so that JSON carries them exactly. */
export type Amount = number;
export type TransactionId = Digest;

/** What the sender signs. */
export interface Payment {
  readonly from: Address;
  readonly to: Address;
  readonly amount: Amount;
  /** The most the sender will pay for it; the fee itself is quoted when it is accepted. */
  readonly maxFee: Amount;
  /** Chosen by the sender, so that two equal payments are two transactions and not a replay. */
  readonly nonce: number;
}

export interface Transaction extends Payment {
  readonly signature: Signature;
}

export function payment({ from, to, amount, maxFee, nonce }: Payment): Payment {
  return { from, to, amount, maxFee, nonce };
}

export function paymentBytes(of: Payment): Buffer {
  return canonicalBytes('payment', payment(of));
}

/** Taken over the payment without its signature: another signature is not another transaction. */
export function transactionId(of: Payment): TransactionId {
  return digest('payment', payment(of));
}

export function signPayment(of: Omit<Payment, 'from'>, by: KeyPair): Transaction {
  const signed = payment({ ...of, from: by.address });
  return { ...signed, signature: by.sign(paymentBytes(signed)) };
}
