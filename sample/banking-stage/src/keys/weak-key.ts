/**
 * The y coordinates of the eight ed25519 points whose order divides the cofactor 8, little-endian,
 * without the bit that holds the sign of x; each with and without that bit makes 14 encodings.
 *
 * OpenSSL, and so node:crypto, checks a signature by R = S*B - k*A. With A among these points k*A
 * takes at most eight values, so S = 0 and a guessed R pass for anyone, without a private key.
 * RFC 8032 has no such check; the list is that of libsodium (`ge25519_has_small_order`), and its
 * order-8 values follow from the curve: y^2 = (sqrt(1 + d) - 1) / d. The last two are 0 and 1
 * written as p and p + 1: RFC 8032 (5.1.3) refuses these, OpenSSL reduces them.
 */
const SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000', // order 4
  '0100000000000000000000000000000000000000000000000000000000000000', // order 1
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // order 2: p - 1
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', // order 8
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', // order 8
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // order 4 again: p
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // order 1 again: p + 1
]);

/** Whether anyone can sign for this public key, given as 64 lower-case hexadecimal digits. */
export function isWeakKey(publicKey: string): boolean {
  const lastByte = Number.parseInt(publicKey.slice(-2), 16) & 0x7f;
  return SMALL_ORDER_Y.has(publicKey.slice(0, -2) + lastByte.toString(16).padStart(2, '0'));
}
