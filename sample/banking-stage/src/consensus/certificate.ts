import { canonicalBytes } from '../codec/digest.js';
import type { Digest } from '../codec/digest.js';
import { isAddress, isSignature, isSignedBy } from '../keys/key-pair.js';
import type { Address, KeyPair, Signature } from '../keys/key-pair.js';
import { isRecord } from '../chain/block-shape.js';
import { majorityOf } from './proposer.js';
import type { Slot } from './voting.js';

export interface Vote {
  readonly by: Address;
  readonly signature: Signature;
}

/** Says that a majority voted for a block in one and the same round: it is the block of its height for ever. */
export interface Certificate extends Slot {
  readonly hash: Digest;
  readonly votes: readonly Vote[];
}

export function signVote(slot: Slot, hash: Digest, by: KeyPair): Vote {
  return { by: by.address, signature: by.sign(voteBytes(slot, hash)) };
}

/** What is wrong with what should be a certificate; undefined where it is one. */
export function certificateProblem(
  certificate: unknown,
  validators: readonly Address[],
): string | undefined {
  if (!isCertificate(certificate)) return 'it has no certificate';
  const { height, round, hash, votes } = certificate;
  const voters = new Set<Address>();
  for (const { by, signature } of votes) {
    if (!validators.includes(by)) return 'somebody voted who is no validator';
    if (!isSignedBy(by, voteBytes({ height, round }, hash), signature)) {
      return 'a vote is not signed by its validator';
    }
    voters.add(by);
  }
  return voters.size < majorityOf(validators.length)
    ? `${voters.size} of ${validators.length} voted for it`
    : undefined;
}

export function isCertificate(value: unknown): value is Certificate {
  if (!isRecord(value)) return false;
  const { height, round, hash, votes } = value;
  return (
    Number.isSafeInteger(height) &&
    Number.isSafeInteger(round) &&
    isAddress(hash) &&
    Array.isArray(votes) &&
    votes.every((vote) => isRecord(vote) && isAddress(vote['by']) && isSignature(vote['signature']))
  );
}

function voteBytes({ height, round }: Slot, hash: Digest): Buffer {
  return canonicalBytes('vote', { height, round, hash });
}
