import { crashRun } from './crash-run.js';

/** `CRASH_RUNS=20000 CRASH_SEED=1`. Each run is a store that crashes about four times. */
const runs = Number(process.env['CRASH_RUNS'] ?? 5_000);
const first = Number(process.env['CRASH_SEED'] ?? 1);

describe('a crash at any call to the disk', () => {
  test(`#102 #103 loses nothing acknowledged, in ${runs} seeded runs`, async () => {
    let crashes = 0;
    for (let seed = first; seed < first + runs; seed += 1) {
      try {
        crashes += await crashRun(seed);
      } catch (error) {
        throw new Error(`CRASH_SEED=${seed} CRASH_RUNS=1`, { cause: error });
      }
    }
    expect(crashes).toBeGreaterThanOrEqual(runs * 3);
  }, 600_000);
});
