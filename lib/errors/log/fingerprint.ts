import type { ErrorFacts } from '../error-context.js';
import { template } from './template.js';

/** Parts one text from the next, so that `ab` + `c` is not `a` + `bc`. */
const SEPARATOR = 0x1f;
/** The prime of FNV-1a 64 is 2^40 + 435. */
const PRIME_LOW = 435;

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
  const hash = new Fnv64();
  hash.add(component);
  hash.add(common);
  for (let f: ErrorFacts | undefined = facts; f !== undefined; f = f.cause) {
    hash.add(f.name);
    hash.add(f.code ?? '');
    hash.add(f.status === undefined ? '' : String(f.status));
  }
  return `v1:${hash.hex()}`;
}

/** FNV-1a, 64 bits (Fowler, Noll, Vo), over UTF-16 code units: for groups, not for secrets. */
class Fnv64 {
  private high = 0xcbf29ce4;
  private low = 0x84222325;

  add(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.step(text.charCodeAt(i));
    this.step(SEPARATOR);
  }

  hex(): string {
    return hex32(this.high) + hex32(this.low);
  }

  private step(unit: number): void {
    const low = (this.low ^ unit) >>> 0;
    const product = low * PRIME_LOW;
    const carry = Math.floor(product / 0x1_0000_0000);
    this.high = (Math.imul(this.high, PRIME_LOW) + (low << 8) + carry) >>> 0;
    this.low = product >>> 0;
  }
}

function hex32(word: number): string {
  return word.toString(16).padStart(8, '0');
}
