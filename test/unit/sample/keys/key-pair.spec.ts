import {
  isAddress,
  isSignature,
  isSignedBy,
  keyPairFrom,
} from '../../../../sample/banking-stage/src/keys/key-pair.js';

const message = Buffer.from('pay bob');

describe('key pair', () => {
  it('is the same for the same secret and another for another', () => {
    expect(keyPairFrom('a').address).toBe(keyPairFrom('a').address);
    expect(keyPairFrom('a').address).not.toBe(keyPairFrom('b').address);
  });

  it('signs so that its address, and no other, can be verified', () => {
    const signature = keyPairFrom('a').sign(message);

    expect(isAddress(keyPairFrom('a').address)).toBe(true);
    expect(isSignature(signature)).toBe(true);
    expect(isSignedBy(keyPairFrom('a').address, message, signature)).toBe(true);
    expect(isSignedBy(keyPairFrom('b').address, message, signature)).toBe(false);
    expect(isSignedBy(keyPairFrom('a').address, Buffer.from('pay eve'), signature)).toBe(false);
  });

  it('says no, and does not throw, for 32 bytes that are no public key', () => {
    const signature = keyPairFrom('a').sign(message);

    for (const byte of ['00', '01', '7f', 'ff']) {
      expect(isSignedBy(byte.repeat(32), message, signature)).toBe(false);
    }
  });

  it.each(['', 'ab', 'A'.repeat(64), 'g'.repeat(64), `${'a'.repeat(63)}\n`, 7, null])(
    'does not take %j for an address',
    (value) => {
      expect(isAddress(value)).toBe(false);
    },
  );
});
