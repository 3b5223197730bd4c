// #88: ten thousand runtimes, used and dropped.
import { answer, inside, memory, newRuntime } from './common.mjs';

const { runPromise } = await inside('pipeline/promise-face.js');
const N = 10_000;
let collected = 0;
const gone = new FinalizationRegistry(() => (collected += 1));
const refs = [];

async function use(i) {
  const runtime = await newRuntime();
  runtime.bus.listen(() => {});
  const target = runtime.register('A', {
    fallback: { cache: { ttl: 60_000, key: () => 'k' } },
    retry: { maxAttempts: 2, delay: 0, budget: { minimum: 1 } },
    circuitBreaker: { failureThreshold: 1, key: (k) => k },
    rateLimit: { limit: 10, name: 'shared' },
    timeLimit: { ms: 1_000, propagateDeadline: i % 2 === 0 },
    bulkhead: {},
  });
  await runPromise(target, () => Promise.resolve(i), undefined, ['a']);
  if (i % 10 === 0)
    await runPromise(target, () => Promise.reject(new Error('down')), undefined, ['b']).catch(
      () => {},
    );
  runtime.reconfigure('A', { bulkhead: { maxConcurrent: 3 } });
  runtime.setEnabled(false);
  for (const object of [runtime, target, target.pipeline]) {
    refs.push(new WeakRef(object));
    gone.register(object);
  }
}

for (let i = 0; i < 100; i += 1) await use(i);
const before = await memory();
refs.length = 0;
for (let i = 0; i < N; i += 1) await use(i);
const after = await memory();
answer({
  reachable: refs.filter((ref) => ref.deref() !== undefined).length,
  collected,
  heap: after.heapUsed - before.heapUsed - refs.length * 64,
});
