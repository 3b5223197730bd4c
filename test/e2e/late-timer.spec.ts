import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceModule, TimeLimit } from 'nestjs-bulwark';

let server: Server;
let url: string;

@Injectable()
class Client {
  @TimeLimit(200)
  async ask(): Promise<string> {
    return (await fetch(url)).text();
  }
}

beforeAll(async () => {
  server = createServer((_request, response) => response.end('good'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it('an answer that arrived while our own loop was blocked past the limit is the answer', async () => {
  class App {}
  const app = await NestFactory.createApplicationContext(
    { module: App, imports: [ResilienceModule.forRoot({ health: false })], providers: [Client] },
    { logger: false },
  );
  await app.get(Client).ask(); // the connection is open from here on

  const call = app.get(Client).ask();
  await once(server, 'request'); // in this process: the answer is written in this very turn
  const until = performance.now() + 400;
  while (performance.now() < until); // a busy loop

  await expect(call).resolves.toBe('good');
  await app.close();
});
