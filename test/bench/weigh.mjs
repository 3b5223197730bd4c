// `node --expose-gc test/bench/weigh.mjs <question> <contender>`: one question about memory; answers JSON.
import { median } from './arithmetic.mjs';
import { callsOf, CASES } from './cases.mjs';
import { contenders } from './contenders.mjs';

const [question, name] = process.argv.slice(2);
const gc = globalThis.gc;

/** Bytes on the heap when all that can go has gone. */
async function heap() {
  for (let i = 0; i < 4; i += 1) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

async function repeat(title, batch, calls) {
  for (let done = 0; done < calls; done += callsOf(title)) await batch();
}

const questions = {
  /** Bytes per call of each case, compiled. */
  allocation: async () => {
    const bytes = {};
    for (const [title, make] of Object.entries(await contenders[name]())) {
      const batch = CASES[title].batch(make());
      await repeat(title, batch, CASES[title].heavy ? 40_000 : 10_000);
      const looks = [];
      for (let look = 0; look < 7; look += 1) {
        gc();
        const before = process.memoryUsage().heapUsed;
        await repeat(title, batch, 2_000);
        looks.push((process.memoryUsage().heapUsed - before) / 2_000);
      }
      bytes[title] = median(looks);
    }
    return bytes;
  },

  /** Bytes that stay after 10⁶ calls. */
  kept: async () => {
    const makers = await contenders[name]();
    const bytes = {};
    const titles = [
      'breaker',
      'breaker-failing',
      'stack-5',
      'open-rejected',
      'queued',
      'observable',
    ];
    for (const title of titles) {
      const batch = CASES[title].batch(makers[title]());
      await repeat(title, batch, 20_000);
      const before = await heap();
      await repeat(title, batch, 1_000_000);
      bytes[title] = (await heap()) - before;
    }
    return bytes;
  },

  /** Bytes of an idle breaker. */
  breaker: async () => (await import('./idle-breakers.mjs')).idleBreakers(name, heap),

  /** Bytes on the heap after so many different keys, of which `maxKeys`, 1,000, are kept. */
  keys: async () => (await import('./idle-breakers.mjs')).keysOverTime(heap),
};

const answer = await questions[question]();
process.stdout.write(JSON.stringify(answer), () => process.exit(0));
