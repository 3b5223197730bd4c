// `npm run mutation [-- room …]`: changes the library piece by piece and counts the changes that no
// test notices. Half an hour for all rooms; Stryker is no dependency of ours:
// `npm i --no-save @stryker-mutator/core@9.5.1` first (the newest line that runs on Node 20).
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rooms } from './rooms.mjs';

const wanted = process.argv.slice(2);
const names = wanted.length === 0 ? Object.keys(rooms) : wanted;
const unknown = names.filter((name) => !Object.hasOwn(rooms, name));
if (unknown.length > 0) {
  console.error(`no room ${unknown.join(', ')}; known are ${Object.keys(rooms).join(', ')}`);
  process.exit(2);
}

const dir = '.stryker';
mkdirSync(dir, { recursive: true });
const totals = { killed: 0, all: 0 };
for (const name of names) {
  const { mutate, tests } = rooms[name];
  writeFileSync(
    `${dir}/stryker.json`,
    JSON.stringify({
      plugins: ['./test/mutation/runner.mjs'],
      testRunner: 'once',
      buildCommand: 'node test/mutation/build.mjs',
      coverageAnalysis: 'perTest',
      mutate,
      concurrency: 1,
      // the runner finds out by itself what hangs or spins, by the processor's time and not the wall's
      timeoutMS: 120_000,
      timeoutFactor: 10,
      reporters: ['json', 'clear-text', 'progress-append-only'],
      jsonReporter: { fileName: `${dir}/${name}.json` },
      clearTextReporter: { logTests: false, reportTests: false, reportMutants: false },
      tempDirName: `${dir}/tmp`,
      ignorePatterns: ['/sample', '/dist', '/docs', '/test/e2e'],
      warnings: { slow: false },
    }),
  );
  // Stryker that fails says so, and ends well
  rmSync(`${dir}/${name}.json`, { force: true });
  execFileSync('npx', ['stryker', 'run', `${dir}/stryker.json`], {
    stdio: 'inherit',
    env: { ...process.env, MUTATION_TESTS: tests.join(' '), PROGRAMS: '20' },
  });
  report(name);
}
console.log(`all: ${share(totals)}`);

function report(name) {
  const { files } = JSON.parse(readFileSync(`${dir}/${name}.json`, 'utf8'));
  const room = { killed: 0, all: 0 };
  for (const [file, { mutants }] of Object.entries(files)) {
    for (const { status, location, mutatorName, replacement } of mutants) {
      const dead = status === 'Killed' || status === 'Timeout';
      room.all += 1;
      if (dead) room.killed += 1;
      else
        console.log(
          `  ${status.toLowerCase()} ${file}:${location.start.line} ${mutatorName} ${String(replacement).slice(0, 60)}`,
        );
    }
  }
  totals.killed += room.killed;
  totals.all += room.all;
  console.log(`${name}: ${share(room)}`);
}

function share({ killed, all }) {
  return `${killed} of ${all} mutants killed, ${((100 * killed) / Math.max(1, all)).toFixed(1)} %`;
}
