import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { isHexadecimal } from '../codec/hexadecimal.js';
import { isWeakKey } from './weak-key.js';

/** The raw ed25519 public key, 32 bytes as 64 lower-case hexadecimal digits. */
export type Address = string;
/** An ed25519 signature, 64 bytes as 128 lower-case hexadecimal digits. */
export type Signature = string;

const verifyLater = promisify(verify);

/** What RFC 8410 puts in front of the 32 bytes of a private key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface KeyPair {
  readonly address: Address;
  sign(bytes: Buffer): Signature;
}

/** The same secret always gives the same pair: demo accounts and the tour's clients rely on it. */
export function keyPairFrom(secret: string): KeyPair {
  const seed = createHash('sha256').update(`banking-stage/key/${secret}`).digest();
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  return {
    address: addressOf(createPublicKey(key)),
    sign: (bytes) => sign(null, bytes, key).toString('hex'),
  };
}

export function isAddress(value: unknown): value is Address {
  return isHexadecimal(value, 64);
}

export function isSignature(value: unknown): value is Signature {
  return isHexadecimal(value, 128);
}

export function isSignedBy(address: Address, bytes: Buffer, signature: Signature): boolean {
  if (isWeakKey(address)) return false;
  return verify(null, bytes, publicKeyOf(address), Buffer.from(signature, 'hex'));
}

/** The same, worked out in another thread. */
export async function isSignedByLater(
  address: Address,
  bytes: Buffer,
  signature: Signature,
): Promise<boolean> {
  if (isWeakKey(address)) return false;
  return verifyLater(null, bytes, publicKeyOf(address), Buffer.from(signature, 'hex'));
}

function publicKeyOf(address: Address): KeyObject {
  const x = Buffer.from(address, 'hex').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function addressOf(publicKey: KeyObject): Address {
  const { x } = publicKey.export({ format: 'jwk' });
  return Buffer.from(x ?? '', 'base64url').toString('hex');
}
