// `npm run bench:scale [-- --json] [-- --only curve,...]`: what a call costs as there is more of something. A
// curve has to be flat; where it is not, it says why.
import { parseArgs } from 'node:util';
import { measure } from 'mitata';
import { verdictOf } from './arithmetic.mjs';
import { environment } from './environment.mjs';
import { CURVES } from './scale-curves.mjs';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const chosen = values.only?.split(',') ?? Object.keys(CURVES);

/** Nanoseconds of one step of the batch, in the fastest sample: others only tell who else was at work. */
async function costOf({ batch, steps }) {
  const until = performance.now() + 150;
  do await batch();
  while (performance.now() < until);
  const { min } = await measure(batch, { min_cpu_time: 150e6, min_samples: 5, gc: false });
  return min / steps;
}

function print({ what, points, growth, flat, because }, title) {
  console.log(`\n${title}: ${what}\n`);
  const sizes = Object.keys(points).map((size) => Number(size).toLocaleString('en'));
  console.log(`| ${sizes.join(' | ')} |`);
  console.log(`|${sizes.map(() => ' --: |').join('')}`);
  console.log(
    `| ${Object.values(points)
      .map((ns) => `${ns.toLocaleString('en')} ns`)
      .join(' | ')} |`,
  );
  const told = flat ? 'flat' : (because ?? 'GROWS');
  console.log(`\n× ${growth.toFixed(1)} from the first to the last: ${told}`);
}

const curves = {};
for (const title of chosen) {
  const { what, sizes, make, because } = CURVES[title];
  const points = {};
  for (const size of sizes) points[size] = Math.round(await costOf(await make(size)));
  curves[title] = { what, points, ...verdictOf(points), because };
  print(curves[title], title);
}
if (values.json) console.log(JSON.stringify({ curves, environment: environment() }));
process.exit(0);
