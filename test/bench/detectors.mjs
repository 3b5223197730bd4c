// `node --expose-gc test/bench/detectors.mjs [--runs n]` of what `npm run build` made: how good the detectors of
// lib/errors are on seeded traffic, and what they cost. The last line is all of it as JSON; the exit
// code is 1 if the spike detector is worse than the CUSUM row of reference/ecosystem.md (e).
import { parseArgs } from 'node:util';
import { ErrorCorrelator } from '../../dist/errors/correlation/error-correlator.js';
import { ErrorPatterns } from '../../dist/errors/patterns/error-patterns.js';
import { FailureCusum } from '../../dist/errors/patterns/failure-cusum.js';
import { ERROR_PATTERNS_DEFAULTS } from '../../dist/errors/patterns/patterns.options.js';
import { Recurrence } from '../../dist/errors/patterns/recurrence.js';
import { gap, HELD_OUT, KNOWN, median, normal, second, seededRandom } from './traffic.mjs';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '150' } } });
const runs = Number(values.runs);
const { spike, recurrence } = ERROR_PATTERNS_DEFAULTS;

/** The row to beat: false alarms per hour, seconds to detect a jump of 5, 15 and 50 points. */
const ROW = {
  'steady, 100/s, 1 %': [0.04, 2, 1, 1],
  'quiet, 2/s, 1 %': [0.04, 64, 26, 7],
  'diurnal, 5-200/s, 2 %': [0.04, 4, 1, 1],
  'noisy, 20/s, 8 %': [0.04, 31, 6, 2],
};
const JUMPS = [0.05, 0.15, 0.5];
const HOURS = 2;
const LEARNING = 1_800;
const PATIENCE = 600;

/** The recipe of ecosystem.md to the letter, for comparison on the same traffic. */
class Recipe {
  n = 0;
  k = 0;
  sum = 0;
  alarmed = false;
  observe(calls, failures) {
    if (this.alarmed) return false;
    if (this.n >= 200) {
      const p0 = Math.max(this.k / this.n, 1e-3);
      const p1 = Math.max(2 * p0, p0 + 0.05);
      const gain =
        failures * Math.log(p1 / p0) + (calls - failures) * Math.log((1 - p1) / (1 - p0));
      this.sum = Math.max(0, this.sum + gain);
      this.alarmed = this.sum >= 10;
    }
    const kept = 0.5 ** (1 / 600);
    this.n = this.n * kept + calls;
    this.k = this.k * kept + failures;
    return this.alarmed;
  }
}

const DETECTORS = {
  ours: () => new FailureCusum(spike),
  recipe: () => new Recipe(),
  'no warm-up': () => new FailureCusum({ ...spike, warmUp: 1 }),
};

function falseAlarms(traffic, make) {
  let alarms = 0;
  for (let run = 0; run < runs; run += 1) {
    const random = seededRandom(run * 7_919 + 13);
    let detector = make();
    for (let t = 0; t < HOURS * 3_600; t += 1) {
      const { calls, failures } = second(traffic, t + (run / runs) * 7_200, random);
      if (!detector.observe(calls, failures, t * 1_000) || !detector.alarmed) continue;
      alarms += 1;
      if (detector instanceof Recipe) detector = make();
    }
  }
  return alarms / (runs * HOURS);
}

function toDetect(traffic, make, jump) {
  const times = [];
  for (let run = 0; run < runs; run += 1) {
    const random = seededRandom(run * 104_729 + jump * 1_000);
    const detector = make();
    const phase = (run / runs) * 7_200;
    let t = 0;
    for (; t < LEARNING; t += 1) {
      const { calls, failures } = second(traffic, t + phase, random);
      detector.observe(calls, failures, t * 1_000);
    }
    if (detector.alarmed) continue;
    for (; t < LEARNING + PATIENCE && !detector.alarmed; t += 1) {
      const { calls, failures } = second(traffic, t + phase, random, jump);
      detector.observe(calls, failures, t * 1_000);
    }
    times.push(detector.alarmed ? t - LEARNING : Number.POSITIVE_INFINITY);
  }
  const seconds = median(times);
  return {
    seconds: Number.isFinite(seconds) ? seconds : null,
    missed: times.filter((time) => time === Number.POSITIVE_INFINITY).length / times.length,
  };
}

const show = ({ seconds, missed }) =>
  `${seconds ?? 'miss'}${missed > 0.01 ? ` (${Math.round(missed * 100)} % miss)` : ''}`;

const spikes = {};
const worse = [];
for (const [set, scenarios] of Object.entries({ known: KNOWN, 'held out': HELD_OUT })) {
  console.log(
    `\nspike, ${set} traffic, ${runs} runs: false alarms per hour · median seconds to detect +5/+15/+50 points`,
  );
  for (const [name, traffic] of Object.entries(scenarios)) {
    const entry = { set };
    for (const [detector, make] of Object.entries(DETECTORS)) {
      const alarms = falseAlarms(traffic, make);
      const found = JUMPS.map((jump) => toDetect(traffic, make, jump));
      entry[detector] = { falseAlarmsPerHour: alarms, detect: found };
    }
    spikes[name] = entry;
    const cells = Object.entries(DETECTORS).map(([detector]) => {
      const { falseAlarmsPerHour, detect } = entry[detector];
      return `${detector}: ${falseAlarmsPerHour.toFixed(3)} · ${detect.map(show).join('/')}`;
    });
    console.log(`  ${name.padEnd(32)} ${cells.map((cell) => cell.padEnd(34)).join(' ')}`);
    const row = ROW[name];
    if (row === undefined) continue;
    const { falseAlarmsPerHour, detect } = entry.ours;
    const got = [falseAlarmsPerHour, ...detect.map(({ seconds }) => seconds ?? Infinity)];
    if (got.some((figure, i) => figure > row[i])) worse.push({ name, got, row });
  }
}

function chance(mean) {
  const random = seededRandom(mean * 17);
  const detector = new Recurrence(recurrence);
  let [t, raised, holds] = [0, 0, false];
  for (let i = 0; i < 1_000 * runs; i += 1) {
    t += gap(random, mean * 1_000);
    detector.failed(t);
    const found = detector.reading(t, holds ? 2 : 1) !== undefined;
    if (found && !holds) raised += 1;
    holds = found;
  }
  return raised / (t / 3_600_000);
}

/** A job every 60 s that fails with 1 to 4 errors, ten seconds apart at most. */
function scheduled(jitter) {
  let found = 0;
  for (let run = 0; run < 2 * runs; run += 1) {
    const random = seededRandom(run * 31 + jitter * 1_000);
    const detector = new Recurrence(recurrence);
    let yes = false;
    for (let i = 0; i < 2 * recurrence.episodes; i += 1) {
      const t = (i + 1 + normal(random) * jitter) * 60_000;
      for (let k = 0; k <= Math.floor(random() * 4); k += 1) detector.failed(t + k * 800);
      yes ||= detector.reading(t + 4_000) !== undefined;
    }
    if (yes) found += 1;
  }
  return found / (2 * runs);
}

const recurring = { falseAlarmsPerHour: {}, found: {} };
console.log('\nrecurring: false alarms per hour and kind, of independent errors');
for (const mean of [3, 10, 30, 60, 300]) {
  const perHour = chance(mean);
  recurring.falseAlarmsPerHour[mean] = perHour;
  console.log(`  one each ${String(mean).padStart(3)} s  ${perHour.toFixed(4)}`);
}
console.log(
  `recurring: share of jobs every minute that are found within ${2 * recurrence.episodes} times`,
);
for (const jitter of [0, 0.05, 0.1, 0.15, 0.2]) {
  const share = scheduled(jitter);
  recurring.found[jitter] = share;
  console.log(`  jitter ${String(jitter * 100).padStart(2)} %  ${(share * 100).toFixed(0)} %`);
}

const CATEGORIES = ['transient', 'communication', 'dependency', 'timeout', 'resource', 'permanent'];

function timed(times, run) {
  const took = [];
  for (let i = 0; i < times; i += 1) {
    const start = performance.now();
    run(i);
    took.push(performance.now() - start);
  }
  return median(took);
}

/** A thousand components and half as many kinds again as are watched: all tables are full. */
function storm() {
  const patterns = new ErrorPatterns({}, () => {}, 0);
  const names = Array.from({ length: 1_000 }, (_, i) => `Component${i}.call`);
  const kinds = Array.from({ length: 1_500 }, (_, i) => `v1:${i.toString(16).padStart(16, '0')}`);
  const input = (i, now) => ({
    component: names[i % 1_000],
    port: 'dependency',
    fingerprint: kinds[i % 1_500],
    category: CATEGORIES[i % CATEGORIES.length],
    configuration: false,
    now,
  });
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 1_000_000; i += 1) patterns.failed(input(i, i / 20));
  for (const name of names) patterns.observe(name, 1_000, 10, 50_000);
  patterns.tick(50_000);
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed - before;
  const start = performance.now();
  for (let i = 0; i < 1_000_000; i += 1) patterns.failed(input(i, 50_000 + i / 20));
  const failed = performance.now() - start; // milliseconds per million are nanoseconds each
  const analyse = timed(100, () => patterns.analyse(100_000));
  const tick = timed(20, (i) => {
    for (const name of names) patterns.observe(name, 100, 1, 101_000 + i * 1_000);
    patterns.tick(101_000 + i * 1_000);
  });
  const { ignored } = patterns;
  return { failed_ns: failed, analyse_ms: analyse, tick_ms: tick, heap_bytes: heap, ignored };
}

function logged() {
  const random = seededRandom(5);
  const entries = Array.from({ length: 1_000 }, (_, i) => {
    const kind = Math.floor(random() * 200);
    return {
      id: `e${i}`,
      fingerprint: `v1:${kind}`,
      severity: 'medium',
      category: 'dependency',
      rule: '',
      component: `Component${kind}.call`,
      ...(kind % 2 === 0 && { port: `dependency${kind % 10}` }),
      method: 'call',
      error: { name: 'Error', message: '' },
      occurrences: 1,
      firstOccurrence: 0,
      lastOccurrence: i * 55,
      recoveryAttempts: 0,
    };
  });
  const dependsOn = (name) => {
    const at = Number(/\d+/.exec(name)?.[0] ?? 0);
    return [1, 2, 3].map((step) => `Component${(at * 2 + step) % 400}.call`);
  };
  const correlator = new ErrorCorrelator({ entries: () => entries, dependsOn });
  return {
    related_ms: timed(50, (i) => correlator.related(`e${i * 20}`)),
    incidents_ms: timed(50, () => correlator.incidents()),
  };
}

const cost = { ...storm(), ...logged() };
console.log('\ncost, with 1,000 components and kinds watched, and 1,000 entries in the log');
for (const [name, figure] of Object.entries(cost)) {
  console.log(`  ${name.padEnd(14)} ${figure.toFixed(figure < 10 ? 3 : 0)}`);
}

if (worse.length > 0) console.log('\nworse than the row of ecosystem.md:', worse);
console.log(`\n${JSON.stringify({ spikes, recurring, cost, worse })}`);
process.exitCode = worse.length > 0 ? 1 : 0;
