import { isAddress, isSignature, isSignedBy, isSignedByLater } from '../keys/key-pair.js';
import { isWeakKey } from '../keys/weak-key.js';
import { TransactionRefusedError } from './transaction-refused.error.js';
import type { Signature } from '../keys/key-pair.js';
import { payment, paymentBytes, transactionId } from './transaction.js';
import type { Transaction, TransactionId } from './transaction.js';

const FIELDS = ['from', 'to', 'amount', 'maxFee', 'nonce'] as const;
const KNOWN = new Set<string>([...FIELDS, 'signature']);

/** So many are remembered, of some 250 bytes each. */
const REMEMBERED = 50_000;

/**
 * Signatures that have passed, by the id of what they sign: a node looks through its chain again and
 * again, and signatures are what takes the time. One that is not among them is looked at.
 */
const passed = new Map<TransactionId, Signature>();

/** Gives back a transaction that is well-formed and signed by its sender, or throws which it is not. */
export function verifyTransaction(input: unknown): Transaction {
  return verified(input).transaction;
}

/** The same, and its id. */
export function verified(input: unknown): { id: TransactionId; transaction: Transaction } {
  const transaction = wellFormed(input);
  const id = transactionId(transaction);
  const { from, signature } = transaction;
  if (passed.get(id) === signature) return { id, transaction };
  if (!isSignedBy(from, paymentBytes(transaction), signature)) {
    throw new TransactionRefusedError(
      'bad-signature',
      'the signature is not that of the sender over this payment',
    );
  }
  remember(id, signature);
  return { id, transaction };
}

/** Looks at a signature beside the main thread, so that `verified` has it behind it; judges nothing. */
export async function verifyAhead(input: unknown): Promise<void> {
  try {
    const transaction = wellFormed(input);
    const id = transactionId(transaction);
    const { from, signature } = transaction;
    if (passed.get(id) === signature) return;
    const isSigned = await isSignedByLater(from, paymentBytes(transaction), signature);
    if (isSigned) remember(id, signature);
  } catch {
    // `verified` says what is wrong with it
  }
}

function remember(id: TransactionId, signature: Signature): void {
  if (passed.size < REMEMBERED) passed.set(id, signature);
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
