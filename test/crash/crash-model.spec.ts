import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** `CRASH_RUNS=20000 CRASH_SEED=1`. Each run is a store that crashes about four times. */
const runs = Number(process.env['CRASH_RUNS'] ?? 20_000);
const first = Number(process.env['CRASH_SEED'] ?? 1);

interface Report {
  readonly crashes: number;
  /** By phase, call and kind of file: how often that was interrupted. */
  readonly interrupted: Readonly<Record<string, number>>;
  /** What there was to interrupt. */
  readonly made: readonly string[];
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const FLAGS = ['--single-threaded-gc', '--import', path('../support/typescript.mjs')];

async function crashRuns(from: number, count: number): Promise<Report> {
  const cover = from === first ? ['cover'] : [];
  const args = [...FLAGS, path('crash-runs.ts'), String(from), String(count), ...cover];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout) as Report;
}

/** The calls that can be interrupted; closing a file does nothing that could be. */
const CALLS = {
  life: [
    ['create', 'openForReading', 'makeDirectory', 'list', 'info', 'rename', 'removeFile'],
    ['removeDirectory', 'syncDirectory', 'write', 'read', 'datasync', 'sync'],
  ].flat(),
  recovery: [
    ['create', 'openForReading', 'makeDirectory', 'list', 'info', 'rename', 'link', 'removeFile'],
    ['removeDirectory', 'syncFile', 'syncDirectory', 'write', 'read', 'sync', 'realPath'],
  ].flat(),
};

describe('a crash at any call to the disk', () => {
  let reports: Report[];
  beforeAll(async () => {
    const processes = runs < 1_000 ? 1 : availableParallelism();
    const share = Math.ceil(runs / processes);
    reports = await Promise.all(
      Array.from({ length: processes }, (_, i) =>
        crashRuns(first + i * share, Math.min(share, runs - i * share)),
      ),
    );
  }, 900_000);

  test(`#102 #103 loses nothing acknowledged, in ${runs} seeded runs`, () => {
    const crashes = reports.reduce((sum, report) => sum + report.crashes, 0);
    expect(crashes).toBeGreaterThanOrEqual(runs * 3);
  });

  // a seed or two, to be looked at, need not
  const whole = runs < 300 ? test.skip : test;
  whole('#196 comes at every call that the store makes, in its life and while it recovers', () => {
    const { made, interrupted } = reports[0]!;
    expect(made.filter((call) => (interrupted[call] ?? 0) < 3)).toEqual([]);
    const kinds = (phase: string): string[] => {
      const calls = made.filter((call) => call.startsWith(phase));
      return [...new Set(calls.map((call) => call.split(' ')[1]!))].toSorted();
    };
    expect(kinds('life')).toEqual(CALLS.life.toSorted());
    expect(kinds('recovery')).toEqual(CALLS.recovery.toSorted());
  });
});
