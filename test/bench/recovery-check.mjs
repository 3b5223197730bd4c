// `npm run build && node test/bench/recovery-check.mjs`: how long the event loop is held up while
// integrity checks go through 100,000 records (#157), in milliseconds. Aim: p99 under 50.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { runChecks } from '../../dist/recovery/integrity/run-checks.js';
import { systemClock } from '../../dist/pipeline/system-clock.js';

const RECORDS = 100_000;
const ROUNDS = 21;
const RESOLUTION = 1;

const records = Array.from({ length: RECORDS }, (_, i) => {
  const body = JSON.stringify({ from: `account ${i}`, to: `account ${i + 1}`, amount: i });
  return { body, hash: hashOf(body) };
});
for (let i = 0; i < RECORDS; i += 20) records[i].hash = 'forged';

function hashOf(body) {
  return createHash('sha256').update(body).digest('hex');
}

const issueOf = ({ body, hash }, i) =>
  hashOf(body) === hash ? undefined : { at: `record ${i}`, problem: 'its hash is another' };

const checks = {
  generator: function* () {
    for (const [i, record] of records.entries()) yield issueOf(record, i);
  },
  'async generator': async function* () {
    for (const [i, record] of records.entries()) yield issueOf(record, i);
  },
  // for comparison: what answers all at once cannot be interrupted
  list: () => records.map(issueOf),
};

const view = new AsyncLocalStorage();
const state = new Map();
const ms = (nanoseconds) => Number(Math.max(0, nanoseconds / 1e6 - RESOLUTION).toFixed(1));

for (const [kind, run] of Object.entries(checks)) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // the first round warms up; the instrument counts the time in which it is off as a delay
    if (round === 1) delays.enable();
    const { issueCount, issues, duration } = await runChecks([{ name: kind, from: 'bench', run }], {
      clock: systemClock,
      timeout: 60_000,
      within: (step) => view.run(state, step),
    });
    if (issueCount !== RECORDS / 20 || issues.length !== 1_000) throw new Error('not all found');
    times.push(duration);
  }
  // what blocked last is seen by the next look
  await new Promise((resolve) => setTimeout(resolve, 2 * RESOLUTION));
  delays.disable();
  const p50 = times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)];
  console.log(
    JSON.stringify({
      check: kind,
      records: RECORDS,
      duration: Math.round(p50),
      loopDelay: {
        p50: ms(delays.percentile(50)),
        p99: ms(delays.percentile(99)),
        max: ms(delays.max),
      },
    }),
  );
}
