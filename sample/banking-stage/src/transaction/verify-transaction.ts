import { isAddress, isSignature, isSignedBy } from '../keys/key-pair.js';
import { isWeakKey } from '../keys/weak-key.js';
import { TransactionRefusedError } from './transaction-refused.error.js';
import { payment, paymentBytes } from './transaction.js';
import type { Transaction } from './transaction.js';

const FIELDS = ['from', 'to', 'amount', 'maxFee', 'nonce'] as const;
const KNOWN = new Set<string>([...FIELDS, 'signature']);

/** Gives back a transaction that is well-formed and signed by its sender, or throws which it is not. */
export function verifyTransaction(input: unknown): Transaction {
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
  if (!isSignedBy(unsigned.from, paymentBytes(unsigned), signature)) {
    throw new TransactionRefusedError(
      'bad-signature',
      'the signature is not that of the sender over this payment',
    );
  }
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
