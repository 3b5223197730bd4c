import fc from 'fast-check';
import { Damping } from '../../../lib/health/damping.js';

/** Looks every `step` milliseconds; answers when what is told changed. */
function changes(
  damping: Damping,
  isGood: (at: number) => boolean,
  until: number,
  step = 100,
): [at: number, isGood: boolean][] {
  const found: [number, boolean][] = [];
  let last = true;
  for (let at = 0; at <= until; at += step) {
    const told = damping.look(isGood(at), at);
    if (told !== last) found.push([at, told]);
    last = told;
  }
  return found;
}

const MINUTE = 60_000;

describe('readiness', () => {
  it('gets worse at once, and better when it has been good for a while', () => {
    const isGood = (at: number): boolean => at < 1_000 || at >= 2_000;
    expect(changes(new Damping(5_000), isGood, MINUTE)).toEqual([
      [1_000, false],
      [7_000, true],
    ]);
  });

  it('counts the while anew from each time it was bad', () => {
    const isGood = (at: number): boolean => at < 1_000 || (at >= 2_000 && at !== 6_900);
    expect(changes(new Damping(5_000), isGood, MINUTE)).toEqual([
      [1_000, false],
      [12_000, true],
    ]);
  });

  it('#185 changes at most twice where a breaker toggles a hundred times a minute', () => {
    const isGood = (at: number): boolean => at >= 10 * MINUTE || Math.floor(at / 300) % 2 === 0;
    expect(changes(new Damping(5_000), isGood, 12 * MINUTE)).toEqual([
      [300, false],
      [10 * MINUTE + 5_000, true],
    ]);
  });

  it('#185 is held twice as long for each further fall in a minute, up to a minute', () => {
    const damping = new Damping(5_000);
    const holds: number[] = [];
    let now = 1_000_000;
    for (let i = 0; i < 8; i += 1) {
      damping.look(false, now);
      const fell = now;
      while (!damping.look(true, now)) now += 1_000;
      holds.push(now - fell);
    }
    // those that fell more than a minute ago are forgotten
    expect(holds.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(Math.max(...holds)).toBeLessThanOrEqual(MINUTE);
    now += MINUTE;
    damping.look(false, now);
    expect([damping.look(true, now), damping.look(true, now + 5_000)]).toEqual([false, true]);
  });

  it('forgets a fall after a minute', () => {
    const holdAfter = (wait: number): boolean => {
      const damping = new Damping(5_000);
      damping.look(false, 0);
      damping.look(true, 0);
      damping.look(true, 5_000);
      damping.look(false, wait);
      damping.look(true, wait);
      return damping.look(true, wait + 5_000);
    };
    expect([holdAfter(MINUTE - 1), holdAfter(MINUTE)]).toEqual([false, true]);
  });

  it('does not make those look twice who look less than once a minute', () => {
    const looks = (wait: number): boolean => {
      const damping = new Damping(5_000);
      damping.look(false, 0);
      return damping.look(true, wait);
    };
    expect([looks(MINUTE - 1), looks(MINUTE)]).toEqual([false, true]);
  });

  it('is held for longer than a minute where the application says so', () => {
    const damping = new Damping(2 * MINUTE);
    damping.look(false, 0);
    damping.look(true, 0);
    expect(damping.look(true, 2 * MINUTE - 1)).toBe(false);
    expect(damping.look(true, 2 * MINUTE)).toBe(true);
  });

  it('is never held with 0', () => {
    const isGood = (at: number): boolean => Math.floor(at / 300) % 2 === 0;
    expect(changes(new Damping(0), isGood, MINUTE).length).toBeGreaterThan(190);
  });

  const looks = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20_000 })), {
    maxLength: 300,
  });

  it('#185 whatever comes, it changes at most eight times in any minute', () => {
    fc.assert(
      fc.property(looks, (each) => {
        const damping = new Damping(5_000);
        const at: number[] = [];
        let [now, last] = [0, true];
        for (const [isGood, wait] of each) {
          now += wait;
          const told = damping.look(isGood, now);
          if (told !== last) at.push(now);
          last = told;
        }
        for (const from of at)
          expect(at.filter((t) => t >= from && t < from + MINUTE).length).toBeLessThanOrEqual(8);
      }),
    );
  });

  it('whatever comes, it never says good of what is bad, and good in the end of what stays good', () => {
    fc.assert(
      fc.property(looks, (each) => {
        const damping = new Damping(5_000);
        let now = 0;
        for (const [isGood, wait] of each) {
          now += wait;
          const told = damping.look(isGood, now);
          if (!isGood) expect(told).toBe(false);
        }
        damping.look(true, now);
        expect(damping.look(true, now + MINUTE)).toBe(true);
      }),
    );
  });
});
