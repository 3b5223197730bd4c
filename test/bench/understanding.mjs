// `npm run -s build && node --expose-gc test/bench/understanding.mjs`: what it costs to understand an
// error, from classification to the patterns, as an application has it; the last line is JSON.
import { makeClassifier } from '../../dist/errors/classifier/classifier.js';
import { ErrorLog } from '../../dist/errors/log/error-log.js';
import { ErrorPatterns } from '../../dist/errors/patterns/error-patterns.js';
import { ResilienceErrors } from '../../dist/errors/resilience-errors.js';
import { ResilienceRuntime } from '../../dist/pipeline/runtime.js';
import { runPromise } from '../../dist/pipeline/promise-face.js';
import { systemClock } from '../../dist/pipeline/system-clock.js';

const STORM = 1_000_000;
const ROUNDS = 9;
const classifier = makeClassifier();

function makeErrors() {
  const log = new ErrorLog(systemClock);
  const patterns = new ErrorPatterns({}, () => {}, systemClock.now());
  return new ResilienceErrors({
    clock: systemClock,
    classifier,
    log,
    patterns,
    idsOf: () => ({}),
    watch: { failed() {}, look() {} },
  });
}

const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];
const refused = (i) =>
  Object.assign(new Error(`connect ECONNREFUSED 10.0.0.${i % 256}:5432 for account ${i}`), {
    code: 'ECONNREFUSED',
  });
const attemptOf = (error, target) => ({
  error,
  classification: classifier.classify(error),
  target,
  port: 'db',
  attempt: 1,
  args: [],
});

/**
 * Microseconds of classification and record together, no two errors alike.
 *
 * @param atOnce errors that are made before they are recorded: a few are in the processor's caches still, as an error
 *   is that was just thrown, and many are not
 */
function perError(atOnce) {
  const errors = makeErrors();
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    let took = 0;
    for (let i = 0; i < 20_000; i += atOnce) {
      const some = Array.from({ length: atOnce }, (_, j) => refused(i + j));
      const from = performance.now();
      for (const error of some) errors.failed(attemptOf(error, 'Fees.quote'));
      took += performance.now() - from;
    }
    rounds.push((took * 1_000) / 20_000);
  }
  return median(rounds);
}

/** Microseconds of a whole failing call, with somebody who hears of its errors and without. */
async function failingCall(errors) {
  const runtime = new ResilienceRuntime({
    clock: systemClock,
    random: Math.random,
    classifier,
    report: () => {},
  });
  if (errors) runtime.env.errors = errors;
  const target = runtime.register('Fees.quote', { fallback: { value: 0 } });
  const error = refused(1);
  const method = () => Promise.reject(error);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = performance.now();
    for (let i = 0; i < 20_000; i += 1) await runPromise(target, method, undefined, []);
    rounds.push(((performance.now() - from) * 1_000) / 20_000);
  }
  return median(rounds);
}

/** Bytes that stay after a storm of errors, no two alike, of very many targets. */
function heapAfterStorm(longest) {
  const word = (i) =>
    [...i.toString(26)].map((d) => String.fromCharCode(97 + parseInt(d, 26))).join('');
  const storm = (errors, n) => {
    for (let i = 0; i < n; i += 1)
      errors.failed(
        attemptOf({ message: `${word(i)} ${'x'.repeat(i % longest)}` }, `C${i % 5_000}.call`),
      );
  };
  storm(makeErrors(), 20_000); // the code itself has its place on the heap
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  const errors = makeErrors();
  storm(errors, STORM);
  globalThis.gc();
  const bytes = process.memoryUsage().heapUsed - before;
  return { bytes, ...errors.totals() };
}

function analysis() {
  const errors = makeErrors();
  for (let i = 0; i < 20_000; i += 1) errors.failed(attemptOf(refused(i), `C${i % 50}.call`));
  const time = (run) =>
    median(
      Array.from({ length: ROUNDS }, () => {
        const from = performance.now();
        run();
        return performance.now() - from;
      }),
    );
  const [{ id }] = errors.list({ limit: 1 });
  return {
    analyse_ms: time(() => errors.analyse()),
    related_ms: time(() => errors.related(id)),
    incidents_ms: time(() => errors.incidents()),
  };
}

const round = (value) => Math.round(value * 1_000) / 1_000;
const heap = heapAfterStorm(4_000);
const short = heapAfterStorm(10);
const result = {
  classify_and_log_us: round(perError(100)),
  classify_and_log_cold_us: round(perError(20_000)),
  failing_call_us: round(await failingCall()),
  failing_call_recorded_us: round(await failingCall(makeErrors())),
  ...Object.fromEntries(Object.entries(analysis()).map(([name, ms]) => [name, round(ms)])),
  heap_after_10e6_errors_bytes: heap.bytes,
  heap_after_10e6_short_errors_bytes: short.bytes,
  kept: heap.kept,
  groups: heap.groups,
};
console.log(JSON.stringify(result, null, 2));
console.log(JSON.stringify(result));
