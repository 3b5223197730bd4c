// What the tarball may hold, and what it must.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const MAY =
  /^(dist\/(?:[\w-]+\/)*[\w.-]+\.(?:js|d\.ts)|dist\/cjs\/package\.json|docs\/(?:[\w-]+\/)*[\w-]+\.(?:md|svg)|package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md)$/;
const MUST = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'SECURITY.md',
  'docs/policies.md',
  'docs/recovery.md',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/testing/index.js',
  'dist/cjs/package.json',
  'dist/cjs/index.js',
  'dist/cjs/index.d.ts',
  'dist/cjs/testing/index.js',
  'dist/checkpoint/stores/file/node-verify-command.js',
];
const MOST_PACKED = 2 ** 20;
const MOST_UNPACKED = 6 * 2 ** 20;

/** Throws with everything that is wrong with a pack, as `npm pack --json` tells of it. */
export function review({ files, size, unpackedSize }, root) {
  const paths = files.map(({ path }) => path);
  const { bin, dependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const executable = Object.values(bin).map((path) => path.replace('./', ''));
  const wrong = [
    ...paths.filter((path) => !MAY.test(path)).map((path) => `holds ${path}`),
    ...paths
      .filter((path) => /(^|\/)(test|spec|bench|sample|node_modules)\//.test(path))
      .map((path) => `holds ${path}`),
    ...MUST.filter((path) => !paths.includes(path)).map((path) => `lacks ${path}`),
    ...paths
      .filter((path) => path.endsWith('.js') && !paths.includes(path.replace(/\.js$/, '.d.ts')))
      .map((path) => `has no types for ${path}`),
    ...paths
      .filter(
        (path) =>
          /\.(js|ts)$/.test(path) &&
          /^\/\/# source(Mapping)?URL/m.test(readFileSync(join(root, path), 'utf8')),
      )
      .map((path) => `points from ${path} to a map that nobody gets`),
    ...executable
      .filter((path) => !readFileSync(join(root, path), 'utf8').startsWith('#!/usr/bin/env node\n'))
      .map((path) => `cannot start ${path}: no #!`),
    ...Object.keys(dependencies).map((name) => `depends on ${name}`),
    ...(size > MOST_PACKED ? [`is ${size} bytes, more than ${MOST_PACKED}`] : []),
    ...(unpackedSize > MOST_UNPACKED
      ? [`unpacks to ${unpackedSize} bytes, more than ${MOST_UNPACKED}`]
      : []),
  ];
  if (wrong.length > 0) throw new Error(`the tarball ${wrong.join('\nthe tarball ')}`);
}
