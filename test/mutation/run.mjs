// `npm run mutation [-- room …]`: changes the library line by line and counts the changes that no
// test notices. Takes hours for all rooms; Stryker is no dependency of ours: `npm i --no-save @stryker-mutator/core@9.5.1 @stryker-mutator/jest-runner@9.5.1`
// first (the newest line that runs on Node 20).
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
    `${dir}/jest.config.mjs`,
    `import base from '../jest.config.js';
export default {
  ...base,
  rootDir: process.cwd(),
  testEnvironment: '@stryker-mutator/jest-runner/jest-env/node',
  roots: ${JSON.stringify(tests.map((test) => `<rootDir>/${test}`))},
};
`,
  );
  writeFileSync(
    `${dir}/stryker.json`,
    JSON.stringify({
      testRunner: 'jest',
      testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
      jest: { configFile: `${dir}/jest.config.mjs`, enableFindRelatedTests: false },
      coverageAnalysis: 'perTest',
      mutate,
      concurrency: 2,
      timeoutMS: 10_000,
      reporters: ['json', 'clear-text'],
      jsonReporter: { fileName: `${dir}/${name}.json` },
      clearTextReporter: { logTests: false, reportTests: false, reportMutants: false },
      tempDirName: `${dir}/tmp`,
      ignorePatterns: ['/sample', '/dist', '/docs', '/test/e2e'],
    }),
  );
  execFileSync('npx', ['stryker', 'run', `${dir}/stryker.json`], { stdio: 'inherit' });
  report(name);
}
console.log(`all: ${share(totals)}`);

function report(name) {
  const { files } = JSON.parse(readFileSync(`${dir}/${name}.json`, 'utf8'));
  const room = { killed: 0, all: 0 };
  for (const [file, { mutants }] of Object.entries(files)) {
    for (const { status, location, mutatorName, replacement } of mutants) {
      if (status === 'Ignored' || status === 'CompileError' || status === 'RuntimeError') continue;
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
