import { get, type IncomingMessage } from 'node:http';
import type { ServerResponse } from 'node:http';
import { ApplicationRuntime } from '../../../lib/nest/application-runtime.js';
import { EventFeed } from '../../../lib/nest/recovery/event-feed.js';
import { ApplicationShutdown } from '../../../lib/nest/recovery/shutdown.providers.js';
import { ADAPTERS, closeAll, eventLoopTurns } from '../support/app.js';
import { EVERYTHING, gate, type GateWorld, Mining, portOf, READ } from './gate-host.js';

afterEach(closeAll);

interface Watcher {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly messages: Record<string, unknown>[];
  readonly isOver: boolean;
  leave(): void;
}

/** Opens the stream, and keeps what comes. */
function watch({ app }: GateWorld, headers: Record<string, string> = {}): Promise<Watcher> {
  return new Promise((resolve, reject) => {
    const asked = get({
      host: '127.0.0.1',
      port: portOf(app),
      path: '/recovery/events',
      agent: false,
      headers: { Authorization: `Bearer ${READ}`, ...headers },
    });
    asked.once('error', reject);
    asked.once('response', (response) => {
      let text = '';
      let isOver = false;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('close', () => (isOver = true));
      response.on('error', () => {});
      resolve({
        status: response.statusCode!,
        headers: response.headers,
        get messages() {
          return [...text.matchAll(/^data: (.*)$/gm)].map(
            ([, data]) => JSON.parse(data!) as Record<string, unknown>,
          );
        },
        get isOver() {
          return isOver;
        },
        leave: () => response.destroy(),
      });
    });
  });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await eventLoopTurns();
}

describe.each(ADAPTERS)('GET recovery/events on %s', (_, adapter) => {
  const world = (): Promise<GateWorld> => gate(adapter, EVERYTHING);

  it('tells what happens, cleaned, in words of the wire', async () => {
    const it = await world();
    const watcher = await watch(it);
    expect([watcher.status, watcher.headers['content-type']]).toEqual([200, 'text/event-stream']);
    await until(() => watching(it) === 1);

    await it.app
      .get(Mining)
      .mine(true)
      .catch(() => {});
    await eventLoopTurns();
    await it.clock.advance(250);
    await until(() => watcher.messages.length > 0);

    expect(watcher.messages).toContainEqual(
      expect.objectContaining({
        type: 'circuit-state-changed',
        severity: expect.any(String),
        target: 'mining',
        from: 'closed',
        to: 'open',
        retry_after: expect.any(Number),
        timestamp: expect.any(Number),
      }),
    );
    watcher.leave();
    await until(() => watching(it) === 0);
  });

  it('needs the level read, and takes no query', async () => {
    const it = await world();

    expect((await watch(it, { Authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await it.look('/recovery/events?x=1')).status).toBe(400);
    expect(watching(it)).toBe(0);
  });

  it('has room for ten, and room again when one leaves', async () => {
    const it = await world();
    const watchers = await Promise.all(Array.from({ length: 10 }, () => watch(it)));
    await until(() => watching(it) === 10);

    const eleventh = await it.look('/recovery/events');
    expect([eleventh.status, eleventh.json['code']]).toEqual([429, 'TOO_MANY_CLIENTS']);

    watchers[0]!.leave();
    await until(() => watching(it) === 9);
    expect((await watch(it)).status).toBe(200);
  });

  it('beats when nothing happens, and ends after a quarter of an hour', async () => {
    const it = await world();
    const watcher = await watch(it);
    await until(() => watching(it) === 1);

    for (let i = 0; i < 60; i += 1) await it.clock.advance(250);
    await until(() => watcher.messages.length > 0);
    expect(watcher.messages).toEqual([{ timestamp: expect.any(Number), missed: 0 }]);

    await it.clock.advance(900_000);
    await it.clock.advance(250);
    await until(() => watcher.isOver);
    expect(watching(it)).toBe(0);
  });

  it('HEAD opens nothing', async () => {
    const it = await world();

    const { status } = await it.ask({ method: 'HEAD', path: '/recovery/events', token: READ });

    expect(status).toBe(200);
    await until(() => watching(it) === 0);
  });

  it('ends when the application shuts down, and nobody is let in any more', async () => {
    const it = await world();
    const watcher = await watch(it);
    await until(() => watching(it) === 1);

    const ending = it.app.get(ApplicationShutdown);
    ending.attach({ close: async () => {} }, { exit: false, signals: false });
    void ending.shutdown('test', {});
    await until(() => ending.draining.aborted);
    await until(() => watcher.isOver);
    expect((await it.look('/recovery/events')).status).toBe(503);
  });

  it('ends when the application is closed', async () => {
    const it = await world();
    const watcher = await watch(it);
    await until(() => watching(it) === 1);

    await it.app.close();

    await until(() => watcher.isOver);
  });

  it('costs the application nothing for events that have no room', async () => {
    let cleaned = 0;
    const redact = (text: string): string => {
      cleaned += 1;
      return text;
    };
    const { app } = await gate(adapter, undefined, {
      bulwark: { health: false, errors: { log: { redact } }, recovery: EVERYTHING },
    });
    const response = { writableNeedDrain: true, socket: null, destroy: () => {} };
    const watcher = app
      .get(EventFeed)
      .open(response as never as ServerResponse)
      .subscribe();
    const { bus } = app.get(ApplicationRuntime);
    const event = { type: 'success', target: 'one', attempt: 1, duration: 1, at: 1 } as never;
    const storm = async (): Promise<void> => {
      for (let i = 0; i < 500; i += 1) bus.emit(event);
      await eventLoopTurns();
    };
    await storm();
    const before = cleaned;

    await storm();

    expect(before).toBeGreaterThan(500);
    expect(cleaned).toBe(before);
    watcher.unsubscribe();
  });

  it('drops a client that takes nothing, and misses what has no room', async () => {
    const { app, clock } = await world();
    const feed = app.get(EventFeed);
    let isDestroyed = false;
    const response = {
      writableNeedDrain: true,
      socket: null,
      destroy: () => (isDestroyed = true),
    };
    const got: { type?: string | undefined; data: unknown }[] = [];
    let isOver = false;
    feed.open(response as never as ServerResponse).subscribe({
      next: (message) => got.push(message as never),
      complete: () => (isOver = true),
    });
    for (let i = 0; i < 300; i += 1) {
      await app
        .get(Mining)
        .mine(true)
        .catch(() => {});
      await app
        .get(Mining)
        .mine()
        .catch(() => {});
    }
    await clock.advance(250);
    expect(got).toEqual([]);

    response.writableNeedDrain = false;
    for (let i = 0; i < 10; i += 1) await clock.advance(250);
    const beats = got.filter(({ type }) => type === 'heartbeat');
    expect(beats).toHaveLength(1);
    expect(got.length - beats.length).toBe(500);
    expect((beats[0]!.data as { missed: number }).missed).toBeGreaterThan(0);

    response.writableNeedDrain = true;
    await clock.advance(250);
    await clock.advance(9_000);
    expect(isDestroyed).toBe(false);
    for (let i = 0; i < 8; i += 1) await clock.advance(250);
    expect([isDestroyed, isOver, feed.size]).toEqual([true, true, 0]);
  });
});

function watching({ app }: GateWorld): number {
  return app.get(EventFeed).size;
}
