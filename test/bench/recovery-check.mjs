// `npm run build && node test/bench/recovery-check.mjs`: how long the event loop is held up while
// integrity checks go through 100,000 records (#157), in milliseconds. Aim: p99 under 50. `loopDelay`
// is of the wall's time, and so of everything else on the machine too; `slice` is what one turn of the
// checks takes of the processor.
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
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const ms = (nanoseconds) => Number(Math.max(0, nanoseconds / 1e6 - RESOLUTION).toFixed(1));

for (const [kind, run] of Object.entries(checks)) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
  const times = [];
  const slices = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // the first round warms up; the instrument counts the time in which it is off as a delay
    if (round === 1) delays.enable();
    let began = process.cpuUsage();
    const endSlice = () => {
      const { user, system } = process.cpuUsage(began);
      slices.push((user + system) / 1_000);
    };
    const breathe = async () => {
      endSlice();
      await nextTurn();
      began = process.cpuUsage();
    };
    const within = (step) => view.run(state, step);
    const check = { name: kind, from: 'bench', run };
    const given = { clock: systemClock, timeout: 60_000, breathe, within };
    const { issueCount, issues, duration } = await runChecks([check], given);
    endSlice();
    if (issueCount !== RECORDS / 20 || issues.length !== 1_000) throw new Error('not all found');
    times.push(duration);
  }
  // what blocked last is seen by the next look
  await new Promise((resolve) => setTimeout(resolve, 2 * RESOLUTION));
  delays.disable();
  console.log(
    JSON.stringify({
      check: kind,
      records: RECORDS,
      duration: percentiles(times),
      slice: percentiles(slices),
      loopDelay: {
        p50: ms(delays.percentile(50)),
        p99: ms(delays.percentile(99)),
        max: ms(delays.max),
      },
    }),
  );
}

function percentiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => Number(sorted[Math.ceil(share * sorted.length) - 1].toFixed(1));
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
