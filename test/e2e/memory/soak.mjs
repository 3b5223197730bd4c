// #89: a million calls through every policy, one in ten fails, a thousand keys come and go.
import { setMaxListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { answer, inside, memory, newRuntime } from './common.mjs';

const { runPromise } = await inside('pipeline/promise-face.js');
const { runObservable } = await inside('pipeline/observable-face.js');
const runtime = await newRuntime();
runtime.bus.listen(() => {});
const target = runtime.register('A', {
  fallback: { on: 'CIRCUIT_OPEN', value: 'degraded' },
  retry: { maxAttempts: 2, delay: 0 },
  circuitBreaker: { failureRate: 0.9, minimumCalls: 100, key: (k) => k, maxKeys: 500 },
  rateLimit: { limit: 1_000_000, per: 1 },
  timeLimit: 60_000,
  bulkhead: { maxConcurrent: 50, maxQueue: 1_000 },
});
const direct = runtime.register('B', {
  retry: { delay: 0 },
  circuitBreaker: {},
  bulkhead: { maxConcurrent: 20, maxQueue: 4 }, // one of each batch is refused
});
const long = new AbortController();
setMaxListeners(0, long.signal);
const counts = { good: 0, bad: 0 };
const tick = () => new Promise((resolve) => process.nextTick(resolve));

async function work(i) {
  await tick();
  if (i % 10 === 0) throw Object.assign(new Error(`down ${i}`), { status: 404 });
  return i;
}

async function batch(from) {
  const calls = [];
  for (let i = from; i < from + 100; i += 1) {
    const args = [`key:${i % 1_000}`];
    const method = () => work(i);
    if (i % 4 === 0) {
      calls.push(
        new Promise((resolve, reject) =>
          runObservable(target, method, undefined, args).subscribe({
            complete: resolve,
            error: reject,
          }),
        ),
      );
    } else if (i % 4 === 1) calls.push(runPromise(direct, method, undefined, args));
    else
      calls.push(
        runPromise(target, method, undefined, args, i % 4 === 2 ? long.signal : undefined),
      );
  }
  for (const { status } of await Promise.allSettled(calls))
    counts[status === 'fulfilled' ? 'good' : 'bad'] += 1;
  await turn();
}

const handles = () => process.getActiveResourcesInfo().length;
for (let i = 0; i < 200_000; i += 100) await batch(i);
const before = { ...(await memory()), handles: handles() };
for (let i = 200_000; i < 1_000_000; i += 100) await batch(i);
const after = { ...(await memory()), handles: handles() };
const { running, queued } = runtime.registry.bulkheads.reader('A').snapshot();
answer({
  ...counts,
  heap: after.heapUsed - before.heapUsed,
  handles: after.handles - before.handles,
  running,
  queued,
});
