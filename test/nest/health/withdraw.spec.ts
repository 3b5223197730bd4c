import { All, Controller, type DynamicModule, Get, Module, Post, type Type } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { ResilienceModule } from 'nestjs-bulwark';
import { ADAPTERS, closeAll, serve, type Setting, type World } from '../support/app.js';

afterEach(closeAll);

const MINE = 'the application itself';

/** A controller with one handler. */
function controller(path: string | string[] | undefined, handler: MethodDecorator): Type {
  class Mine {
    read(): string {
      return MINE;
    }
  }
  if (path === undefined) Controller()(Mine);
  else Controller(path)(Mine);
  handler(Mine.prototype, 'read', Object.getOwnPropertyDescriptor(Mine.prototype, 'read')!);
  return Mine;
}

function moduleWith(controllers: Type[]): Type {
  @Module({ controllers })
  class HostModule {}
  return HostModule;
}

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
    expect((await get(`${prefix}/health/live`)).status).toBe(404);
    expect(log.ours.map(({ message }) => message)).toEqual([
      '/health is served by the application itself; Bulwark mounts no health endpoints',
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
