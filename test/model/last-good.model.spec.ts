import fc from 'fast-check';
import { LastGood } from '../../lib/policies/fallback/last-good.js';
import { FakeClock } from '../../lib/testing/index.js';

const TTL = 100;
const MAX = 3;

/** Keeps everything, and works out anew each time what should be left. */
class NaiveMemory {
  private log: { key: string; value?: number; at: number }[] = [];

  keep(key: string, value: number, at: number): void {
    this.log.push({ key, value, at });
  }

  recall(key: string, now: number): { value: number; age: number } | undefined {
    const kept = this.log.findLast((entry) => entry.key === key && entry.value !== undefined);
    if (kept === undefined || now - kept.at >= TTL || !this.held(now).includes(key)) return;
    this.log.push({ key, at: now });
    return { value: kept.value!, age: now - kept.at };
  }

  /** Plays the log: who was used last stays. What is too old does not count where somebody new comes. */
  private held(now: number): string[] {
    let keys: string[] = [];
    const born = new Map<string, number>();
    for (const { key, value, at } of this.log) {
      keys = [...keys.filter((other) => other !== key), key];
      if (value === undefined) continue;
      born.set(key, at);
      while (keys.length > MAX || at - born.get(keys[0]!)! >= TTL) keys.shift();
    }
    return keys.filter((key) => now - born.get(key)! < TTL);
  }
}

it('gives what a naive memory gives, and never holds more than it may', () => {
  const step = fc.record({
    keep: fc.boolean(),
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    wait: fc.constantFrom(0, 0, 1, 30, 60, 99),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let now = 0;
      const clock = Object.assign(new FakeClock(), { now: () => now });
      const memory = new LastGood({ ttl: TTL, maxEntries: MAX, key: () => '' }, clock, () => {});
      const naive = new NaiveMemory();
      for (const [i, { keep, key, wait }] of steps.entries()) {
        now += wait;
        if (keep) {
          memory.keep(key, i);
          naive.keep(key, i, now);
        } else {
          expect(memory.recall(key)).toEqual(naive.recall(key, now));
        }
        expect(memory.size).toBeLessThanOrEqual(MAX);
      }
    }),
    { numRuns: 1_000 },
  );
});
