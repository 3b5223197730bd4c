import type { Stored } from '../value/values.js';

/** How many answers a component remembers. */
const MAX_ANSWERS = 10_000;

/** The answers of the last calls that had a name. */
export class Answers {
  private readonly kept = new Map<string, Stored>();

  has(key: string): boolean {
    return this.kept.has(key);
  }

  get(key: string): Stored {
    return this.kept.get(key);
  }

  keep(key: string, answer: Stored): void {
    this.kept.delete(key);
    this.kept.set(key, answer);
    if (this.kept.size <= MAX_ANSWERS) return;
    const [oldest] = this.kept.keys();
    this.kept.delete(oldest!);
  }

  entries(): [string, Stored][] {
    return [...this.kept];
  }
}
