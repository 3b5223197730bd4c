/** At most so many are named. */
const MOST = 3;

/** The names that somebody may have meant by this one, the nearest first. */
export function nearestNames(meant: string, names: readonly string[]): string[] {
  const allowed = Math.max(1, Math.floor(meant.length / 3));
  return names
    .map((name) => ({ name, away: distance(meant, name) }))
    .filter(({ away }) => away <= allowed)
    .sort((a, b) => a.away - b.away)
    .slice(0, MOST)
    .map(({ name }) => name);
}

/** Edits from one to the other; the module before a class of which there are two is easily forgotten. */
function distance(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  return x === y || y.endsWith(`/${x}`) || x.endsWith(`/${y}`) ? 0 : edits(x, y);
}

/** Vladimir Levenshtein's distance, by the rows of the table of Wagner and Fischer (1974). */
function edits(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, swap));
    }
    above = row;
  }
  return above[b.length]!;
}
