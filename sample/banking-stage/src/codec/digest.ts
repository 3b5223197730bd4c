import { createHash } from 'node:crypto';
import { canonical } from './canonical.js';

/** A sha-256 as 64 lower-case hexadecimal digits. */
export type Digest = string;

export const ZERO_DIGEST: Digest = '0'.repeat(64);

/**
 * The kind is part of what is hashed and signed, so that bytes signed as one thing can never be
 * passed off as another.
 */
export function canonicalBytes(kind: string, value: unknown): Buffer {
  return Buffer.from(`banking-stage/${kind}/v1\n${canonical(value)}`, 'utf8');
}

export function digest(kind: string, value: unknown): Digest {
  return createHash('sha256').update(canonicalBytes(kind, value)).digest('hex');
}
