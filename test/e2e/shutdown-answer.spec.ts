// A hundred shutdowns, one after another, each asked for by a client of its own.
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Agent, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RecoveryManager, ResilienceModule } from 'nestjs-bulwark';

const TOKEN = 'a-token-of-the-tests-of-thirty-two-characters';
const authorization = `Bearer ${TOKEN}`;

@Module({
  imports: [
    ResilienceModule.forRoot({
      recovery: { danger: ['shutdown'], access: { tokens: { danger: TOKEN } }, audit: () => {} },
    }),
  ],
})
class App {}

/** The status of the answer, read to its end. */
function ask(port: number, agent: Agent | false): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization };
    const where = { host: '127.0.0.1', port, path: '/recovery/shutdown', method: 'POST' };
    request({ ...where, headers, agent }, (response) => {
      response.once('error', reject).once('end', () => resolve(response.statusCode!));
      response.resume();
    })
      .once('error', reject)
      .end();
  });
}

it.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])(
  '#151 a hundred of a hundred clients read the answer to their shutdown on %s',
  async (_, adapter) => {
    const codes: number[] = [];
    const statuses: number[] = [];
    for (let i = 0; i < 100; i += 1) {
      const app = await NestFactory.create(App, adapter(), { logger: false });
      const manager = app.get(RecoveryManager);
      const exited = new Promise<void>((resolve) => {
        const exit = (code: number): void => {
          codes.push(code);
          resolve();
        };
        // the last one waits for the second after which the process would be ended
        manager.attach(app, { signals: false, exit: i === 99 ? exit : false });
      });
      await app.listen(0, '127.0.0.1');
      const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
      const agent = i % 2 === 0 && new Agent({ keepAlive: true });
      statuses.push(await ask(port, agent));
      await manager.gracefulShutdown('joins');
      await expect(ask(port, false)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      if (agent !== false) agent.destroy();
      if (i === 99) await exited;
    }

    expect(statuses).toEqual(Array(100).fill(202));
    expect(codes).toEqual([0]);
  },
  120_000,
);
