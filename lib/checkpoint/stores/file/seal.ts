import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Keyring, SealKey, SealKind } from './keyring.js';

/** What is added to each sealed piece: 128 bits of HMAC-SHA256, or the tag of AES-256-GCM. */
export const TAG_BYTES = 16;

/** A body as it goes into the file, and the tag that goes behind it. */
export interface Sealed {
  /** As long as it was; the very bytes that were given, where they are not encrypted. */
  readonly body: Uint8Array;
  readonly tag: Buffer;
}

/** Seals the pieces of one file: a batch, a chunk, a manifest. */
export interface Seal {
  /**
   * @param position the place of the piece in the file, never the same for two
   * @param about what is not part of the body, and may not be changed either
   */
  seal(position: number, about: Uint8Array, body: Uint8Array): Sealed;
  /** The body; undefined if it is not what was sealed at that place of that file. */
  open(position: number, about: Uint8Array, sealed: Uint8Array): Buffer | undefined;
}

/** For looking without a key: nothing may be done with a body that it gives. */
const blindSeal: Seal = {
  seal: () => {
    throw new Error('nothing is sealed without a key');
  },
  open: (_position, _about, sealed) => Buffer.from(sealed.subarray(0, -TAG_BYTES)),
};

/**
 * The same number is never used twice under one key. The key is that of this file alone: derived with 256
 * random bits that are drawn for it, and never drawn twice in practice (2^64 files: odds below 2^-128). And in
 * a file nothing is ever written to the same place twice: a segment is only appended to, and given up after
 * the first failure; a state is written from its beginning to its end, or thrown away.
 */
const nonceOf = (position: number): Buffer => {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(BigInt(position), 4);
  return nonce;
};

class EncryptionSeal implements Seal {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  seal(position: number, about: Uint8Array, body: Uint8Array): Sealed {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(position));
    cipher.setAAD(about);
    const encrypted = cipher.update(body);
    cipher.final(); // a stream cipher holds nothing back
    return { body: encrypted, tag: cipher.getAuthTag() };
  }

  open(position: number, about: Uint8Array, sealed: Uint8Array): Buffer | undefined {
    if (sealed.length < TAG_BYTES) return undefined;
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonceOf(position), options);
    decipher.setAAD(about);
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const body = decipher.update(sealed.subarray(0, -TAG_BYTES));
    try {
      decipher.final();
      return body;
    } catch {
      return undefined;
    }
  }
}

class IntegritySeal implements Seal {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  seal(position: number, about: Uint8Array, body: Uint8Array): Sealed {
    return { body, tag: this.tagOf(position, about, body) };
  }

  open(position: number, about: Uint8Array, sealed: Uint8Array): Buffer | undefined {
    if (sealed.length < TAG_BYTES) return undefined;
    const body = sealed.subarray(0, -TAG_BYTES);
    const whole = timingSafeEqual(sealed.subarray(-TAG_BYTES), this.tagOf(position, about, body));
    return whole ? Buffer.from(body.buffer, body.byteOffset, body.length) : undefined;
  }

  private tagOf(position: number, about: Uint8Array, body: Uint8Array): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(about.length);
    const mac = createHmac('sha256', this.#key);
    mac.update(nonceOf(position)).update(length).update(about).update(body);
    return mac.digest().subarray(0, TAG_BYTES);
  }
}

/**
 * What tells the key of a sealed file, in the file:
 *
 * | at | | |
 * |---|---|---|
 * | 0 | u32 | CRC-32 of what follows, so that rot does not pass for another key |
 * | 4 | u8 | 1 integrity, 2 encryption |
 * | 8 | 8 bytes | the key's mark |
 * | 16 | 32 bytes | random, drawn for this file |
 */
export const SEAL_HEAD_BYTES = 48;
const KINDS: readonly (SealKind | undefined)[] = [undefined, 'integrity', 'encryption'];

/** @param purpose what kind of file, of which store: bound to all that is sealed in it */
function sealOf(key: SealKey, head: Buffer, purpose: string): Seal {
  const fileKey = key.derive(head.subarray(16, SEAL_HEAD_BYTES), purpose, 32);
  return key.kind === 'encryption' ? new EncryptionSeal(fileKey) : new IntegritySeal(fileKey);
}

/** The seal of a new file. */
export function newSeal(key: SealKey, purpose: string): { readonly head: Buffer; seal: Seal } {
  const head = Buffer.alloc(SEAL_HEAD_BYTES);
  head.writeUInt8(KINDS.indexOf(key.kind), 4);
  head.write(key.mark, 8, 'hex');
  randomBytes(32).copy(head, 16);
  head.writeUInt32LE(crc32(head.subarray(4)), 0);
  return { head, seal: sealOf(key, head, purpose) };
}

/**
 * The seal of a file that is there; undefined if its head is damaged.
 *
 * @throws CheckpointError `CHECKPOINT_KEY` if the key is not ours
 */
export function findSeal(
  head: Buffer,
  keys: Keyring,
  purpose: string,
  where: string,
): Seal | undefined {
  if (head.length < SEAL_HEAD_BYTES) return undefined;
  const kind = KINDS[head.readUInt8(4)];
  if (kind === undefined || head.readUInt32LE(0) !== crc32(head.subarray(4, SEAL_HEAD_BYTES)))
    return undefined;
  if (keys.isBlind) return blindSeal;
  return sealOf(keys.keyOf(kind, head.toString('hex', 8, 16), where), head, purpose);
}
