import { parseArgs } from 'node:util';
import { say } from './narrator.js';
import { TrafficPlan } from './plan.js';
import { exactly, table } from './report.js';
import { Stage } from './stage.js';
import { EXTRAS, Story } from './story.js';

/** Far beyond what the story takes: past it something hangs, and saying so beats hanging along. */
const WATCHDOG_MS = 120_000;

function seedFromArguments(): number {
  const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' } } });
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new Error(`--seed must be a whole number, not ${JSON.stringify(values.seed)}`);
  }
  return seed;
}

async function tour(): Promise<boolean> {
  const plan = new TrafficPlan(seedFromArguments());
  say(`seed ${plan.seed}, traffic plan ${plan.fingerprint}`);
  const stage = await Stage.open(
    { allocations: plan.allocations(EXTRAS), validator: plan.validator.address },
    { seed: plan.seed, blocked: plan.extra('blocked').address },
  );
  say(`node ${stage.nodeUrl} (pid ${stage.node.pid})`);
  say(`upstream ${stage.upstreamUrl} (pid ${stage.upstream.pid})`);

  const story = new Story(plan, stage);
  let told = false;
  try {
    await story.tell();
    told = true;
  } finally {
    story.rows.push(exactly('the story was told', 'to its end', told ? 'to its end' : 'in part'));
    if (!told) console.error(['', 'the node said:', ...stage.node.output].join('\n'));
    await stage.close();
    console.log(`\n${table(story.rows)}\n`);
  }
  return story.rows.every(({ ok }) => ok);
}

// Signals must end this process by way of its 'exit' event, which takes the children along.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
setTimeout(() => {
  console.error('the tour hangs: given up');
  process.exit(1);
}, WATCHDOG_MS).unref();

try {
  const passed = await tour();
  console.log(passed ? 'All of it holds.' : 'Not all of it holds: see the rows marked FAILED.');
  process.exit(passed ? 0 : 1);
} catch (error) {
  console.error('the tour broke off:', error instanceof Error ? error.message : error);
  process.exit(1);
}
