import type { Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import {
  type CallHandler,
  type CanActivate,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { AuditRecord } from 'nestjs-bulwark';
import { from, mergeMap, type Observable } from 'rxjs';
import { EventFeed } from '../../lib/nest/recovery/event-feed.js';
import { ADAPTERS, closeAll, deferred, eventLoopTurns } from '../nest/support/app.js';
import { DANGER, EVERYTHING, gate, type GateWorld, portOf } from '../nest/recovery/gate-host.js';

afterEach(closeAll);

/** What of the application takes its time, before the gate or behind it. */
let pause: Promise<void> | undefined;
let arrived: () => void;

@Injectable()
class SlowGuard implements CanActivate {
  async canActivate(): Promise<boolean> {
    await slow();
    return true;
  }
}

@Injectable()
class SlowInterceptor implements NestInterceptor {
  intercept(_: unknown, next: CallHandler): Observable<unknown> {
    return from(slow()).pipe(mergeMap(() => next.handle()));
  }
}

async function slow(): Promise<void> {
  if (pause === undefined) return;
  arrived();
  await pause;
}

const PLACES = [
  ['before the gate', { provide: APP_GUARD, useClass: SlowGuard }],
  ['behind the gate', { provide: APP_INTERCEPTOR, useClass: SlowInterceptor }],
] as const;

/** Sends a request, and leaves while the application is at it. */
async function sendAndLeave({ app }: GateWorld, method: string, path: string): Promise<void> {
  const here = deferred();
  const { promise, resolve } = deferred();
  pause = promise;
  arrived = here.resolve;
  const server = app.getHttpServer() as Server;
  const closed = deferred();
  server.once('request', (_: unknown, response: ServerResponse) =>
    response.once('close', () => closed.resolve()),
  );
  const socket = connect(portOf(app), '127.0.0.1');
  socket.write(
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${DANGER}\r\n${method === 'POST' ? 'Content-Length: 0\r\n' : ''}\r\n`,
  );
  await here.promise;
  socket.destroy();
  await closed.promise;
  pause = undefined;
  resolve();
  await eventLoopTurns();
}

describe.each(ADAPTERS)('a client that has left on %s', (_, adapter) => {
  describe.each(PLACES)('%s', (_where, provider) => {
    const world = async (): Promise<{ it: GateWorld; records: AuditRecord[] }> => {
      const records: AuditRecord[] = [];
      const it = await gate(
        adapter,
        { ...EVERYTHING, audit: (record) => records.push(record) },
        { providers: [provider] },
      );
      return { it, records };
    };

    it.each(['/recovery/backup/create', '/recovery/corruption/fix', '/recovery/shutdown'])(
      'is said to have left before it began, and %s does nothing',
      async (path) => {
        const { it, records } = await world();

        await sendAndLeave(it, 'POST', path);

        expect(it.manager.deeds.map(({ method }) => method)).toEqual([]);
        expect(records.map(({ outcome }) => outcome)).toEqual(['abandoned']);
      },
    );

    it('keeps nobody else from shutting down', async () => {
      const { it } = await world();

      await sendAndLeave(it, 'POST', '/recovery/shutdown');

      expect((await it.post('/recovery/shutdown')).status).toBe(202);
    });

    it('takes no place among those who watch', async () => {
      const { it } = await world();

      await sendAndLeave(it, 'GET', '/recovery/events');

      expect(it.app.get(EventFeed).size).toBe(0);
    });
  });

  it('is not from here because its address is no more', async () => {
    const records: AuditRecord[] = [];
    const it = await gate(
      adapter,
      {
        access: { authorize: () => true },
        loopbackOnly: true,
        audit: (record) => records.push(record),
      },
      { providers: [PLACES[0][1]] },
    );

    await sendAndLeave(it, 'POST', '/recovery/backup/create');

    expect(it.manager.deeds).toEqual([]);
    expect(records).toMatchObject([{ outcome: 'denied', code: 'NOT_LOCAL', address: 'gone' }]);
  });
});
