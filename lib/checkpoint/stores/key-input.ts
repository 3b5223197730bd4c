import { type Mistake, show } from '../../kernel/check.js';

/** 32 bytes; or a list of such, of which the first is used for writing and all for reading. */
export type KeyInput = Uint8Array | readonly Uint8Array[];

/** The keys of a file store, as they are given. */
export interface KeyOptions {
  /**
   * Whoever does not have it cannot make files that we would read: everything carries an HMAC-SHA256 of it.
   * 32 random bytes, as Buffer or Uint8Array, or a list: the first writes, all read. Default none.
   */
  readonly integrityKey?: KeyInput | undefined;
  /**
   * Whoever does not have it can neither make nor read our files: AES-256-GCM. Writes in the place of
   * `integrityKey`, which then only reads. 32 random bytes, or a list as above. Default none.
   */
  readonly encryptionKey?: KeyInput | undefined;
  /**
   * With a key: whether files are read that were written before there was one, to take them over. Anybody
   * could have written those. Default false.
   */
  readonly acceptPlain?: boolean | undefined;
}

export const KEY_BYTES = 32;

/** The keys that an option stands for. */
export const keysOf = (input: KeyInput | undefined): readonly Uint8Array[] =>
  input === undefined ? [] : input instanceof Uint8Array ? [input] : input;

/** What is wrong with an option that is a key. Says of what came no more than its kind and length. */
function problemOf(input: unknown): string | undefined {
  const keys: unknown[] = Array.isArray(input) ? input : [input];
  const expected = `expected ${KEY_BYTES} bytes as Buffer or Uint8Array, or a list of such`;
  if (keys.length === 0) return `got an empty list, ${expected}`;
  const isBad = (key: unknown): boolean => !(key instanceof Uint8Array) || key.length !== KEY_BYTES;
  if (!keys.some(isBad)) return undefined;
  const bad = keys.find(isBad);
  if (bad instanceof Uint8Array) return `got ${bad.length} bytes, ${expected}`;
  // of a text not even the beginning, which `show` would give
  const kind = typeof bad === 'object' || bad === undefined ? show(bad) : `a ${typeof bad}`;
  return `got ${kind}, ${expected}`;
}

/** Every mistake in the keys of a file store. */
export function checkKeys(at: string, options: KeyOptions): Mistake[] {
  return (['integrityKey', 'encryptionKey'] as const).flatMap((name) => {
    const input = options[name];
    const problem = input === undefined ? undefined : problemOf(input);
    return problem === undefined ? [] : [{ at: `${at} ${name}`, problem }];
  });
}
