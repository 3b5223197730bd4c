// Boots on both adapters with the optional packages that are there, each used as an application
// would, and looks whether /recovery is shut to those without a token, and open to those with one.
import 'reflect-metadata';
import { strict as assert } from 'node:assert';
import { createRequire } from 'node:module';
import { Controller, Get, Module, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CircuitBreaker, ResilienceModule } from 'nestjs-bulwark';

const { resolve } = createRequire(import.meta.url);
const optional = (name) => {
  try {
    resolve(name);
  } catch {
    return undefined;
  }
  return import(name);
};
const [swagger, throttler, validator, telemetry] = await Promise.all(
  ['@nestjs/swagger', '@nestjs/throttler', 'class-validator', '@opentelemetry/api'].map(optional),
);
assert.deepEqual(
  Object.entries({ swagger, throttler, validator, telemetry })
    .filter(([, there]) => there)
    .map(([name]) => name),
  (process.argv[2] ?? '').split(',').filter(Boolean),
);

const TOKEN = 'Read-4f9c2b7e1a6d3f8054c7b9e2a1Qx';
const WITH_TOKEN = { access: { tokens: { read: TOKEN } }, danger: ['restore', 'fix', 'shutdown'] };

const decorate = (type, key, ...decorators) => {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, key);
  for (const decorator of decorators) decorator(type.prototype, key, descriptor);
  Object.defineProperty(type.prototype, key, descriptor);
};

async function serve(Adapter, recovery) {
  class Stage {
    async works() {
      return 'works';
    }
  }
  decorate(Stage, 'works', Get('works'), CircuitBreaker());
  Controller()(Stage);
  class App {}
  const imports = [ResilienceModule.forRoot({ recovery })];
  if (throttler) imports.push(throttler.ThrottlerModule.forRoot([{ ttl: 60_000, limit: 100 }]));
  Module({ imports, controllers: [Stage] })(App);

  const app = await NestFactory.create(App, new Adapter(), { logger: false });
  if (validator)
    app.useGlobalPipes(new ValidationPipe({ forbidNonWhitelisted: true, whitelist: true }));
  if (swagger) {
    const document = swagger.SwaggerModule.createDocument(
      app,
      new swagger.DocumentBuilder().build(),
    );
    assert.ok(Object.keys(document.paths).includes('/works'));
  }
  await app.listen(0, '127.0.0.1');
  return app;
}

const READS = ['status', 'health', 'circuit-breakers', 'backups', 'errors', 'actions'];
const WRITES = [
  'circuit-breakers/x/reset',
  'backup/create',
  'backup/restore',
  'corruption/check',
  'corruption/fix',
  'shutdown',
  'network/reconnect',
];
const CREDENTIALS = [
  undefined,
  'Bearer ',
  'Bearer wrong',
  `Bearer ${TOKEN}x`,
  `Bearer ${TOKEN.slice(0, -1)}`,
  `Basic ${TOKEN}`,
];
const EVERY = CREDENTIALS.flatMap((credential) => [
  ...READS.map((path) => ['GET', path, credential]),
  ...WRITES.map((path) => ['POST', path, credential]),
]);

async function visit(Adapter, recovery, refusals) {
  const app = await serve(Adapter, recovery);
  const url = await app.getUrl();
  const ask = async (method, path, authorization) =>
    fetch(`${url}/${path}`, {
      method,
      headers: authorization === undefined ? {} : { authorization },
    });

  assert.equal(await (await ask('GET', 'works')).text(), 'works');
  assert.equal((await ask('GET', 'health')).status, 200);
  if (recovery === WITH_TOKEN) {
    assert.equal((await ask('GET', 'recovery/status', `Bearer ${TOKEN}`)).status, 200);
    assert.equal((await ask('POST', 'recovery/shutdown', `Bearer ${TOKEN}`)).status, 403);
  }
  for (const [method, path, credential] of EVERY) {
    const { status } = await ask(method, `recovery/${path}`, credential);
    assert.ok(refusals.includes(status), `${method} ${path} with ${credential}: ${status}`);
  }
  await app.close();
}

for (const Adapter of [ExpressAdapter, FastifyAdapter]) {
  await visit(Adapter, {}, [403]);
  await visit(Adapter, WITH_TOKEN, [401, 429]);
}
