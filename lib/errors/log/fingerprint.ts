import type { ErrorFacts } from '../error-context.js';
import { template } from './template.js';

/** Parts one text from the next, so that `ab` + `c` is not `a` + `bc`. */
const SEPARATOR = 0x1f;

/**
 * The kind of an error: the same for errors of one component with the same name, code, status, and
 * message but for what differs from call to call (see `template`), and with causes of the same
 * names and codes. It is the same in every process and after every restart, and with a stack as
 * without. `v1` is this algorithm: one that groups otherwise gets another number.
 */
export function fingerprint(facts: ErrorFacts, component: string): string {
  return fingerprintOf(facts, template(facts.message), component);
}

/** The same where the template of the message is known. */
export function fingerprintOf(facts: ErrorFacts, common: string, component: string): string {
  const hash = new Hash();
  hash.add(component);
  hash.add(common);
  for (let f: ErrorFacts | undefined = facts; f !== undefined; f = f.cause) {
    hash.add(f.name);
    hash.add(f.code ?? '');
    hash.add(f.status === undefined ? '' : String(f.status));
  }
  return `v1:${hash.hex()}`;
}

/** Whether two errors of one component are of one kind beyond doubt, found out without a template. */
export function isSame(a: ErrorFacts, b: ErrorFacts): boolean {
  return (
    a.message === b.message &&
    a.name === b.name &&
    a.code === b.code &&
    a.status === b.status &&
    (a.cause === undefined || b.cause === undefined
      ? a.cause === b.cause
      : isSame(a.cause, b.cause))
  );
}

/**
 * Two lanes of FNV-1a over UTF-16 code units (Fowler, Noll, Vo), 32 bits each, the second with
 * another prime, and finished as MurmurHash3 is (Appleby). For groups, not for secrets: 64-bit
 * arithmetic, which plain FNV-1a 64 would need, takes ten times as long here.
 */
class Hash {
  private one = 0x811c9dc5;
  private two = 0x2c1b3c6d;

  add(text: string): void {
    let { one, two } = this;
    for (let i = 0; i <= text.length; i += 1) {
      const unit = i < text.length ? text.charCodeAt(i) : SEPARATOR;
      one = Math.imul(one ^ unit, 0x01000193);
      two = Math.imul(two ^ unit, 0x85ebca6b);
    }
    this.one = one;
    this.two = two;
  }

  hex(): string {
    return hex32(mix(this.one)) + hex32(mix(this.two ^ (this.one >>> 16)));
  }
}

function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** `toString(16)` takes ten times as long. */
function hex32(word: number): string {
  const upper = HEX[word >>> 24]! + HEX[(word >>> 16) & 0xff]!;
  return upper + HEX[(word >>> 8) & 0xff]! + HEX[word & 0xff]!;
}
