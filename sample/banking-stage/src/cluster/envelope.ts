import type { IncomingHttpHeaders } from 'node:http';
import { isAddress, isSignature, isSignedBy } from '../keys/key-pair.js';
import type { Address, KeyPair } from '../keys/key-pair.js';

/** Bytes of one message: a whole block, or a page of them. */
export const MESSAGE_LIMIT = 8 * 1024 * 1024;

/** What a validator says to another carries its signature, over what it is about as well. */
export function sealHeaders(verb: string, body: string, by: KeyPair): Record<string, string> {
  return { 'x-validator': by.address, 'x-signature': by.sign(bytes(verb, Buffer.from(body))) };
}

/** Who signed it; undefined where nobody did. */
export function senderOf(
  headers: IncomingHttpHeaders,
  verb: string,
  body: Buffer,
): Address | undefined {
  const { 'x-validator': by, 'x-signature': signature } = headers;
  if (!isAddress(by) || !isSignature(signature)) return undefined;
  return isSignedBy(by, bytes(verb, body), signature) ? by : undefined;
}

function bytes(verb: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`banking-stage/message/v1\n${verb}\n`), body]);
}
