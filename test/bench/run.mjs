// `npm run bench [-- --json] [-- --only case,...] [-- --quick] [-- --rounds n] [-- --async off|on|both] [-- --no-memory]`:
// every contender in its own process, the processes taking turns, AsyncLocalStorage off and on. Costs are
// over the bare method; ratios are what counts. The last line of `--json` is one object.
import { parseArgs } from 'node:util';
import { compare } from './arithmetic.mjs';
import { CASES } from './cases.mjs';
import { environment } from './environment.mjs';
import { measureMemory } from './memory.mjs';
import { report } from './report.mjs';
import { runRound } from './round.mjs';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    async: { type: 'string', default: 'both' },
    memory: { type: 'boolean' },
  },
  allowNegative: true,
});
const titles = values.only?.split(',') ?? Object.keys(CASES);
const unknown = titles.filter((title) => !(title in CASES));
if (unknown.length > 0) {
  console.error(`no such case: ${unknown.join(', ')}; there are ${Object.keys(CASES).join(', ')}`);
  process.exit(1);
}
const rounds = Number(values.rounds ?? (values.quick ? 1 : 16));
const weighs = values.memory ?? !(values.quick || values.only !== undefined);
const turns = values.quick ? 4 : 5;

async function collect(asyncContext) {
  if (values.async !== 'both' && values.async !== asyncContext) return undefined;
  const all = [];
  for (let round = 1; round <= rounds; round += 1) {
    console.error(`AsyncLocalStorage ${asyncContext}, round ${round} of ${rounds}`);
    all.push(await runRound({ asyncContext, titles, turns }));
  }
  return compare(all);
}

const [off, on] = [await collect('off'), await collect('on')];
const result = {
  cases: off ?? on,
  asyncLocalStorage: on,
  memory: weighs ? await measureMemory() : undefined,
  rounds,
  environment: environment(),
};
if (off === undefined) result.onlyWithAsyncLocalStorage = true;
console.log(report(result));
if (values.json) console.log(JSON.stringify(result));
