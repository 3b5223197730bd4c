import { coOccurring, type Sighting } from '../../../../lib/errors/correlation/co-occurrence.js';

const at = (seconds: number, ...kinds: string[]): Sighting[] =>
  kinds.map((fingerprint, i) => ({ fingerprint, at: seconds * 1_000 + i }));

describe('kinds of errors that come together', () => {
  it('are found with how often and in which order', () => {
    const sightings = [
      at(5, 'cause', 'effect'),
      at(105, 'cause', 'effect'),
      at(205, 'cause', 'effect'),
    ];
    const [[kind, found], ...others] = [...coOccurring('effect', sightings.flat())] as [
      [string, { lift: number; overlap: number; leads: number }],
    ];

    expect(kind).toBe('cause');
    expect(others).toEqual([]);
    expect(found.overlap).toBe(1);
    expect(found.leads).toBe(1);
    expect(found.lift).toBeCloseTo(7, 0); // 3 of 21 stretches, less for the older ones
    expect(coOccurring('cause', sightings.flat()).get('effect')?.leads).toBe(0);
  });

  it('are of no order where they come at the same moment', () => {
    const sightings = [5, 105, 205].flatMap((s) => [...at(s, 'a'), ...at(s, 'b')]);

    expect(coOccurring('a', sightings).get('b')?.leads).toBe(0.5);
  });

  it('are of the order of the first ones, however often they come', () => {
    const sightings = [5, 105, 205].flatMap((s) => at(s, 'a', 'b', 'a', 'a'));

    expect(coOccurring('a', sightings).get('b')?.leads).toBe(0);
  });

  it('must have come together three times', () => {
    const sightings = [at(5, 'a', 'b'), at(105, 'a', 'b'), at(205, 'a'), at(305, 'b')].flat();

    expect(coOccurring('a', sightings).size).toBe(0);
  });

  it('are not those that come all the time anyway', () => {
    const noise = Array.from({ length: 60 }, (_, i) =>
      at(i * 10 + 5, 'noise', ...(i % 20 === 0 ? ['a'] : [])),
    );

    expect(coOccurring('a', noise.flat()).size).toBe(0);
  });

  it('weigh less the older they are: by half in ten minutes', () => {
    const old = [0, 100, 200].flatMap((s) => at(s + 5, 'a', 'b'));
    const apart = [1_400, 1_500, 1_600].flatMap((s) => [...at(s + 5, 'a'), ...at(s + 45, 'b')]);

    const { overlap } = coOccurring('a', [...old, ...apart]).get('b')!;
    expect(overlap).toBeGreaterThan(0.05);
    expect(overlap).toBeLessThan(0.15); // without decay 3 of 9
  });

  it('are looked for no longer than an hour back', () => {
    const old = [0, 100, 200].flatMap((s) => at(s + 5, 'a', 'b'));

    expect(coOccurring('a', [...old, ...at(3_604, 'c')]).has('b')).toBe(true);
    expect(coOccurring('a', [...old, ...at(3_606, 'c')]).has('b')).toBe(false);
  });

  it('are looked for among the 200 most frequent kinds, and always the one asked for', () => {
    const frequent = Array.from({ length: 200 }, (_, k) =>
      [500, 510, 520, 530].flatMap((s) => at(s, `k${k}`)),
    );
    const rare = [5, 105, 205].flatMap((s) => at(s, 'a', 'b'));
    const found = coOccurring(
      'a',
      [...rare, ...frequent.flat()].toSorted((x, y) => x.at - y.at),
    );

    expect(found.size).toBe(0);
    expect(coOccurring('a', rare).has('b')).toBe(true);
  });

  it('are none of a kind that was not seen', () => {
    expect(coOccurring('x', at(5, 'a')).size).toBe(0);
    expect(coOccurring('x', []).size).toBe(0);
  });
});
