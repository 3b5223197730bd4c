import type { Clean } from '../record/clean.js';

const MAX_WORDS = 512;
const MAX_LENGTH = 64;

/**
 * Cleans names that come again and again, of methods, dependencies and rules, and remembers the
 * answers: at most 512, of at most 64 characters.
 */
export class Words {
  private readonly known = new Map<string, string>();

  constructor(private readonly clean: Clean) {}

  get(word: string, max: number): string {
    if (word.length > MAX_LENGTH) return this.clean(word, max);
    let clean = this.known.get(word);
    if (clean === undefined) {
      clean = this.clean(word, max);
      if (this.known.size >= MAX_WORDS) this.known.clear();
      // the key is a copy: what came may be a piece of something large
      this.known.set(clean === word ? clean : ` ${word}`.slice(1), clean);
    }
    return clean;
  }
}
