// `node test/bench/report.mjs <result.json> ...`: what `npm run bench -- --json` found, as tables. Of several
// results also how far their ratios are apart.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { agreement } from './arithmetic.mjs';
import { BARS, CASES } from './cases.mjs';

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) =>
  [row(head), row(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(row)].join('\n');
const percent = (share) => `${Math.round(share * 100)} %`;
const nanoseconds = (ns, floor) => (ns < floor ? '≈ 0' : Math.round(ns).toLocaleString('en'));

function ratioCell(title, peer, { ours_ns, floor_ns, ratio, spread }) {
  const value = ratio[peer];
  if (value === undefined) return '≈ 0 there';
  const { must } = BARS[title]?.[peer] ?? {};
  const bar = must === undefined ? '' : value <= must ? ` (≤ ${must})` : ` (≤ ${must}: MISSED)`;
  const sign = ours_ns < floor_ns ? '< ' : '';
  return `${sign}${value.toFixed(value < 0.1 ? 3 : 2)} ±${percent(spread[peer] / 2)}${bar}`;
}

/** Costs of all contenders, and what ours are of theirs. */
export function costTable(cases) {
  const peers = [...new Set(Object.values(cases).flatMap(({ peers: all }) => Object.keys(all)))];
  const head = ['case', 'bare', 'ours, ns', ...peers.flatMap((peer) => [`${peer}, ns`, 'ratio'])];
  const rows = Object.entries(cases).map(([title, entry]) => [
    `${title}: ${CASES[title]?.what ?? ''}`,
    Math.round(entry.bare_ns),
    nanoseconds(entry.ours_ns, entry.floor_ns),
    ...peers.flatMap((peer) =>
      peer in entry.peers
        ? [nanoseconds(entry.peers[peer], entry.floor_ns), ratioCell(title, peer, entry)]
        : ['-', '-'],
    ),
  ]);
  return table(head, rows);
}

function barTable(cases) {
  const rows = Object.entries(BARS).flatMap(([title, peers]) =>
    Object.entries(peers).map(([peer, { must, aim }]) => {
      const value = cases[title]?.ratio[peer];
      if (value === undefined) return [`${title} / ${peer}`, '-', must, aim, '-'];
      const verdict = value <= aim ? 'aim reached' : value <= must ? 'held' : 'MISSED';
      return [`${title} / ${peer}`, value.toFixed(2), must, aim, verdict];
    }),
  );
  return table(['ratio', 'measured', 'must', 'aim', ''], rows);
}

/** What calls and breakers weigh. */
export function memoryTables({ allocation, kept, breaker, keys }) {
  const names = [...new Set(Object.values(allocation).flatMap(Object.keys))];
  const rows = Object.entries(allocation).map(([title, bytes]) => [
    title,
    ...names.map((name) => bytes[name]?.toLocaleString('en') ?? '-'),
  ]);
  const list = (all) => Object.entries(all).map(([key, n]) => [key, n.toLocaleString('en')]);
  return [
    'Bytes allocated per call, over the bare method',
    table(['case', ...names], rows),
    'Bytes more on the heap after 1,000,000 calls, ours',
    table(['case', 'bytes'], list(kept)),
    'Bytes of one idle breaker',
    table(['contender', 'bytes'], list(breaker)),
    'Bytes on the heap after so many different keys, ours, `maxKeys` 1,000',
    table(['keys', 'bytes'], list(keys)),
  ];
}

function origin({ environment, rounds }) {
  const { machine, platform, node, packages, date } = environment;
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return `${date}, Node ${node}, ${machine}, ${platform}; ${versions.join(', ')}. The mean of the faster three quarters of ${rounds} rounds; ± is half the range of the middle half of their ratios.`;
}

/** All tables of a result. */
export function report(result) {
  const { cases, asyncLocalStorage, memory } = result;
  const parts = [origin(result)];
  if (!result.onlyWithAsyncLocalStorage)
    parts.push('Cost over the bare method, AsyncLocalStorage off', costTable(cases));
  if (asyncLocalStorage !== undefined)
    parts.push('Cost over the bare method, AsyncLocalStorage on', costTable(asyncLocalStorage));
  const judged = Object.keys(BARS).some((title) => title in cases);
  if (judged) parts.push('What is promised', barTable(cases));
  if (memory !== undefined) parts.push(...memoryTables(memory));
  return `\n${parts.join('\n\n')}\n`;
}

/** How far several results are apart. */
export function agreementTable(results) {
  const rows = agreement(results).map(({ title, peer, ratios, apart }) => [
    `${title} / ${peer}`,
    ratios.map((ratio) => ratio.toFixed(3)).join(', '),
    percent(apart),
  ]);
  return table(['ratio', 'runs', 'apart'], rows);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lastLine = (path) => JSON.parse(readFileSync(path, 'utf8').trimEnd().split('\n').at(-1));
  const results = process.argv.slice(2).map(lastLine);
  console.log(report(results[0]));
  const tables = [
    ['off', results.map(({ cases, onlyWithAsyncLocalStorage: no }) => !no && cases)],
    ['on', results.map(({ asyncLocalStorage }) => asyncLocalStorage)],
  ];
  for (const [asyncContext, all] of tables) {
    if (results.length === 1 || !all.every(Boolean)) continue;
    console.log(
      `Ratios of ${all.length} runs, AsyncLocalStorage ${asyncContext}, the furthest apart first\n`,
    );
    console.log(`${agreementTable(all)}\n`);
  }
}
