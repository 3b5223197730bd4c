import type { Milliseconds } from '../../kernel/duration.js';

/** How two kinds of errors go together. */
export interface Together {
  /** How many times as often as chance would have it they come in the same 10 s. */
  readonly lift: number;
  /** Share of the stretches with one of them that have both, 0 to 1. */
  readonly overlap: number;
  /** Share of the stretches with both in which the second came first: 1 it always leads, 0 always follows. */
  readonly leads: number;
}

/** One error as far as its time and kind go. */
export interface Sighting {
  readonly fingerprint: string;
  readonly at: Milliseconds;
}

const STRETCH: Milliseconds = 10_000;
const HALF_LIFE: Milliseconds = 600_000;
/** No more than this is looked back, and no more than so many kinds are looked at: the most frequent. */
const LOOK_BACK: Milliseconds = 3_600_000;
const KINDS = 200;
/** Stretches that two kinds must share, and how much more often than by chance. */
const SUPPORT = 3;
const LIFT = 2;

/** When each kind was first seen in one stretch of time. */
type Stretch = Map<string, Milliseconds>;

/**
 * Which kinds of errors come together with one of them, from errors of the last hour: the time is
 * cut into stretches of 10 s, those that have both kinds are compared with what chance would give
 * (lift, as in S. Brin, R. Motwani, J. Ullman, S. Tsur, "Dynamic Itemset Counting", SIGMOD 1997), and
 * old stretches count less, by half every 10 minutes.
 *
 * @param sightings oldest first
 */
export function coOccurring(
  fingerprint: string,
  sightings: readonly Sighting[],
): ReadonlyMap<string, Together> {
  const newest = sightings.at(-1)?.at ?? 0;
  const recent = sightings.filter(({ at }) => newest - at < LOOK_BACK);
  const stretches = cut(recent, mostFrequent(fingerprint, recent));

  const own = new Map<string, number>();
  const shared = new Map<string, { weight: number; stretches: number; led: number }>();
  for (const [index, stretch] of stretches) {
    const weight = weightOf(index, newest);
    const mine = stretch.get(fingerprint);
    for (const [other, at] of stretch) {
      own.set(other, (own.get(other) ?? 0) + weight);
      if (mine === undefined || other === fingerprint) continue;
      const both = shared.get(other) ?? { weight: 0, stretches: 0, led: 0 };
      both.weight += weight;
      both.stretches += 1;
      both.led += at < mine ? weight : at === mine ? weight / 2 : 0;
      shared.set(other, both);
    }
  }

  const all = allTime(recent, newest);
  const found = new Map<string, Together>();
  for (const [other, { weight, stretches, led }] of shared) {
    const [a, b] = [own.get(fingerprint)!, own.get(other)!];
    const lift = (weight * all) / (a * b);
    if (stretches < SUPPORT || lift < LIFT) continue;
    found.set(other, { lift, overlap: weight / (a + b - weight), leads: led / weight });
  }
  return found;
}

function mostFrequent(fingerprint: string, sightings: readonly Sighting[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { fingerprint } of sightings) {
    counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1);
  }
  const ranked = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, KINDS);
  return new Set([fingerprint, ...ranked.map(([kind]) => kind)]);
}

function cut(sightings: readonly Sighting[], kinds: ReadonlySet<string>): Map<number, Stretch> {
  const stretches = new Map<number, Stretch>();
  for (const { fingerprint, at } of sightings) {
    if (!kinds.has(fingerprint)) continue;
    const index = Math.floor(at / STRETCH);
    let stretch = stretches.get(index);
    if (stretch === undefined) stretches.set(index, (stretch = new Map()));
    if (!stretch.has(fingerprint)) stretch.set(fingerprint, at);
  }
  return stretches;
}

/** The weight of all stretches, those without errors too. */
function allTime(sightings: readonly Sighting[], newest: Milliseconds): number {
  const first = Math.floor((sightings[0]?.at ?? newest) / STRETCH);
  let sum = 0;
  for (let i = first; i <= Math.floor(newest / STRETCH); i += 1) sum += weightOf(i, newest);
  return sum;
}

function weightOf(index: number, newest: Milliseconds): number {
  return 0.5 ** ((Math.floor(newest / STRETCH) - index) * (STRETCH / HALF_LIFE));
}
