// The applications that the tarball is installed into: of the newest Nest that the peers allow, and of the oldest.
import { readFileSync } from 'node:fs';

const { devDependencies } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

const pick = (names, version) =>
  Object.fromEntries(names.map((name) => [name, version ?? devDependencies[name]]));
const NEST = ['common', 'core', 'platform-express', 'platform-fastify'].map(
  (name) => `@nestjs/${name}`,
);
const OTHERS = {
  ...pick([
    'reflect-metadata',
    'rxjs',
    'typescript',
    '@types/node',
    '@types/jest',
    '@opentelemetry/api',
  ]),
  '@nestjs/throttler': '^6.4.0',
  'class-validator': '^0.14.0',
  'class-transformer': '^0.5.0',
};
export const APPLICATIONS = {
  'nest-12': {
    type: 'module',
    compile: ['--module', 'nodenext', '--target', 'es2023'],
    packages: {
      ...pick([...NEST, '@nestjs/terminus', '@nestjs/swagger', '@nestjs/testing']),
      '@types/express': '*',
      ...OTHERS,
    },
  },
  // The lowest that the peers allow, where `expose: false` of our refusals is first honoured; set up
  // as applications are that were begun with an earlier Nest 11: CommonJS, and types by `main`.
  'nest-11': {
    type: 'commonjs',
    compile:
      '--module commonjs --moduleResolution node10 --ignoreDeprecations 6.0 --target es2021 --esModuleInterop --skipLibCheck'.split(
        ' ',
      ),
    packages: {
      ...pick(NEST, '11.2.8'),
      '@nestjs/terminus': '11.0.0',
      '@nestjs/testing': '~11.2.0',
      '@nestjs/swagger': '^11.0.0',
      ...OTHERS,
      ...pick(['jest']),
      'ts-jest': '^29.4.0',
    },
  },
};
