// What an application once kept it finds again, whatever version of this library wrote it.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FORMAT } from '../../lib/checkpoint/component/format.js';

const GOLDEN = join('test', 'crash', 'golden');
const VERSIONS = readdirSync(join(GOLDEN, 'application'));
const root = mkdtempSync(join(tmpdir(), 'bulwark-golden-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Runs one of the programs beside the golden files; throws with what it says if it fails. */
const runs = (program: string, directory: string): void => {
  const register = './test/support/typescript.mjs';
  execFileSync(process.execPath, ['--import', register, join(GOLDEN, program), directory]);
};

test('the newest version of the format has its golden files', () => {
  expect(Math.max(...VERSIONS.map(Number))).toBe(FORMAT);
});

test.each(VERSIONS)('#106 version %s is read with every value and type', (version) => {
  const directory = join(root, version);
  cpSync(join(GOLDEN, 'application', version), directory, { recursive: true });
  runs('check-application.ts', directory);
});

test('so is what is written now', () => {
  runs('make-application.ts', join(root, 'now'));
  runs('check-application.ts', join(root, 'now'));
});
