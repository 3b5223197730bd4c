// `npm run bench [-- --json] [-- --rounds n]`: every contender in its own process, the processes
// alternating, AsyncLocalStorage off and on. Costs are over the bare method; ratios are what counts.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contenders } from './contenders.mjs';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '5' } },
});
const script = fileURLToPath(new URL('measure.mjs', import.meta.url));
const peers = Object.keys(contenders).filter((name) => name !== 'bare' && name !== 'ours');

/** DESIGN 12: the most that our cost may be of a peer's. */
const MUST = {
  breaker: { cockatiel: 0.9, opossum: 0.4 },
  'stack-4': { cockatiel: 0.4 },
  'stack-5': { cockatiel: 0.2 },
  'open-rejected': { cockatiel: 0.5, opossum: 0.5 },
};

function collect(asyncContext) {
  const runs = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const name of Object.keys(contenders)) {
      runs[name].push(
        JSON.parse(
          execFileSync(process.execPath, [script, name, asyncContext], { encoding: 'utf8' }),
        ),
      );
    }
  }
  const cost = {};
  for (const [name, results] of Object.entries(runs)) {
    cost[name] = Object.fromEntries(
      Object.keys(results[0]).map((title) => [
        title,
        median(results.map((result) => result[title])),
      ]),
    );
  }
  return cost;
}

function compare(cost) {
  const cases = {};
  for (const title of Object.keys(cost.ours)) {
    const over = (name) => cost[name][title] - cost.bare[title];
    const entry = { ours_ns: over('ours'), peers: {}, ratio: {} };
    for (const peer of peers.filter((name) => title in cost[name])) {
      entry.peers[peer] = over(peer);
      entry.ratio[peer] = over('ours') / over(peer);
    }
    cases[title] = entry;
  }
  return cases;
}

function print(heading, cases) {
  console.log(`\n${heading}\n`);
  console.log(`| case | ours, ns | ${peers.map((p) => `${p}, ns | ratio (must)`).join(' | ')} |`);
  console.log(`|---|--:|${peers.map(() => '--:|--:|').join('')}`);
  for (const [title, { ours_ns, peers: ns, ratio }] of Object.entries(cases)) {
    const columns = peers.map((peer) => {
      if (!(peer in ns)) return '- | -';
      const must = MUST[title]?.[peer];
      const bar = must === undefined ? '' : ` (≤ ${must}${ratio[peer] <= must ? '' : ', MISSED'})`;
      return `${ns[peer].toFixed(0)} | ${ratio[peer].toFixed(2)}${bar}`;
    });
    console.log(`| ${title} | ${ours_ns.toFixed(0)} | ${columns.join(' | ')} |`);
  }
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const off = compare(collect('off'));
print('Cost over the bare method, AsyncLocalStorage off', off);
const on = compare(collect('on'));
print('Cost over the bare method, AsyncLocalStorage on', on);
if (values.json) console.log(JSON.stringify({ cases: off, asyncLocalStorage: on }));
