// #87: a million distinct keys, one failing tenant among them.
import { answer, inside, memory, newRuntime } from './common.mjs';

const { runPromise } = await inside('pipeline/promise-face.js');
const runtime = await newRuntime();
const key = (id) => id;
const target = runtime.register('Users.load', {
  circuitBreaker: { failureThreshold: 1, openFor: 3_600_000, maxOpenFor: 3_600_000, key },
  bulkhead: { key },
  rateLimit: { limit: 1_000, key },
});
const up = () => Promise.resolve();
const down = () => Promise.reject(new Error('down'));
const call = (id, work) => runPromise(target, work, undefined, [id]).catch(() => {});

const bad = Array.from({ length: 50 }, (_, i) => `bad:${i}`);
for (const id of bad) await call(id, down);
for (let i = 0; i < 10_000; i += 1) await call(`warm:${i}`, up);
const before = await memory();
const began = performance.now();
for (let i = 0; i < 1_000_000; i += 1) {
  // a key of its own text, as one that came by the network is
  await call(Buffer.from(`user:${i}`).toString(), up);
}
const each = ((performance.now() - began) * 1_000) / 1_000_000;
const after = await memory();

const breakers = runtime.registry.breakers.keyedReader('Users.load');
answer({
  rss: after.rss - before.rss,
  heap: after.heapUsed - before.heapUsed,
  each,
  sizes: ['breakers', 'bulkheads', 'rateLimiters'].map(
    (kind) => runtime.registry[kind].keyedReader('Users.load').size,
  ),
  open: breakers.list().filter(([, { state }]) => state === 'open').length,
  evicted: breakers.evicted,
});
