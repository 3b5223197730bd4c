import { type INestApplication, VersioningType } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ResilienceModule } from 'nestjs-bulwark';
import { OPERATIONS } from '../../lib/nest/recovery/access/operations.js';
import { ADAPTERS, closeAll } from '../nest/support/app.js';
import {
  DANGER,
  EVERYTHING,
  gate,
  type GateWorld,
  OPERATE,
  READ,
} from '../nest/recovery/gate-host.js';

afterEach(closeAll);

const TRICKS = [
  '/%72ecovery/status',
  '//recovery/status',
  '/recovery//status',
  '/recovery/',
  '/recovery/status/',
  '/RECOVERY/status',
  '/recovery/STATUS',
  '/recovery;x=1/status',
  '/recovery/status;x=1',
  '/./recovery/status',
  '/x/../recovery/status',
  'http://h/recovery/status',
  '/recovery%2fstatus',
  '/recovery/status%00',
  '/recovery/status%20',
  '/recovery/status?',
  '/recovery/status#x',
];

const STRICT: [string, () => ExpressAdapter | FastifyAdapter][] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
  [
    'Fastify that forgives',
    () =>
      new FastifyAdapter({
        routerOptions: {
          ignoreTrailingSlash: true,
          caseSensitive: false,
          ignoreDuplicateSlashes: true,
        },
      }),
  ],
  [
    'a strict Express',
    () => {
      const adapter = new ExpressAdapter();
      (adapter.getInstance() as { set(name: string, on: boolean): void }).set(
        'case sensitive routing',
        true,
      );
      return adapter;
    },
  ],
];

describe('path tricks', () => {
  it.each(STRICT)('#133 lead nobody in on %s', async (_, make) => {
    const { ask, manager } = await gate(make as never, EVERYTHING);

    for (const path of TRICKS) {
      for (const method of ['GET', 'HEAD', 'POST']) {
        const { status } = await ask({ method, path });
        expect([path, method, [400, 401, 403, 404, 405].includes(status)]).toEqual([
          path,
          method,
          true,
        ]);
      }
    }
    expect(manager.calls).toEqual([]);
  });
});

describe.each(ADAPTERS)('#136 wherever the controller is on %s', (_, adapter) => {
  const PLACES: [string, string, string[], Parameters<typeof gate>[2]][] = [
    ['a path', '/ops/steer', ['/recovery'], {}],
    [
      'a global prefix',
      '/api/recovery',
      ['/recovery'],
      prepared((app) => app.setGlobalPrefix('api')),
    ],
    [
      'a prefix and versions in the path',
      '/api/recovery',
      ['/recovery', '/api/v1/recovery'],
      prepared((app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
      }),
    ],
    [
      'RouterModule',
      '/ops/recovery',
      ['/recovery'],
      { imports: [RouterModule.register([{ path: 'ops', module: ResilienceModule }])] },
    ],
  ];

  function prepared(prepare: (app: INestApplication) => unknown): Parameters<typeof gate>[2] {
    return { prepare: (app) => void prepare(app) };
  }

  it.each(PLACES)('with %s it is as closed, and the log says where', async (...row) => {
    const [what, at, gone, setting] = row;
    const path = what === 'a path' ? { path: 'ops/steer' } : {};
    const world: GateWorld = await gate(adapter, { ...EVERYTHING, ...path }, setting);
    const { ask, manager, log } = world;

    for (const { method, path: below } of Object.values(OPERATIONS)) {
      const tail = below && `/${below.replace(':name', 'mining')}`;
      expect((await ask({ method, path: at + tail })).status).toBe(401);
      for (const old of gone)
        expect((await ask({ method, path: old + tail, token: DANGER })).status).toBe(404);
    }
    expect(manager.calls).toEqual([]);
    expect((await ask({ path: `${at}/status`, token: READ })).status).toBe(200);
    const operate = { method: 'POST', path: `${at}/corruption/check` };
    expect((await ask({ ...operate, token: READ })).status).toBe(403);
    expect((await ask({ ...operate, token: OPERATE })).status).toBe(200);
    const lines = log.ours.filter(({ message }) => message.startsWith('recovery: mounted at '));
    expect(lines).toHaveLength(1);
    expect(lines[0]!.message).toContain(`mounted at ${at}: read (access, status`);
    expect(lines[0]!.message).toContain('danger (restore, fix, delete, cleanup, shutdown)');
  });
});
