// `npm run -s build && node --expose-gc test/bench/error-log.mjs`: what a record costs, and what a
// storm leaves behind. CPU time of the process, the best of some rounds: others may be at work here.
import { ErrorLog } from '../../dist/errors/log/error-log.js';

const clock = { now: () => performance.now(), epoch: () => Date.now() };
const STORM = 1_000_000;
const LARGE = 'x'.repeat(1_000_000);
const input = {
  classification: { category: 'communication', rule: 'node-code ECONNREFUSED' },
  severity: 'medium',
  component: 'FeesClient.quote',
  port: 'fees',
  attempt: 1,
};

const message = (i) => `connect ECONNREFUSED 10.0.0.${i % 256}:5432 for account ${i}`;
const word = (i) =>
  [...i.toString(26)].map((d) => String.fromCharCode(97 + parseInt(d, 26))).join('');
const errorOf = (text) => Object.assign(new Error(text), { code: 'ECONNREFUSED' });

function nanoseconds(record) {
  const few = Array.from({ length: record.few ?? 10_000 }, (_, i) => record.error(i));
  const errors = Array.from({ length: 10_000 }, (_, i) => few[i % few.length]);
  const log = new ErrorLog(clock, { stacks: 'none', ...record.options });
  let best = Infinity;
  for (let round = 0; round < 15; round += 1) {
    const before = process.cpuUsage();
    for (const error of errors) log.record({ ...input, ...record.more, error });
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, ((user + system) * 1_000) / errors.length);
  }
  return Math.round(best);
}

function heapAfter(errorAt, more = () => ({})) {
  // an empty one first: the code itself has its place on the heap
  for (let i = 0; i < 1_000; i += 1) new ErrorLog(clock).record({ ...input, error: errorAt(i) });
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  const log = new ErrorLog(clock, { limit: 10_000 });
  for (let i = 0; i < STORM; i += 1) log.record({ ...input, ...more(i), error: errorAt(i) });
  globalThis.gc();
  const { kept, groups } = log.totals();
  return { bytes: process.memoryUsage().heapUsed - before, kept, groups };
}

const same = errorOf(message(1));
const wide = (i) => `${word(i)} ${'\u6f22'.repeat(3_000)}`;
const result = {
  record_ns: {
    same: nanoseconds({ error: () => same }),
    'same kind': nanoseconds({ error: (i) => errorOf(message(i)) }),
    'other kind each time': nanoseconds({ error: (i) => errorOf(`${word(i)} failed`) }),
    'with ids': nanoseconds({
      error: () => same,
      more: {
        correlationId: '6f1ed002-ab5a-4d7a-8c1b-0123456789ab',
        traceId: '0af7651916cd43dd8448eb211c80319c',
      },
    }),
    'with a secret': nanoseconds({ error: (i) => errorOf(`postgres://app:s3cret@db:5432/x ${i}`) }),
    'with a message of 1 MB': nanoseconds({
      few: 9,
      error: (i) => ({ message: `${word(i % 9)} ${LARGE}` }),
    }),
  },
  heap_after_10e6: {
    same: heapAfter(() => same),
    'other messages': heapAfter((i) => ({ message: `${word(i)} failed` })),
    'slices of 1 MB': heapAfter((i) => ({ message: LARGE.slice(i % 1_000, (i % 1_000) + 500) })),
    'two-byte messages': heapAfter((i) => ({ message: wide(i) })),
    'other components': heapAfter(
      (i) => ({ message: word(i) }),
      (i) => ({ component: `Component${i % 100_000}.call`, traceId: `trace-${i}` }),
    ),
  },
};
console.log(JSON.stringify(result, null, 2));
