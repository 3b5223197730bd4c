// What the benchmark makes of its nanoseconds: of these figures claims are made.
// @ts-expect-error -- a script without types
import * as arithmetic from '../../bench/arithmetic.mjs';

interface Case {
  readonly bare_ns: number;
  readonly ours_ns: number;
  readonly floor_ns: number;
  readonly peers: Record<string, number>;
  readonly ratio: Record<string, number>;
  readonly spread: Record<string, number>;
}
type Round = Record<string, Record<string, number>>;

const { agreement, compare, floorOf, median, spreadOf, usual, verdictOf } = arithmetic as {
  agreement(results: Record<string, Pick<Case, 'ratio'>>[]): {
    title: string;
    peer: string;
    apart: number;
  }[];
  compare(rounds: Round[]): Record<string, Case>;
  floorOf(bare: number): number;
  median(numbers: number[]): number;
  spreadOf(numbers: number[]): number;
  usual(numbers: number[]): number;
  verdictOf(points: Record<string, number>): { growth: number; flat: boolean };
};

const round = (bare: number, ours: number, peer: number): Round => ({
  bare: { breaker: bare },
  ours: { breaker: ours },
  peer: { breaker: peer },
});

describe('the median', () => {
  it('is the middle one, of an even number the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([1, 9, 5, 7])).toBe(6);
    expect(median([3])).toBe(3);
  });

  it('leaves its numbers in their order', () => {
    const numbers = [3, 1, 2];

    median(numbers);

    expect(numbers).toEqual([3, 1, 2]);
  });
});

describe('the spread', () => {
  it('is the range of the middle half as a share of the median', () => {
    expect(spreadOf([80, 90, 100, 110, 1_000])).toBeCloseTo(0.2);
    expect(spreadOf([1, 2])).toBeCloseTo(0.5 / 1.5);
  });

  it('is nothing for one round, or for rounds that agree', () => {
    expect(spreadOf([7])).toBe(0);
    expect(spreadOf([7, 7, 7])).toBe(0);
  });
});

it('what is usual is the mean of the faster three quarters', () => {
  expect(usual([9_000, 1, 3, 2])).toBe(2);
  expect(usual([5, 9])).toBe(5);
  expect(usual([7])).toBe(7);
});

describe('a comparison', () => {
  it('takes the bare method off both sides', () => {
    const { breaker } = compare([round(40, 140, 240), round(100, 200, 300), round(60, 160, 260)]);

    expect(breaker).toEqual({
      bare_ns: 50,
      ours_ns: 100,
      floor_ns: 20,
      peers: { peer: 200 },
      ratio: { peer: 0.5 },
      spread: { peer: 0 },
    });
  });

  it('is of the faster rounds of each, so that a round on a busy machine says nothing', () => {
    const { breaker } = compare([round(900, 140, 240), round(40, 950, 260), round(60, 160, 9_500)]);

    expect(breaker!.ours_ns).toBe(100);
    expect(breaker!.ratio).toEqual({ peer: 0.5 });
  });

  it('makes no ratio of a peer whose cost is below the floor', () => {
    const { breaker } = compare([round(50, 150, 65)]);

    expect(breaker!.peers).toEqual({ peer: 15 });
    expect(breaker!.ratio).toEqual({});
  });

  it('counts our own cost as the floor where it is below, or even less than nothing', () => {
    expect(compare([round(50, 55, 250)])['breaker']!.ratio).toEqual({ peer: 0.1 });
    expect(compare([round(50, 45, 250)])['breaker']!.ratio).toEqual({ peer: 0.1 });
  });

  it('leaves out what a peer has not', () => {
    const one = { bare: { a: 10, b: 10 }, ours: { a: 110, b: 110 }, peer: { a: 60 } };

    const cases = compare([one]);

    expect(cases['a']!.ratio).toEqual({ peer: 2 });
    expect(cases['b']).toMatchObject({ ours_ns: 100, peers: {}, ratio: {}, spread: {} });
  });
});

it('the floor is 20 ns, or a twentieth of a bare method that takes longer', () => {
  expect(floorOf(50)).toBe(20);
  expect(floorOf(1_000)).toBe(50);
});

it('results agree as far as their ratios do, the worst first', () => {
  const a = { one: { ratio: { x: 1, y: 2 } } };
  const b = { one: { ratio: { x: 1.1, y: 2 } } };
  const c = { one: { ratio: { x: 0.9, y: 2.2 } } };

  expect(agreement([a, b, c])).toMatchObject([
    { title: 'one', peer: 'x', apart: expect.closeTo(0.2) as number },
    { title: 'one', peer: 'y', apart: expect.closeTo(0.1) as number },
  ]);
});

it('a curve is flat if its end costs less than half more than its beginning', () => {
  expect(verdictOf({ 1: 100, 10: 400, 100: 149 })).toEqual({ growth: 1.49, flat: true });
  expect(verdictOf({ 1: 100, 10: 100, 100: 151 })).toEqual({ growth: 1.51, flat: false });
});
