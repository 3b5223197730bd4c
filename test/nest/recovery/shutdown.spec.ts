// A shutdown as seen from outside, while it goes on.
import { Controller, Get, Injectable, type MessageEvent, Res, Sse } from '@nestjs/common';
import { type Observable, NEVER, startWith } from 'rxjs';
import { Bulkhead, CircuitBreaker, RecoveryManager } from 'nestjs-bulwark';
import { get as request, type ServerResponse } from 'node:http';
import { settle } from '../../../lib/testing/index.js';
import { ADAPTERS, closeAll, deferred, eventLoopTurns, serve, type World } from '../support/app.js';
import { SseClient } from '../support/sse-client.js';

afterEach(closeAll);

@Injectable()
class Client {
  readonly going: (() => void)[] = [];

  @CircuitBreaker()
  @Bulkhead({ maxQueue: 0 })
  async call(): Promise<string> {
    const { promise, resolve } = deferred();
    this.going.push(resolve);
    await promise;
    return 'fine';
  }
}

@Controller()
class Pages {
  constructor(private readonly client: Client) {}

  @Get('call')
  call(): Promise<string> {
    return this.client.call();
  }

  @Get('half')
  half(@Res() response: { raw?: ServerResponse } & ServerResponse): void {
    (response.raw ?? response).write('half');
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return NEVER.pipe(startWith({ data: 'hello' }));
  }
}

const SHUTDOWN = { preStopDelay: 5_000, grace: 1_000 };

async function world(
  adapter: (typeof ADAPTERS)[number][1],
  signals: NodeJS.Signals[] | false = false,
): Promise<World> {
  const made = await serve(adapter, {
    controllers: [Pages],
    providers: [Client],
    bulwark: { recovery: { shutdown: SHUTDOWN } },
  });
  made.app.get(RecoveryManager).attach(made.app, { signals });
  return made;
}

/** Turns of the loop and of the clock, until that is so. */
async function until({ clock }: World, isSo: () => boolean, step = 0): Promise<void> {
  for (let turn = 0; turn < 1_000 && !isSo(); turn += 1) {
    await clock.advance(step);
    await eventLoopTurns();
  }
  expect(isSo()).toBe(true);
}

describe.each(ADAPTERS)('on %s', (_, adapter) => {
  it('#184 readiness is taken back at once, while everything else works', async () => {
    const one = await world(adapter);
    await expect(one.get('/health/ready')).resolves.toMatchObject({ status: 200 });
    void one.app.get(RecoveryManager).gracefulShutdown('deploy');
    const ready = await one.get('/health/ready');

    expect([ready.status, ready.json]).toEqual([503, { status: 'shutting_down' }]);
    expect(ready.headers.get('connection')).toBe('close');
    await expect(one.get('/health/live')).resolves.toMatchObject({ status: 200 });
    const answer = one.get('/call');
    const { going } = one.app.get(Client);
    await until(one, () => going.length === 1);
    going[0]!();
    await expect(answer).resolves.toMatchObject({ status: 200, text: 'fine' });
  });

  it('#92 a request whose call does not end is answered with 503, and no client sees a reset', async () => {
    const one = await world(adapter);
    const { going } = one.app.get(Client);
    const answer = one.get('/call');
    await until(one, () => going.length === 1);
    let isOver = false;
    void one.app
      .get(RecoveryManager)
      .gracefulShutdown('deploy')
      .then(() => (isOver = true));
    await one.clock.advance(5_000);
    await until(one, () => isOver, 100);

    await expect(answer).resolves.toMatchObject({ status: 503 });
    const { json } = await answer;
    expect(json).toEqual({ statusCode: 503, message: 'Service Unavailable' });
    // its handler comes back to find the answer given
    going[0]!();
    await eventLoopTurns();
    expect(JSON.stringify(one.log.ours)).toContain(
      '1 calls and 1 requests have not ended within 1000 ms',
    );
  });

  it('#93 an event stream ends, and an answer that is half given is broken off at the end', async () => {
    const one = await world(adapter);
    const stream = await SseClient.connect(one, '/events');
    await expect(stream.next()).resolves.toBe('hello');
    const { port } = one.app.getHttpServer().address() as { port: number };
    let begun = false;
    const half = new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: '/half', agent: false }, (response) => {
        response.once('error', resolve).once('data', () => (begun = true));
      }).once('error', reject);
    });
    await until(one, () => begun);
    let isOver = false;
    void one.app
      .get(RecoveryManager)
      .gracefulShutdown('deploy')
      .then(() => (isOver = true));
    await one.clock.advance(5_000);
    await expect(stream.next()).resolves.toBeUndefined();
    await until(one, () => isOver, 100);

    await expect(half).resolves.toMatchObject({ code: 'ECONNRESET' });
  });

  it('#91 closing it by hand is what it was, and no signal is listened to any more', async () => {
    const before = process.listenerCount('SIGUSR2');
    const one = await world(adapter, ['SIGUSR2']);
    expect(process.listenerCount('SIGUSR2')).toBe(before + 1);
    await one.app.close();
    expect(process.listenerCount('SIGUSR2')).toBe(before);
    await settle();

    expect(one.app.get(RecoveryManager).isShuttingDown).toBe(false);
    expect(JSON.stringify(one.log.ours)).not.toContain('shut');
  });
});
