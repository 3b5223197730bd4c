import { SeededRandom } from '../../../../sample/banking-stage/src/dice/seeded-random.js';

function rolls(seed: number, count: number): number[] {
  const dice = new SeededRandom(seed);
  return Array.from({ length: count }, () => dice.next());
}

describe('seeded random', () => {
  it('repeats itself for the same seed and differs for another', () => {
    expect(rolls(7, 20)).toEqual(rolls(7, 20));
    expect(rolls(7, 20)).not.toEqual(rolls(8, 20));
  });

  it('is spread evenly over [0, 1)', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const roll of rolls(1, 10_000)) tenths[Math.floor(roll * 10)]! += 1;

    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it('reaches both ends of a range and nothing beyond', () => {
    const dice = new SeededRandom(1);
    const seen = new Set(Array.from({ length: 1_000 }, () => dice.between(3, 6)));

    expect([...seen].toSorted()).toEqual([3, 4, 5, 6]);
  });
});
