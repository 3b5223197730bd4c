import { createHash } from 'node:crypto';
import { isAddress, isSignature, isSignedBy } from '../keys/key-pair.js';
import type { Address, KeyPair } from '../keys/key-pair.js';

/** Bytes of one message: a whole block, or a page of them. */
export const MESSAGE_LIMIT = 8 * 1024 * 1024;

/** Who says something, and the digest of it, so that a stranger is known before the rest is read. */
export interface Seal {
  readonly by: Address;
  readonly signature: string;
  holds(body: Buffer): boolean;
}

/** What a validator says to another carries its signature, over what it is about as well. */
export function sealHeaders(about: string, body: string, by: KeyPair): Record<string, string> {
  const digest = digestOf(Buffer.from(body));
  return {
    'x-validator': by.address,
    'x-digest': digest,
    'x-signature': by.sign(bytes(about, digest)),
  };
}

/** The seal of what is about to be read; undefined where nobody signed it. */
export function sealOf(
  headers: Readonly<Record<string, unknown>>,
  about: string,
): Seal | undefined {
  const { 'x-validator': by, 'x-digest': digest, 'x-signature': signature } = headers;
  if (!isAddress(by) || !isAddress(digest) || !isSignature(signature)) return undefined;
  if (!isSignedBy(by, bytes(about, digest), signature)) return undefined;
  return { by, signature, holds: (body) => digestOf(body) === digest };
}

/** An answer is about one question: nobody else's can be passed off as it, nor one of another day. */
export function answerTo(signature: string): string {
  return `answer to ${signature}`;
}

function digestOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

function bytes(about: string, digest: string): Buffer {
  return Buffer.from(`banking-stage/message/v1\n${about}\n${digest}`);
}
