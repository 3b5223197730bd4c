// Packs the library, installs the tarball into fresh applications outside the repository, and uses
// it over real HTTP on Express and on Fastify. Fails on anything that the tarball lacks.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const place = mkdtempSync(join(tmpdir(), 'bulwark-smoke-'));
const npm = (cwd, ...args) =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

// as in a container: on a terminal a token would be made that lets somebody in
const env = { ...process.env, NODE_ENV: 'production' };
const node = (cwd, ...args) => execFileSync(process.execPath, args, { cwd, env, stdio: 'inherit' });
const COMPILE =
  '--noEmit --strict --experimentalDecorators --emitDecoratorMetadata --target es2023 --module nodenext --types node'.split(
    ' ',
  );

const pick = (names, version) =>
  Object.fromEntries(names.map((name) => [name, version ?? devDependencies[name]]));
const NEST = ['common', 'core', 'terminus', 'platform-express', 'platform-fastify'].map(
  (name) => `@nestjs/${name}`,
);
/** The lowest that the peers allow, where `expose: false` of our refusals is first honoured. */
const FLOOR = { ...pick(NEST, '11.2.8'), '@nestjs/terminus': '11.0.0' };
const OTHERS = pick(['reflect-metadata', 'rxjs', 'typescript', '@types/node']);
const MAJORS = {
  'nest-12': { ...pick(NEST), ...OTHERS },
  'nest-11': { ...FLOOR, ...OTHERS },
};

const APPLICATION = `
import 'reflect-metadata';
import { strict as assert } from 'node:assert';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CircuitBreaker, CircuitOpenError, Fallback, ResilienceModule, ResilienceRegistry, Retry } from 'nestjs-bulwark';
import { FakeClock, seededRandom } from 'nestjs-bulwark/testing';

assert.equal(typeof new FakeClock().now(), 'number');
assert.ok(seededRandom(1)() < 1);

// decorators applied by hand, as the TypeScript compiler does
const decorate = (type, key, ...decorators) => {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, key);
  for (const d of decorators.reverse()) d(type.prototype, key, descriptor);
  Object.defineProperty(type.prototype, key, descriptor);
};

for (const Adapter of [ExpressAdapter, FastifyAdapter]) {
  class Stage {
    async flaky() { throw new Error('down'); }
    async bare() { throw new Error('down'); }
  }
  decorate(Stage, 'flaky', Get('flaky'), Fallback({ value: { degraded: true } }), Retry({ delay: 1 }));
  decorate(Stage, 'bare', Get('bare'), CircuitBreaker({ failureThreshold: 2 }));
  Controller()(Stage);
  class App {}
  Module({ imports: [ResilienceModule.forRoot()], controllers: [Stage] })(App);

  const app = await NestFactory.create(App, new Adapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const get = async (path) => { const r = await fetch(url + path); return [r.status, await r.json()]; };

  assert.deepEqual(await get('/flaky'), [200, { degraded: true }]);
  assert.deepEqual(await get('/health'), [200, { status: 'ok' }]);
  for (const status of [500, 500]) assert.equal((await get('/bare'))[0], status);
  assert.deepEqual(await get('/bare'), [503, { statusCode: 503, message: 'Service Unavailable' }]);
  assert.equal(app.get(ResilienceRegistry).breakers.reader('Stage.bare').state, 'open');
  assert.deepEqual(await get('/health'), [200, { status: 'degraded' }]);
  assert.equal((await get('/health/live'))[0], 200);
  // nobody was let in, and nothing optional is installed
  const [status, { success, code }] = await get('/recovery/status');
  assert.deepEqual([status, success, code], [403, false, 'RECOVERY_CLOSED']);
  assert.ok(CircuitOpenError);
  await app.close();
}
`;

const TYPES = `
import { CircuitBreaker, ResilienceModule } from 'nestjs-bulwark';
import { FakeClock } from 'nestjs-bulwark/testing';
export class Service {
  @CircuitBreaker({ failureThreshold: 3 })
  async call(): Promise<number> { return new FakeClock().now(); }
  // @ts-expect-error a method that returns neither a Promise nor an Observable
  @CircuitBreaker()
  sync(): number { return 1; }
}
export const module = ResilienceModule.forRoot({ health: { details: 'always' } });
`;

/** As applications are that were begun with an earlier Nest 11: CommonJS, and types by `main`. */
const COMMONJS =
  '--strict --experimentalDecorators --emitDecoratorMetadata --target es2021 --module commonjs --moduleResolution node10 --ignoreDeprecations 6.0 --skipLibCheck --types node --outDir built'.split(
    ' ',
  );

const REQUIRED = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { FakeClock } from 'nestjs-bulwark/testing';
@Module({ imports: [ResilienceModule.forRoot()] })
class App {}
async function run(): Promise<void> {
  const app = await NestFactory.createApplicationContext(App, { logger: false });
  const answer: string = await app.get(ResilienceService).execute('ping', async () => 'pong', { retry: {} });
  if (answer !== 'pong' || typeof new FakeClock().now() !== 'number') throw new Error(answer);
  await app.close();
}
void run();
`;

try {
  const [{ filename, files }] = JSON.parse(
    npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', place),
  );
  const strays = files
    .map((f) => f.path)
    .filter(
      (p) =>
        !/^(dist\/|docs\/[\w-]+\.md$|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$)/.test(p),
    );
  if (strays.length > 0)
    throw new Error(`the tarball holds what it should not: ${strays.join(', ')}`);

  for (const [nest, versions] of Object.entries(MAJORS)) {
    const app = join(place, nest);
    mkdirSync(app);
    writeFileSync(
      join(app, 'package.json'),
      JSON.stringify({ name: nest, private: true, type: 'module' }),
    );
    const packages = Object.entries(versions).map(([name, version]) => `${name}@${version}`);
    npm(
      app,
      'install',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--loglevel=error',
      join(place, filename),
      ...packages,
    );
    writeFileSync(join(app, 'application.mjs'), APPLICATION);
    writeFileSync(join(app, 'types.ts'), TYPES);
    node(app, 'application.mjs');
    node(app, 'node_modules/typescript/bin/tsc', ...COMPILE, 'types.ts');
    if (nest === 'nest-11') {
      writeFileSync(join(app, 'required.ts'), REQUIRED);
      node(app, 'node_modules/typescript/bin/tsc', ...COMMONJS, 'required.ts');
      writeFileSync(join(app, 'built', 'package.json'), '{"type":"commonjs"}');
      node(app, 'built/required.js');
    }
    console.log(`${nest}: the packed library works and its types compile`);
  }
  console.log(`${files.length} files in ${filename}`);
} finally {
  rmSync(place, { recursive: true, force: true });
}
