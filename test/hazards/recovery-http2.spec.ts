import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import type { CanActivate } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { closeAll, deferred, eventLoopTurns, type Setting } from '../nest/support/app.js';
import { DANGER, EVERYTHING, gate, type GateWorld, portOf } from '../nest/recovery/gate-host.js';

let session: ClientHttp2Session;
afterEach(async () => {
  session.destroy();
  await closeAll();
});

async function world(setting: Setting = {}): Promise<GateWorld> {
  const it = await gate(() => new FastifyAdapter({ http2: true } as never), EVERYTHING, setting);
  session = connect(`http://127.0.0.1:${portOf(it.app)}`);
  return it;
}

function fix(body?: string, headers: OutgoingHttpHeaders = {}): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const request = session.request(
      {
        ':method': 'POST',
        ':path': '/recovery/corruption/fix',
        authorization: `Bearer ${DANGER}`,
        ...headers,
      },
      { endStream: body === undefined },
    );
    let status: unknown;
    let text = '';
    request.on('response', (answer) => (status = answer[':status']));
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('error', reject);
    request.on('end', () =>
      resolve([status, (JSON.parse(text || '{}') as { code?: string }).code]),
    );
    if (body !== undefined) request.end(body);
  });
}

describe('over HTTP/2, where no header need say that there is a body', () => {
  it('a body that nobody read is not taken for none', async () => {
    const { manager } = await world();

    expect(await fix('{"dry_run":true}')).toEqual([415, 'CONTENT_TYPE']);
    expect(manager.deeds).toEqual([]);
    expect(await fix('{"dry_run":true}', { 'content-type': 'application/json' })).toEqual([
      200,
      undefined,
    ]);
    expect(await fix()).toEqual([200, undefined]);
    expect(manager.of('handleCorruption').map(({ args }) => args[1])).toMatchObject([
      { dryRun: true },
      { dryRun: false },
    ]);
  });

  it('a body above 16 KB is 413', async () => {
    const { manager } = await world();

    const body = JSON.stringify({ dry_run: true, more: 'x'.repeat(17_000) });
    expect(await fix(body, { 'content-type': 'application/json' })).toEqual([
      413,
      'BODY_TOO_LARGE',
    ]);
    expect(manager.deeds).toEqual([]);
  });

  it('a client that has left while a guard took its time asks for nothing', async () => {
    const { promise, resolve } = deferred();
    const came = deferred();
    const guard: CanActivate = {
      canActivate: async () => {
        came.resolve();
        await promise;
        return true;
      },
    };
    const it = await world({ prepare: (app) => void app.useGlobalGuards(guard) });

    fix().catch(() => {});
    await came.promise;
    session.destroy();
    await eventLoopTurns();
    resolve();
    await eventLoopTurns();

    expect(it.manager.deeds.map(({ method }) => method)).toEqual([]);
  });
});
