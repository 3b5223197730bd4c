// From nanoseconds to what is claimed: pure, so that it can be tested.

/** Nanoseconds below which a cost over the bare method cannot be told from nothing. */
const LEAST = 20;
/** The share of the bare method's own cost below which it cannot either. */
const LEAST_SHARE = 0.05;

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * The mean of the faster three quarters. What makes a round slow is mostly the machine, so the slowest say
 * nothing; the fastest alone would be a matter of luck, for how code is compiled differs from process to process.
 */
export function usual(numbers) {
  const fast = numbers.toSorted((a, b) => a - b).slice(0, Math.max(1, numbers.length * 0.75));
  return fast.reduce((sum, each) => sum + each, 0) / fast.length;
}

/** The cost below which no ratio is made of it: 20 ns, or a twentieth of what the bare method takes. */
export const floorOf = (bare) => Math.max(LEAST, bare * LEAST_SHARE);

/**
 * How far the rounds are apart: the range of their middle half, as a share of their median. 0 for one round.
 */
export function spreadOf(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (share) => {
    const place = share * (sorted.length - 1);
    const low = Math.floor(place);
    return sorted[low] + (sorted[Math.ceil(place)] - sorted[low]) * (place - low);
  };
  return (at(0.75) - at(0.25)) / median(sorted);
}

/**
 * What each case costs over the bare method, and our share of what each peer costs, each as
 * it usually is in the rounds.
 *
 * Our own cost counts as the floor where it is below, so that such a ratio says "at most"; of a
 * peer's that is below there is no ratio.
 *
 * @param rounds of each round, the nanoseconds of each case of each contender
 */
export function compare(rounds) {
  const [first] = rounds;
  const peers = Object.keys(first).filter((name) => name !== 'bare' && name !== 'ours');
  const cases = {};
  for (const title of Object.keys(first.ours)) {
    const nsOf = (name) => usual(rounds.map((round) => round[name][title]));
    const bare = nsOf('bare');
    const floor = floorOf(bare);
    const ours = nsOf('ours') - bare;
    const entry = {
      bare_ns: bare,
      ours_ns: ours,
      floor_ns: floor,
      peers: {},
      ratio: {},
      spread: {},
    };
    for (const peer of peers.filter((name) => title in first[name])) {
      const theirs = nsOf(peer) - bare;
      entry.peers[peer] = theirs;
      if (theirs < floor) continue;
      entry.ratio[peer] = Math.max(ours, floor) / theirs;
      entry.spread[peer] = spreadOf(rounds.map((round) => ratioIn(round, title, peer, floor)));
    }
    cases[title] = entry;
  }
  return cases;
}

function ratioIn(round, title, peer, floor) {
  const over = (name) => Math.max(round[name][title] - round.bare[title], floor);
  return over('ours') / over(peer);
}

/** The largest difference of each ratio between several results, as a share of their median; the worst first. */
export function agreement(results) {
  const [first] = results;
  const rows = Object.entries(first).flatMap(([title, { ratio }]) =>
    Object.keys(ratio).map((peer) => {
      const ratios = results.map((cases) => cases[title]?.ratio[peer]).filter(Number.isFinite);
      const apart = (Math.max(...ratios) - Math.min(...ratios)) / median(ratios);
      return { title, peer, ratios, apart };
    }),
  );
  return rows.toSorted((a, b) => b.apart - a.apart);
}

/** What grows less than this from one end of a curve to the other is flat. */
const FLAT = 1.5;

/**
 * Whether a curve is flat: its last point against its first.
 *
 * @param points nanoseconds by size
 */
export function verdictOf(points) {
  const costs = Object.values(points);
  const growth = costs.at(-1) / costs[0];
  return { growth, flat: growth < FLAT };
}
