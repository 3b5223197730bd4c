import { crashRun } from './crash-run.js';

/** `CRASH_RUNS=20000 CRASH_SEED=1` */
const runs = Number(process.env['CRASH_RUNS'] ?? 2_000);
const first = Number(process.env['CRASH_SEED'] ?? 1);

describe('a crash at any call to the disk', () => {
  test(`#102 #103 loses nothing acknowledged, in ${runs} seeded runs`, async () => {
    for (let seed = first; seed < first + runs; seed += 1) {
      try {
        await crashRun(seed);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  }, 600_000);
});
