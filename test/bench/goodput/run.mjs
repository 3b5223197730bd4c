// `npm run bench:goodput [-- --seed 1 --seeds 5 --scenario a,b --contender a,b --load 0.7 --replicas 4
// --cancels --json --svg docs/goodput.svg]`: clients against a service with finite capacity, in virtual time,
// with the code of ours and of the peers as it is. The same arguments print the same table.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { contenders } from './contenders.mjs';
import { pictureOf } from './picture.mjs';
import { FAULT, scenarios } from './scenarios.mjs';
import { simulate, WORLD } from './simulate.mjs';
import { medianOf, tableOf } from './table.mjs';
import { VirtualTime } from './virtual-time.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '5' },
    scenario: { type: 'string' },
    contender: { type: 'string' },
    workers: { type: 'string', default: `${WORLD.workers}` },
    load: { type: 'string', default: `${WORLD.load}` },
    replicas: { type: 'string', default: `${WORLD.replicas}` },
    cancels: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    svg: { type: 'string' },
  },
});
const world = {
  ...WORLD,
  workers: Number(values.workers),
  load: Number(values.load),
  replicas: Number(values.replicas),
  cancels: values.cancels,
};
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => Number(values.seed) + i);
const say = (text) => process.stdout.write(`${text}\n`);
const time = new VirtualTime();

function wanted(all, given) {
  const names = given?.split(',') ?? Object.keys(all);
  const unknown = names.find((name) => !Object.hasOwn(all, name));
  if (unknown === undefined) return names;
  throw new RangeError(`got ${unknown}, expected some of ${Object.keys(all).join(', ')}`);
}

async function runsOf(contender, scenario) {
  const runs = [];
  for (const seed of seeds) runs.push(await simulate(time, { contender, scenario, seed, world }));
  const open = runs.filter(({ left }) => left.pending > 0).length;
  if (open > 0) say(`${contender}, ${scenario}: calls that never ended in ${open} runs`);
  return runs;
}

async function tables() {
  const capacity = (world.workers / world.mean) * 1_000;
  say(
    `${capacity} requests/s of capacity, ${Math.round(capacity * world.load)} arrive, ${world.replicas} client processes; seeds ${seeds.join(' ')}; medians, in brackets from the least to the most`,
  );
  const all = {};
  for (const scenario of wanted(scenarios, values.scenario)) {
    const rows = [];
    for (const contender of wanted(contenders, values.contender))
      rows.push([contender, await runsOf(contender, scenario)]);
    say(`\n**${scenario}**: ${scenarios[scenario].title}\n\n${tableOf(rows)}`);
    all[scenario] = Object.fromEntries(rows.map(([name, runs]) => [name, medianOf(runs)]));
  }
  if (values.json) say(JSON.stringify({ world, seeds, scenarios: all }));
}

/** Means over the seeds, second by second around the end of the fault, be it long or short. */
async function panel(scenario, title, shown) {
  const lines = {};
  let longest = 0;
  for (const contender of wanted(contenders, values.contender)) {
    const runs = await runsOf(contender, scenario);
    longest = Math.max(...runs.map(({ faultEnds }) => faultEnds - FAULT));
    lines[contender] = Array.from(
      { length: shown.to - shown.from },
      (_, i) => sum(runs, (run) => run.good[run.faultEnds + shown.from + i]) / runs.length,
    );
  }
  const arrivals = (world.workers / world.mean) * 1_000 * world.load;
  return { title, shown, arrivals, longest, lines };
}

const sum = (all, of) => all.reduce((total, one) => total + of(one), 0);

if (values.svg === undefined) {
  await tables();
} else {
  const panels = [
    await panel('outage', 'Outage: connections refused for 15 to 25 s', { from: -22, to: 40 }),
    await panel('metastable', 'Spike: 2 s of four times the traffic', { from: -10, to: 52 }),
  ];
  writeFileSync(values.svg, pictureOf(panels));
}
time.giveBack();
