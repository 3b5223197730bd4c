// #98: what an application imports and what a CommonJS package requires.
import 'reflect-metadata';
import { strict as assert } from 'node:assert';
import { createRequire } from 'node:module';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as imported from 'nestjs-bulwark';
import * as importedTesting from 'nestjs-bulwark/testing';

const require = createRequire(import.meta.url);
const required = require('nestjs-bulwark');
const requiredTesting = require('nestjs-bulwark/testing');
const { CheckoutService } = require('./a-commonjs-package.cjs');

const oneCopy = process.argv[2] === 'one';
assert.deepEqual(Object.keys(required).sort(), Object.keys(imported).sort());
for (const [name, value] of Object.entries(imported))
  if (typeof value === 'function') assert.equal(required[name] === value, oneCopy, name);
assert.equal(requiredTesting.FakeClock === importedTesting.FakeClock, oneCopy);

const { ResilienceModule, ResilienceRegistry, CircuitOpenError, ResilienceRejection } = imported;
class App {}
Module({ imports: [ResilienceModule.forRoot()], providers: [CheckoutService] })(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });

const checkout = app.get(CheckoutService);
await assert.rejects(checkout.pay(), { message: 'down' });
const open = await checkout.pay().catch((error) => error);
// the registry of the module that was imported has the breaker that was declared by what was required
assert.equal(app.get(ResilienceRegistry).breakers.reader('CheckoutService.pay').state, 'open');
for (const copy of [imported, required]) {
  assert.ok(copy.isResilienceRejection(open));
  assert.ok(open instanceof copy.CircuitOpenError);
  assert.ok(open instanceof copy.ResilienceRejection);
  assert.ok(!(open instanceof copy.BulkheadFullError));
  assert.ok(!(new Error('down') instanceof copy.ResilienceRejection));
}
assert.ok(CircuitOpenError.prototype instanceof ResilienceRejection);
// and what was required finds, by its own tokens, what was imported
assert.equal(app.get(required.ResilienceRegistry), app.get(ResilienceRegistry));
assert.equal(checkout.registry, app.get(ResilienceRegistry));
// one call, seen from both sides
assert.deepEqual(await checkout.seen(imported.currentCall), [1, 1]);
await app.close();
