// Compiled and run inside each fresh application, in that application's own module format.
import 'reflect-metadata';
import { strict as assert } from 'node:assert';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  CircuitBreaker,
  CircuitOpenError,
  Fallback,
  ResilienceModule,
  ResilienceRegistry,
  ResilienceService,
  Retry,
} from 'nestjs-bulwark';
import { FakeClock, seededRandom } from 'nestjs-bulwark/testing';

@Controller()
class Stage {
  @Get('flaky')
  @Fallback({ value: { degraded: true } })
  @Retry({ delay: 1 })
  async flaky(): Promise<{ degraded: boolean }> {
    throw new Error('down');
  }

  @Get('bare')
  @CircuitBreaker({ failureThreshold: 2 })
  async bare(): Promise<string> {
    throw new Error('down');
  }
}

export class Mistaken {
  // @ts-expect-error a method that returns neither a Promise nor an Observable
  @CircuitBreaker()
  sync(): number {
    return 1;
  }
}

async function visit(Adapter: typeof ExpressAdapter | typeof FastifyAdapter): Promise<void> {
  // a class of its own for each application, as its breakers belong to the class
  class Visited extends Stage {}
  Controller()(Visited);
  class App {}
  Module({ imports: [ResilienceModule.forRoot()], controllers: [Visited] })(App);
  const app = await NestFactory.create(App, new Adapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const get = async (path: string): Promise<[number, unknown]> => {
    const answer = await fetch(url + path);
    return [answer.status, await answer.json()];
  };

  assert.deepEqual(await get('/flaky'), [200, { degraded: true }]);
  assert.deepEqual(await get('/health'), [200, { status: 'ok' }]);
  for (const status of [500, 500]) assert.equal((await get('/bare'))[0], status);
  assert.deepEqual(await get('/bare'), [503, { statusCode: 503, message: 'Service Unavailable' }]);
  assert.equal(app.get(ResilienceRegistry).breakers.reader('Visited.bare')?.state, 'open');
  await assert.rejects(app.get(Visited).bare(), CircuitOpenError);
  assert.deepEqual(await get('/health'), [200, { status: 'degraded' }]);
  assert.equal((await get('/health/live'))[0], 200);

  // nobody was let in
  const [status, told] = await get('/recovery/status');
  const { success, code } = told as { success: boolean; code: string };
  assert.deepEqual([status, success, code], [403, false, 'RECOVERY_CLOSED']);

  const answer: string = await app
    .get(ResilienceService)
    .execute('ping', async () => 'pong', { retry: {} });
  assert.equal(answer, 'pong');
  await app.close();
}

async function run(): Promise<void> {
  assert.equal(typeof new FakeClock().now(), 'number');
  assert.ok(seededRandom(1)() < 1);
  for (const Adapter of [ExpressAdapter, FastifyAdapter]) await visit(Adapter);
}
void run();
