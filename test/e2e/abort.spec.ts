import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CallTimeoutError, currentCall, ResilienceModule, TimeLimit } from 'nestjs-bulwark';

let server: Server;
let url: string;
let closed: Promise<unknown>;

@Injectable()
class Client {
  @TimeLimit(100)
  async ask(): Promise<string> {
    const { signal } = currentCall();
    const response = await fetch(url, { signal });
    return response.text();
  }
}

beforeAll(async () => {
  server = createServer(() => {
    // never answers
  });
  closed = new Promise((resolve) => {
    server.on('connection', (socket) => socket.on('close', resolve));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it('#61 a time limit destroys the socket of the fetch that was given the signal', async () => {
  class App {}
  const app: INestApplicationContext = await NestFactory.createApplicationContext(
    { module: App, imports: [ResilienceModule.forRoot({ health: false })], providers: [Client] },
    { logger: false },
  );

  await expect(app.get(Client).ask()).rejects.toBeInstanceOf(CallTimeoutError);

  // the server never answers and never closes: only our abort ends the connection
  await closed;
  await app.close();
});
