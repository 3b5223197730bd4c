import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { CheckpointError } from '../../checkpoint.error.js';
import { type KeyOptions, keysOf } from '../key-input.js';

/** What a key does to what it seals. */
export type SealKind = 'integrity' | 'encryption';

/** A key in use. What it is made of shows in no log. */
export class SealKey {
  /** Tells it from other keys, and nothing about it: 16 hex digits. */
  readonly mark: string;
  readonly #secret: KeyObject;

  constructor(
    readonly kind: SealKind,
    bytes: Uint8Array,
  ) {
    this.#secret = createSecretKey(bytes);
    this.mark = this.derive(Buffer.alloc(0), 'mark', 8).toString('hex');
  }

  /** HKDF (RFC 5869): another key for each salt and purpose, which tells nothing about this one. */
  derive(salt: Uint8Array, purpose: string, length: number): Buffer {
    const info = `bulwark 1 ${this.kind} ${purpose}`;
    return Buffer.from(hkdfSync('sha256', this.#secret, salt, info, length));
  }
}

/** Which files may be read, and how those are written that we make. */
export class Keyring {
  /** No key: what is sealed is refused. */
  static readonly none = new Keyring([], true);
  /** For looking only: nothing that is sealed is believed, and none of it refused. */
  static readonly blind = new Keyring([], true, true);

  private constructor(
    private readonly keys: readonly SealKey[],
    /** Whether what was written without a key is read. */
    readonly readsPlain: boolean,
    readonly isBlind = false,
  ) {}

  static of({ integrityKey, encryptionKey, acceptPlain }: KeyOptions): Keyring {
    const keys = [
      ...keysOf(encryptionKey).map((bytes) => new SealKey('encryption', bytes)),
      ...keysOf(integrityKey).map((bytes) => new SealKey('integrity', bytes)),
    ];
    return keys.length === 0 ? Keyring.none : new Keyring(keys, acceptPlain === true);
  }

  /** Seals what we write; undefined: it is written plain. */
  get writing(): SealKey | undefined {
    return this.keys[0];
  }

  /** @throws CheckpointError `CHECKPOINT_KEY` if that key is not among ours */
  keyOf(kind: SealKind, mark: string, where: string): SealKey {
    const key = this.keys.find((one) => one.kind === kind && one.mark === mark);
    if (key !== undefined) return key;
    const option = `${kind}Key`;
    const given = this.keys.some((one) => one.kind === kind);
    throw keyError(
      given
        ? `${where} was written with another ${option} than is given here. Give the one it was written with, behind the present one in a list if that is to follow it.`
        : `${where} was written with an ${option}, and none is given here.`,
    );
  }

  /** @throws CheckpointError `CHECKPOINT_KEY` for a file that anybody could have written */
  assertPlain(where: string): void {
    if (this.readsPlain) return;
    throw keyError(
      `${where} was written without a key, so anybody could have. If it is yours from before there was one, ` +
        '`acceptPlain: true` takes it over.',
    );
  }

  /** The same for a part of a checkpoint. @param mark of the key that sealed it */
  assertReadable(mark: string | undefined, where: string): void {
    if (mark === undefined) return this.assertPlain(where);
    if (this.keys.some((key) => key.mark === mark)) return;
    throw keyError(`${where} was written with another key than is given here.`);
  }
}

export const keyError = (message: string): CheckpointError =>
  new CheckpointError('CHECKPOINT_KEY', `${message} Nothing was changed.`);

/** Whole by its checksum, and yet not from a holder of the key: no accident does that. */
export const forged = (where: string): CheckpointError =>
  keyError(
    `${where} was changed, or put there, by somebody who does not have the key: its seal is broken.`,
  );

export const isKeyError = (error: unknown): error is CheckpointError =>
  error instanceof CheckpointError && error.code === 'CHECKPOINT_KEY';
