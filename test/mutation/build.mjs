// Runs in Stryker's copy of the project, where the mutants are in: compiles the library and the
// tests, each file next to its source, so that a runner imports them once and for all mutants.
import { transformSync } from '@swc/core';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import jest from '../../jest.config.js';

const [[, options]] = Object.values(jest.transform);

for (const root of ['lib', 'test']) {
  for (const name of readdirSync(root, { recursive: true })) {
    if (!name.endsWith('.ts') || name.endsWith('.d.ts')) continue;
    const file = `${root}/${name}`;
    const source = readFileSync(file, 'utf8');
    const { code } = transformSync(root === 'test' ? quick(source) : source, {
      ...options,
      filename: file,
      sourceMaps: false,
    });
    writeFileSync(file.replace(/\.ts$/, '.js'), code);
  }
}

// our own name leads to dist
for (const [dir, index] of [
  ['dist', '../lib/index.js'],
  ['dist/testing', '../../lib/testing/index.js'],
]) {
  mkdirSync(dir, { recursive: true });
  writeFileSync(`${dir}/index.js`, `export * from '${index}';\n`);
}

/** The same test with fewer rounds: what few rounds kill, more would kill too. */
function quick(source) {
  return source
    .replace("import { jest } from '@jest/globals';", '') // the harness makes it a global
    .replace(".ts?copy'", ".js?copy'")
    .replaceAll(/numRuns: 100\b/g, 'numRuns: 4')
    .replaceAll(/numRuns: (?:300|1_000)/g, 'numRuns: 50')
    .replaceAll(/(?<=for \(let i = 0; i < )300(?=;)/g, '20')
    .replaceAll(/const CALLS = 100_?000/g, 'const CALLS = 1000');
}
