import {
  All,
  Controller,
  type ControllerOptions,
  type DynamicModule,
  Get,
  Post,
  type Type,
  VERSION_NEUTRAL,
  VersioningType,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { ResilienceModule } from 'nestjs-bulwark';
import { ADAPTERS, closeAll, serve, type Setting, type World } from '../support/app.js';
import { controller, MINE, moduleWith, raw } from './host.js';

afterEach(closeAll);

abstract class InheritedHealth {
  @Get('health')
  read(): string {
    return MINE;
  }
}

@Controller()
class ChildHealth extends InheritedHealth {}

const WAYS: [string, () => Setting][] = [
  ["@Controller('health')", () => ({ controllers: [controller('health', Get())] })],
  ["@Controller('/health/')", () => ({ controllers: [controller('/health/', Get())] })],
  ["@Controller() @Get('health')", () => ({ controllers: [controller(undefined, Get('health'))] })],
  ["@Controller() @Get('/health')", () => ({ controllers: [controller('', Get('/health'))] })],
  ["@All('health')", () => ({ controllers: [controller(undefined, All('health'))] })],
  ["@Controller(['up', 'health'])", () => ({ controllers: [controller(['up', 'health'], Get())] })],
  [
    "@Get(['up', 'health'])",
    () => ({ controllers: [controller(undefined, Get(['up', 'health']))] }),
  ],
  ['an inherited handler', () => ({ controllers: [ChildHealth] })],
  ['a module of its own', () => ({ imports: [moduleWith([controller('health', Get())])] })],
  [
    'RouterModule',
    () => {
      const host = moduleWith([controller(undefined, Get())]);
      return { imports: [host, RouterModule.register([{ path: 'health', module: host }])] };
    },
  ],
  [
    'RouterModule with children',
    () => {
      const host = moduleWith([controller('health', Get())]);
      const routes = [{ path: '/', children: [{ path: '/', module: host }] }];
      return { imports: [RouterModule.register(routes), host] };
    },
  ],
  [
    'a global prefix',
    () => ({
      controllers: [controller('health', Get())],
      prepare: (app) => {
        app.setGlobalPrefix('api');
      },
    }),
  ],
];

describe.each(ADAPTERS)("the application's own /health on %s", (_, adapter) => {
  it.each(WAYS)('declared by %s wins', async (way, setting) => {
    const { get, log } = await serve(adapter, { bulwark: {}, ...setting() });
    const prefix = way === 'a global prefix' ? '/api' : '';

    expect((await get(`${prefix}/health`)).text).toBe(MINE);
    expect((await get(`${prefix}/health/live`)).json).toEqual({ status: 'ok' });
    expect(log.ours.map(({ message }) => message)).toEqual([
      `${prefix}/health: served by the application itself, not by Bulwark`,
    ]);
  });

  it.each(WAYS)('declared by %s wins under forRootAsync too', async (way, setting) => {
    const bulwark: DynamicModule = ResilienceModule.forRootAsync({ useFactory: async () => ({}) });
    const { get } = await serve(adapter, { bulwark, ...setting() });
    const prefix = way === 'a global prefix' ? '/api' : '';

    expect((await get(`${prefix}/health`)).text).toBe(MINE);
  });

  const OTHERS: [string, () => Setting][] = [
    ['another path', () => ({ controllers: [controller('healthy', Get())] })],
    ['a path below it', () => ({ controllers: [controller('health', Get('details'))] })],
    [
      'a version in the path',
      () => ({
        controllers: [controller({ path: 'health', version: '1' }, Get())],
        prepare: (app) => {
          app.enableVersioning({ type: VersioningType.URI });
        },
      }),
    ],
    [
      'a default version in the path',
      () => ({
        controllers: [controller('health', Get())],
        prepare: (app) => {
          app.enableVersioning({ type: VersioningType.URI, defaultVersion: ['1', '2'] });
        },
      }),
    ],
    ['another method', () => ({ controllers: [controller(undefined, Post('health'))] })],
    ['the same word deeper', () => ({ controllers: [controller('api', Get('health'))] })],
    [
      'another path by RouterModule',
      () => {
        const host = moduleWith([controller('health', Get())]);
        return { imports: [host, RouterModule.register([{ path: 'admin', module: host }])] };
      },
    ],
  ];

  it.each(OTHERS)('does not withdraw ours for %s', async (_, setting) => {
    const { get, log } = await serve(adapter, { bulwark: {}, ...setting() });

    expect((await get('/health')).json).toEqual({ status: 'ok' });
    expect(log.ours).toEqual([]);
  });

  it('wins where ours has another path that it takes', async () => {
    const { get } = await serve(adapter, {
      bulwark: { health: { path: 'status' } },
      controllers: [controller('status', Get('live'))],
    });

    expect((await get('/status/live')).text).toBe(MINE);
  });

  it('loses only the routes that it takes, and one line names them', async () => {
    class Own {
      both(): string {
        return MINE;
      }
    }
    Controller('health')(Own);
    Get(['ready', 'live'])(
      Own.prototype,
      'both',
      Object.getOwnPropertyDescriptor(Own.prototype, 'both')!,
    );
    const { get, log } = await serve(adapter, { bulwark: {}, controllers: [Own] });

    expect((await get('/health/ready')).text).toBe(MINE);
    expect((await get('/health/live')).text).toBe(MINE);
    expect((await get('/health')).json).toEqual({ status: 'ok' });
    expect(log.ours.map(({ message }) => message)).toEqual([
      '/health/live, /health/ready: served by the application itself, not by Bulwark',
    ]);
  });

  const VERSIONED: [string, unknown, string][] = [
    ['no version', undefined, MINE],
    ['the neutral version', VERSION_NEUTRAL, MINE],
    ['a list with the neutral version', ['1', VERSION_NEUTRAL], MINE],
    ['a version', '1', '{"status":"ok"}'],
  ];
  it.each(VERSIONED)('under versions in the path, with %s', async (_, version, expected) => {
    const { get } = await serve(adapter, {
      bulwark: {},
      controllers: [controller({ path: 'health', version } as ControllerOptions, Get())],
      prepare: (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.URI });
      },
    });

    expect((await get('/api/health')).text).toBe(expected);
    if (typeof version === 'string') expect((await get('/api/v1/health')).text).toBe(MINE);
  });

  it.each([
    ['before', (mine: Type): Setting => ({ controllers: [mine] })],
    ['after', (mine: Type): Setting => ({ imports: [moduleWith([mine])] })],
  ])('of one version in a header is reached, in a module %s ours', async (_, place) => {
    const { app } = await serve(adapter, {
      bulwark: {},
      ...place(controller({ path: 'health', version: '1' }, Get())),
      prepare: (app) => {
        app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' });
      },
    });
    const ask = async (path: string, headers: Record<string, string>): Promise<string> =>
      (await fetch(`${await app.getUrl()}${path}`, { headers })).text();

    expect(await ask('/health', { 'x-version': '1' })).toBe(MINE);
    expect(await ask('/health/live', {})).toBe('{"status":"ok"}');
  });

  it('in capitals is another one where the router says so', async () => {
    const { get } = await serve(adapter, {
      bulwark: {},
      controllers: [controller('Health', Get())],
    });

    expect((await get('/Health')).text).toBe(MINE);
    expect((await get('/health')).status).toBe(200);
  });

  const EXCEPTED: [string, string, string][] = [
    ['makes ours the same', 'health', '/health'],
    ['makes theirs the same', 'api/health', '/api/health'],
  ];
  it.each(EXCEPTED)('where an exception from the prefix %s', async (_, path, url) => {
    const { get, log } = await serve(adapter, {
      bulwark: {},
      controllers: [controller(path, Get())],
      prepare: (app) => {
        app.setGlobalPrefix('api', { exclude: [path] });
      },
    });

    expect((await get(url)).text).toBe(MINE);
    expect((await get('/api/health/live')).json).toEqual({ status: 'ok' });
    expect(log.ours.map(({ message }) => message)).toEqual([
      `${url}: served by the application itself, not by Bulwark`,
    ]);
  });

  it('put on the server behind the back of Nest wins, and costs ours that route only', async () => {
    const { get, log } = await serve(adapter, {
      bulwark: {},
      prepare: (app) => {
        raw(app, '/health');
        app.setGlobalPrefix('api', { exclude: ['health', 'health/live'] });
      },
    });

    expect((await get('/health')).text).toBe(MINE);
    expect((await get('/health/live')).json).toEqual({ status: 'ok' });
    expect((await get('/api/health/ready')).json).toEqual({ status: 'ok' });
    expect(log.ours.map(({ message }) => message)).toEqual([
      '/health: served by the application itself, not by Bulwark',
    ]);
  });

  it('under another raw method is none', async () => {
    const { get } = await serve(adapter, {
      bulwark: {},
      prepare: (app) => raw(app, '/health', 'post'),
    });

    expect((await get('/health')).json).toEqual({ status: 'ok' });
  });

  it('in one application does not withdraw ours in another one of the same module', async () => {
    const bulwark = ResilienceModule.forRoot();
    const worlds: World[] = [
      await serve(adapter, { bulwark, controllers: [controller('health', Get())] }),
      await serve(adapter, { bulwark }),
    ];

    expect((await worlds[0]!.get('/health')).text).toBe(MINE);
    expect((await worlds[1]!.get('/health')).json).toEqual({ status: 'ok' });
  });
});
