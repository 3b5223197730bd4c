import { same } from '../codec/same.js';
import { isAddress, isSignature, isSignedBy, isSignedByLater } from '../keys/key-pair.js';
import { isWeakKey } from '../keys/weak-key.js';
import { TransactionRefusedError } from './transaction-refused.error.js';
import { payment, paymentBytes } from './transaction.js';
import type { Transaction } from './transaction.js';

const FIELDS = ['from', 'to', 'amount', 'maxFee', 'nonce'] as const;
const KNOWN = new Set<string>([...FIELDS, 'signature']);

/** Those that have passed: frozen and flat, none of them can be anything else since. */
const verified = new WeakSet<object>();

/**
 * Gives back a transaction that is well-formed and signed by its sender, or throws which it is not.
 * One that it has given back before passes at once: a node looks through its chain again and again,
 * and signatures are what takes the time.
 */
export function verifyTransaction(input: unknown): Transaction {
  if (isVerified(input)) return input;
  const transaction = wellFormed(input);
  if (!isSignedBy(transaction.from, paymentBytes(transaction), transaction.signature)) {
    throw new TransactionRefusedError(
      'bad-signature',
      'the signature is not that of the sender over this payment',
    );
  }
  return remembered(transaction, input);
}

/** Looks at a signature beside the main thread, so that `verifyTransaction` has it behind it; judges nothing. */
export async function verifyAhead(input: unknown): Promise<void> {
  if (isVerified(input)) return;
  try {
    const transaction = wellFormed(input);
    const { from, signature } = transaction;
    if (await isSignedByLater(from, paymentBytes(transaction), signature)) {
      remembered(transaction, input);
    }
  } catch {
    // `verifyTransaction` says what is wrong with it
  }
}

function isVerified(input: unknown): input is Transaction {
  return typeof input === 'object' && input !== null && verified.has(input);
}

function remembered(transaction: Transaction, input: unknown): Transaction {
  verified.add(Object.freeze(transaction));
  // So are those of the chain, and after a start nobody has another form of them.
  if (Object.isFrozen(input) && same(input, transaction)) verified.add(input as object);
  return transaction;
}

function wellFormed(input: unknown): Transaction {
  const fields = fieldsOf(input);
  const unsigned = payment({
    from: address(fields, 'from'),
    to: address(fields, 'to'),
    amount: integer(fields, 'amount', 1),
    maxFee: integer(fields, 'maxFee', 0),
    nonce: integer(fields, 'nonce', 0),
  });
  if (!Number.isSafeInteger(unsigned.amount + unsigned.maxFee)) {
    throw malformed('amount and maxFee together are not a safe integer');
  }
  const { signature } = fields;
  if (signature === undefined || signature === null || signature === '') {
    throw new TransactionRefusedError('unsigned', 'the transaction carries no signature');
  }
  if (!isSignature(signature)) throw malformed('signature must be 128 lower-case hex digits');
  return { ...unsigned, signature };
}

function fieldsOf(input: unknown): Record<string, unknown> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw malformed('a transaction must be an object');
  }
  // A field that nobody signed must not look as if it meant something.
  const unknown = Object.keys(input).find((key) => !KNOWN.has(key));
  if (unknown !== undefined)
    throw malformed(`unknown field ${JSON.stringify(unknown.slice(0, 60))}`);
  return { ...input };
}

function address(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (!isAddress(value)) throw malformed(`${name} must be 64 lower-case hex digits`);
  // As a sender it would be anyone's, as a receiver the money would be.
  if (isWeakKey(value)) {
    throw new TransactionRefusedError(
      'weak-key',
      `${name} is a key of small order: anyone can sign for it`,
    );
  }
  return value;
}

function integer(fields: Record<string, unknown>, name: string, least: number): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw malformed(`${name} must be a safe integer of at least ${least}`);
  }
  return value === 0 ? 0 : value; // -0 is valid JSON and must not survive
}

function malformed(problem: string): TransactionRefusedError {
  return new TransactionRefusedError('malformed', problem);
}
