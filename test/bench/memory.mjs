// What calls and breakers weigh, each question in a process of its own.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { contenders } from './contenders.mjs';

const script = fileURLToPath(new URL('weigh.mjs', import.meta.url));
// so much room for new objects that none is collected while they are counted
const ROOMY = ['--min-semi-space-size=256', '--max-semi-space-size=256'];

async function weigh(question, name, flags = []) {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--expose-gc', ...flags, script, question, name]);
  return JSON.parse(stdout);
}

/**
 * Bytes: `allocation` per call over the bare method, `kept` on the heap after 10⁶ calls of ours,
 * `breaker` for one that is idle, `keys` on the heap after so many different keys of ours.
 */
export async function measureMemory() {
  const names = Object.keys(contenders);
  const allocation = {};
  for (const name of names) allocation[name] = await weigh('allocation', name, ROOMY);
  const breaker = {};
  for (const name of names.filter((one) => one !== 'bare' && one !== 'rxjs'))
    breaker[name] = await weigh('breaker', name);
  return {
    allocation: overBare(allocation),
    kept: await weigh('kept', 'ours'),
    breaker,
    keys: await weigh('keys', 'ours'),
  };
}

function overBare({ bare, ...others }) {
  const cases = {};
  for (const title of Object.keys(others.ours)) {
    cases[title] = {};
    for (const [name, bytes] of Object.entries(others)) {
      if (title in bytes) cases[title][name] = Math.round(bytes[title] - bare[title]);
    }
  }
  return cases;
}
