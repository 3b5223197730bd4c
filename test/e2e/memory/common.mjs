import { setImmediate as turn } from 'node:timers/promises';

/** Heap in use and resident memory, in bytes, after everything that can be collected is. */
export async function memory() {
  for (let i = 0; i < 4; i += 1) {
    await turn();
    globalThis.gc();
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heapUsed, rss };
}

/** The library as it is published, and what is below its door. */
const DIST = new URL('../../../dist/', import.meta.url);
export const inside = (path) => import(new URL(path, DIST).href);

export async function newRuntime(clock) {
  const [{ ResilienceRuntime }, { systemClock }, { defaultClassifier }] = await Promise.all([
    inside('pipeline/runtime.js'),
    inside('pipeline/system-clock.js'),
    inside('errors/default-classifier.js'),
  ]);
  return new ResilienceRuntime({
    clock: clock ?? systemClock,
    random: Math.random,
    classifier: defaultClassifier,
    report: () => {},
  });
}

/** Answers the test that started this process. */
export const answer = (facts) => process.stdout.write(`${JSON.stringify(facts)}\n`);
