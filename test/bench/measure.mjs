// One contender in a process of its own: prints the nanoseconds per call of each of its cases as JSON.
import { AsyncLocalStorage } from 'node:async_hooks';
import { measure } from 'mitata';
import { contenders } from './contenders.mjs';

const [name, asyncContext] = process.argv.slice(2);
const CALLS = 1_000;

// an application that uses AsyncLocalStorage pays for it in every promise
const storage = new AsyncLocalStorage();
const run = (body) => (asyncContext === 'on' ? storage.run({ user: 1 }, body) : body());

await run(async () => {
  const cases = await contenders[name]();
  const result = {};
  for (const [title, call] of Object.entries(cases)) {
    const batch = async () => {
      for (let i = 0; i < CALLS; i += 1) await call(i);
    };
    for (let i = 0; i < 20; i += 1) await batch();
    const { p50 } = await measure(batch, { min_cpu_time: 300e6, min_samples: 30 });
    result[title] = p50 / CALLS;
  }
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
});
