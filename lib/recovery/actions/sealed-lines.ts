import type { Keyring } from '../../checkpoint/stores/file/keyring.js';
import { findSeal, newSeal, type Seal } from '../../checkpoint/stores/file/seal.js';

const PURPOSE = 'actions';
const HEAD = 'sealed ';
const NOTHING = Buffer.alloc(0);

/** The lines of one file: JSON as it is, or where there is a key, sealed one by one. */
export class LinesOut {
  /** What the file begins with. */
  readonly head: string;
  private readonly seal: Seal | undefined;
  /** Never the same twice, also not for a line that could not be written. */
  private number = 0;

  constructor({ writing }: Keyring) {
    const sealed = writing && newSeal(writing, PURPOSE);
    this.seal = sealed?.seal;
    this.head = sealed === undefined ? '' : `${HEAD}${sealed.head.toString('base64')}\n`;
  }

  of(items: readonly object[]): string {
    return items.map((item) => `${this.line(JSON.stringify(item))}\n`).join('');
  }

  private line(text: string): string {
    if (this.seal === undefined) return text;
    this.number += 1;
    const { body, tag } = this.seal.seal(this.number, NOTHING, Buffer.from(text));
    return `${this.number} ${Buffer.concat([body, tag]).toString('base64')}`;
  }
}

/**
 * The lines of a file that are whole.
 *
 * @param where for messages
 * @throws CheckpointError `CHECKPOINT_KEY` if there is no key for it, or it has none where one is asked for
 */
export function linesIn(text: string, keys: Keyring, where: string): string[] {
  const lines = text.split('\n');
  if (lines[0]?.startsWith(HEAD) !== true) {
    keys.assertPlain(where);
    return lines;
  }
  const seal = findSeal(Buffer.from(lines[0].slice(HEAD.length), 'base64'), keys, PURPOSE, where);
  return lines.slice(1).flatMap((line) => {
    const [number, sealed = ''] = line.split(' ');
    if (!/^\d{1,15}$/.test(number!)) return [];
    return seal?.open(Number(number), NOTHING, Buffer.from(sealed, 'base64'))?.toString() ?? [];
  });
}
