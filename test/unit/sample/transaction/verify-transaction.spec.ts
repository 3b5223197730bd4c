import { TransactionRefusedError } from '../../../../sample/banking-stage/src/transaction/transaction-refused.error.js';
import {
  payment,
  paymentBytes,
  signPayment,
  transactionId,
} from '../../../../sample/banking-stage/src/transaction/transaction.js';
import {
  verifyAhead,
  verifyTransaction,
} from '../../../../sample/banking-stage/src/transaction/verify-transaction.js';
import { alice, bob, pay } from '../people.js';

const good = signPayment({ to: bob.address, amount: 10, maxFee: 2, nonce: 5 }, alice);
const without = (field: string): unknown =>
  Object.fromEntries(Object.entries(good).filter(([name]) => name !== field));

function refusal(input: unknown): TransactionRefusedError {
  try {
    verifyTransaction(input);
  } catch (error) {
    if (error instanceof TransactionRefusedError) return error;
  }
  throw new Error('was not refused');
}

describe('verifying a transaction', () => {
  it('gives back one that is well-formed and signed', () => {
    expect(verifyTransaction(good)).toEqual(good);
  });

  it('accepts the fields in any order', () => {
    expect(verifyTransaction(Object.fromEntries(Object.entries(good).toReversed()))).toEqual(good);
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'must be an object'],
    ['a string', 'pay bob', 'must be an object'],
    ['an array', [good], 'must be an object'],
    ['an empty object', {}, 'from must be'],
    ...['from', 'to', 'amount', 'maxFee', 'nonce'].map((field): [string, unknown, string] => [
      `no ${field}`,
      without(field),
      `${field} must be`,
    ]),
    ['an upper-case address', { ...good, to: bob.address.toUpperCase() }, 'to must be'],
    ['a short address', { ...good, from: 'ab' }, 'from must be'],
    ['an amount of zero', { ...good, amount: 0 }, 'amount must be'],
    ['a negative amount', { ...good, amount: -1 }, 'amount must be'],
    ['a fraction', { ...good, amount: 0.5 }, 'amount must be'],
    ['an amount as text', { ...good, amount: '10' }, 'amount must be'],
    ['an amount beyond safe integers', { ...good, amount: 2 ** 53 }, 'amount must be'],
    ['an amount in an array', { ...good, amount: [10] }, 'amount must be'],
    ['an amount that says it is one', { ...good, amount: { valueOf: 10 } }, 'amount must be'],
    ['an amount in full-width digits', { ...good, amount: '１０' }, 'amount must be'],
    ['NaN', { ...good, amount: Number.NaN }, 'amount must be'],
    ['a full-width address', { ...good, to: 'ａ'.repeat(64) }, 'to must be'],
    ['an address of many letters', { ...good, to: 'a'.repeat(60_000) }, 'to must be'],
    ['a field with a Cyrillic look-alike', { ...good, аmount: 11 }, 'unknown field'],
    ['infinity', { ...good, amount: Infinity }, 'amount must be'],
    ['a negative maxFee', { ...good, maxFee: -1 }, 'maxFee must be'],
    ['a negative nonce', { ...good, nonce: -1 }, 'nonce must be'],
    ['a sum that overflows', { ...good, amount: 2 ** 53 - 1 }, 'together are not a safe integer'],
    ['a field nobody signed', { ...good, memo: 'hi' }, 'unknown field "memo"'],
    ['__proto__ as a field', JSON.parse('{"__proto__":{"amount":1}}'), 'unknown field'],
    ['a short signature', { ...good, signature: 'ab' }, 'signature must be'],
    ['a signature that is a number', { ...good, signature: 1 }, 'signature must be'],
  ])('refuses %s as malformed', (_, input, problem) => {
    expect(refusal(input)).toMatchObject({
      reason: 'malformed',
      message: expect.stringContaining(problem),
    });
  });

  it.each([
    ['is missing', without('signature')],
    ['is null', { ...good, signature: null }],
    ['is empty', { ...good, signature: '' }],
  ])('refuses it as unsigned where the signature %s', (_, input) => {
    expect(refusal(input).reason).toBe('unsigned');
  });

  it.each([
    ['another amount', { ...good, amount: 11 }],
    ['another receiver', { ...good, to: alice.address }],
    ['another sender', { ...good, from: bob.address }],
    ['another fee', { ...good, maxFee: 3 }],
    ['another nonce', { ...good, nonce: 6 }],
    ['the signature of another payment', { ...good, signature: pay(alice, bob, 10).signature }],
    ['zeros for a signature', { ...good, signature: '0'.repeat(128) }],
  ])('refuses %s as a bad signature', (_, input) => {
    expect(refusal(input).reason).toBe('bad-signature');
  });
});

describe('a transaction that was verified before', () => {
  it('is looked at again, where anything of it is another', () => {
    verifyTransaction(good);

    expect(verifyTransaction({ ...good })).toEqual(good);
    expect(refusal({ ...good, amount: good.amount + 1 }).reason).toBe('bad-signature');
    const { signature } = pay(alice, bob, 10);
    expect(refusal({ ...good, signature }).reason).toBe('bad-signature');
  });

  it('may have been looked at beside the main thread, which lets nothing pass', async () => {
    const sound = pay(alice, bob, 10);
    const forged = { ...sound, amount: 11 };

    await verifyAhead(sound);
    await verifyAhead(forged);
    await verifyAhead('nothing');

    expect(verifyTransaction(sound)).toEqual(sound);
    expect(refusal(forged).reason).toBe('bad-signature');
  });
});

describe('the bytes that a sender signs', () => {
  it('are those of the README, for clients in other languages', () => {
    const { from, to } = good;

    expect(paymentBytes(good).toString()).toBe(
      `banking-stage/payment/v1\n{"amount":10,"from":"${from}","maxFee":2,"nonce":5,"to":"${to}"}`,
    );
  });
});

describe('the id of a transaction', () => {
  it('is that of the payment: the signature is no part of it', () => {
    expect(transactionId({ ...good, signature: 'f'.repeat(128) } as typeof good)).toBe(
      transactionId(payment(good)),
    );
  });

  it('differs between two equal payments by their nonce', () => {
    expect(transactionId(pay(alice, bob, 10))).not.toBe(transactionId(pay(alice, bob, 10)));
  });

  it('is the same for minus zero as for zero', () => {
    const zero = signPayment({ to: bob.address, amount: 10, maxFee: 0, nonce: 0 }, alice);
    const verified = verifyTransaction({ ...zero, maxFee: -0, nonce: -0 });

    expect(transactionId(verified)).toBe(transactionId(zero));
    expect(Object.is(verified.nonce, 0)).toBe(true);
  });
});
