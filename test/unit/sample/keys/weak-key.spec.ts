import { createPublicKey, verify } from 'node:crypto';
import { isSignedBy, keyPairFrom } from '../../../../sample/banking-stage/src/keys/key-pair.js';
import { isWeakKey } from '../../../../sample/banking-stage/src/keys/weak-key.js';
import { paymentBytes } from '../../../../sample/banking-stage/src/transaction/transaction.js';
import type { Transaction } from '../../../../sample/banking-stage/src/transaction/transaction.js';
import { verifyTransaction } from '../../../../sample/banking-stage/src/transaction/verify-transaction.js';
import { alice, bob, pay } from '../people.js';

const P = 2n ** 255n - 19n;

/** Every 32 bytes that decode to a small-order point: from the curve, not from the list under test. */
const WEAK = [0n, 1n, P - 1n, ...orderEight()]
  .flatMap((y) => [y, y + P])
  .filter((y) => y < 2n ** 255n)
  .flatMap((y) => [encoded(y), encoded(y + 2n ** 255n)]);

function encoded(value: bigint): string {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse().toString('hex');
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let [b, e] = [base % P, exponent]; e > 0n; e >>= 1n, b = (b * b) % P) {
    if ((e & 1n) === 1n) result = (result * b) % P;
  }
  return result;
}

/** Doubling them must give y = 0; with -x^2 + y^2 = 1 + d*x^2*y^2 that is d*y^4 + 2*y^2 - 1 = 0. */
function orderEight(): bigint[] {
  const inverse = (value: bigint): bigint => power(value, P - 2n);
  const roots = (of: bigint): bigint[] => {
    const candidate = power(of, (P + 3n) / 8n);
    const turned = (candidate * power(2n, (P - 1n) / 4n)) % P;
    const root = [candidate, turned].find((one) => (one * one - of) % P === 0n);
    return root === undefined ? [] : [root, P - root];
  };
  const d = ((P - 121_665n) * inverse(121_666n)) % P;
  return roots(1n + d).flatMap((root) => roots(((root + P - 1n) * inverse(d)) % P));
}

/** No private key: S = 0, and R is tried out. */
function forged(from: string): Transaction {
  const x = Buffer.from(from, 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  for (let nonce = 0; nonce < 1_000; nonce++) {
    const payment = { from, to: bob.address, amount: 1, maxFee: 1, nonce };
    for (const R of WEAK) {
      const signature = R + '0'.repeat(64);
      if (verify(null, paymentBytes(payment), key, Buffer.from(signature, 'hex'))) {
        return { ...payment, signature };
      }
    }
  }
  throw new Error(`nothing forged for ${from}`);
}

describe('a key of small order', () => {
  it('has 14 encodings', () => {
    expect(new Set(WEAK).size).toBe(14);
  });

  it.each(WEAK)('%s: what anyone signs for it passes node:crypto, and is refused here', (from) => {
    const transaction = forged(from);

    expect(isWeakKey(from)).toBe(true);
    expect(isSignedBy(from, paymentBytes(transaction), transaction.signature)).toBe(false);
    expect(() => verifyTransaction(transaction)).toThrow(
      expect.objectContaining({
        reason: 'weak-key',
        message: 'from is a key of small order: anyone can sign for it',
      }),
    );
  });

  it.each(WEAK)('%s is paid nothing: anyone could take it', (address) => {
    const transaction = pay(alice, { ...bob, address }, 1);

    expect(() => verifyTransaction(transaction)).toThrow(
      expect.objectContaining({ reason: 'weak-key' }),
    );
  });

  it('is not what others are, not even those that differ in one digit', () => {
    const others = WEAK.map(
      (key) => `${key.slice(0, 2)}${key[2] === '0' ? '1' : '0'}${key.slice(3)}`,
    );
    const honest = Array.from({ length: 50 }, (_, n) => keyPairFrom(`honest/${n}`).address);

    expect([...others, ...honest].filter(isWeakKey)).toEqual([]);
  });
});
