// Tables for a terminal and for docs, of runs over several seeds. Pure.
import { median } from './figures.mjs';

const percent = (share) => `${(share * 100).toFixed(1)} %`;
const whole = (ms) => (ms === undefined ? '-' : `${ms}`);
const seconds = (s) => (s === Number.POSITIVE_INFINITY ? 'never' : `${s}`);

/** What a column shows of the runs: the median, and where it is told from what to what. */
const COLUMNS = [
  ['of possible', 'ofPossible', percent, true],
  ['good/s in fault', 'goodInFault', (n) => n.toFixed(1), false],
  ['recovered after s', 'recovery', seconds, true],
  ['wasted work', 'wasted', percent, false],
  ['requests per call in fault', 'load', (n) => n.toFixed(2), false],
  ['refused', 'refused', percent, false],
  ['failed after ms', 'failedAfter', whole, false],
  ['p50 ms', 'p50', whole, false],
  ['p99 ms', 'p99', whole, false],
];

/** The medians of several runs. */
export function medianOf(runs) {
  return Object.fromEntries(
    COLUMNS.map(([, key]) => [key, median(runs.map((run) => finite(run[key])))]),
  );
}

/** `null` is a recovery that never came: the longest of all. */
const finite = (value) => (value === null ? Number.POSITIVE_INFINITY : value);

/** @param rows `[contender, runs]`, the runs of several seeds */
export function tableOf(rows) {
  const head = ['', ...COLUMNS.map(([title]) => title)];
  const body = rows.map(([contender, runs]) => [contender, ...cellsOf(runs)]);
  const widths = head.map((_, i) => Math.max(...[head, ...body].map((row) => row[i].length)));
  const line = (row) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = widths.map((width, i) =>
    i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...body.map(line)].join('\n');
}

function cellsOf(runs) {
  return COLUMNS.map(([, key, show, spread]) => {
    const all = runs.map((run) => finite(run[key])).filter((value) => value !== undefined);
    if (all.length === 0) return '-';
    const [low, high] = [Math.min(...all), Math.max(...all)].map(show);
    const middle = show(median(all));
    return spread && low !== high ? `${middle} (${low} to ${high})` : middle;
  });
}
