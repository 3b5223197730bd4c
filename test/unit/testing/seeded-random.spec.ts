import { seededRandom } from '../../../lib/testing/index.js';

it('seeded dice fall the same way for the same seed, from 0 up to below 1, evenly', () => {
  const [one, same, other] = [seededRandom(1), seededRandom(1), seededRandom(2)];
  const throws = Array.from({ length: 10_000 }, one);

  expect(Array.from({ length: 10_000 }, same)).toEqual(throws);
  expect(Array.from({ length: 10_000 }, other)).not.toEqual(throws);
  expect(throws.every((value) => value >= 0 && value < 1)).toBe(true);
  expect(throws.reduce((sum, value) => sum + value) / throws.length).toBeCloseTo(0.5, 1);
});
