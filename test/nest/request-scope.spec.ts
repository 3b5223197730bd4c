import { Controller, Get, Inject, Injectable, Param, type Provider, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  CircuitBreaker,
  Fallback,
  ResilienceRegistry,
  ResilienceService,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { EventRecorder } from 'nestjs-bulwark/testing';
import v8 from 'node:v8';
import vm from 'node:vm';
import { ADAPTERS, closeAll, eventLoopTurns, serve } from './support/app.js';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

interface Request {
  readonly url: string;
}

const requests: WeakRef<object>[] = [];

@Injectable({ scope: Scope.REQUEST })
class Users {
  constructor(@Inject(REQUEST) private readonly request: Request) {
    requests.push(new WeakRef(request));
  }

  @Retry({ maxAttempts: 2, delay: 0 })
  @CircuitBreaker()
  @TimeLimit(60_000)
  async me(): Promise<string> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.request.url;
  }

  @CircuitBreaker({ failureThreshold: 3 })
  async fail(): Promise<string> {
    throw new Error('down');
  }

  @CircuitBreaker({ failureThreshold: 1_000 })
  @Fallback({ method: 'instead' })
  async degraded(): Promise<string> {
    throw new Error('down');
  }

  async instead(_error: unknown): Promise<string> {
    return `instead ${this.request.url}`;
  }
}

@Controller()
class Pages {
  constructor(private readonly users: Users) {}

  @Get('me/:user')
  @Retry()
  me(@Param('user') _user: string): Promise<string> {
    return this.users.me();
  }

  @Get('fail/:user')
  async fail(): Promise<string> {
    return this.users.fail();
  }

  @Get('degraded/:user')
  async degraded(): Promise<string> {
    return this.users.degraded();
  }
}

afterEach(closeAll);

describe.each(ADAPTERS)('#7 request-scoped providers on %s', (_, adapter) => {
  const world = (): ReturnType<typeof serve> =>
    serve(adapter, { controllers: [Pages], providers: [Users] });

  it('#7 100 concurrent users get 100 right answers', async () => {
    const { get } = await world();

    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => (await get(`/me/${i}`)).text),
    );

    expect(answers).toEqual(Array.from({ length: 100 }, (_, i) => `/me/${i}`));
  });

  it('#7 the fallback method is asked on the instance of its own request', async () => {
    const { get } = await world();

    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => (await get(`/degraded/${i}`)).text),
    );

    expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => `instead /degraded/${i}`));
  });

  it('#7 the state is one for all requests, not one per instance', async () => {
    const { app, get } = await world();
    for (let i = 0; i < 5; i += 1) await get(`/fail/${i}`);

    expect(app.get(ResilienceRegistry).breakers.reader('Users.fail')!.snapshot()).toMatchObject({
      state: 'open',
      counters: { failure: 3, notPermitted: 2 },
    });
  });

  it('#7 no request is kept after its answer', async () => {
    requests.length = 0;
    const { get } = await world();
    for (let i = 0; i < 100; i += 1) await get(`/me/${i}`);
    for (let i = 0; i < 20; i += 1) await get(`/degraded/${i}`);
    await get('/fail/last'); // whatever a server keeps of its latest request

    for (let i = 0; i < 5; i += 1) {
      await eventLoopTurns();
      collectGarbage();
    }

    expect(requests).toHaveLength(121);
    expect(requests.slice(0, -1).filter((r) => r.deref() !== undefined)).toHaveLength(0);
  });
});

describe('request-scoped factories', () => {
  class Made {
    constructor(readonly url: string) {}

    @Fallback({ value: 'instead' })
    async call(): Promise<string> {
      throw new Error('down');
    }
  }

  @Controller()
  class MadePages {
    constructor(private readonly made: Made) {}

    @Get('made')
    async read(): Promise<string> {
      return this.made.call();
    }
  }

  const factories: [string, Provider][] = [
    [
      'request-scoped',
      {
        provide: Made,
        scope: Scope.REQUEST,
        inject: [REQUEST],
        useFactory: (request: Request) => new Made(request.url),
      },
    ],
    [
      'asynchronous request-scoped',
      {
        provide: Made,
        scope: Scope.REQUEST,
        inject: [REQUEST],
        useFactory: async (request: Request) => new Made(request.url),
      },
    ],
    [
      'dependent on something request-scoped',
      { provide: Made, inject: [REQUEST], useFactory: (r: Request) => new Made(r.url) },
    ],
    [
      'transient',
      { provide: Made, scope: Scope.TRANSIENT, useFactory: () => new Made('transient') },
    ],
  ];

  it.each(factories)('what a %s factory makes is protected', async (_, provider) => {
    const { app, get } = await serve(ADAPTERS[0][1], {
      controllers: [MadePages],
      providers: [provider],
    });
    const recorder = new EventRecorder(app.get(ResilienceService).events$);

    const answers = [await get('/made'), await get('/made')];

    expect(answers.map(({ text }) => text)).toEqual(['instead', 'instead']);
    expect(recorder.of('unbound-call')).toEqual([]);
  });

  it('what a transient factory makes later is protected too', async () => {
    const { app } = await serve(ADAPTERS[0][1], { providers: [factories[3]![1]] });

    const made = await app.resolve(Made);

    await expect(made.call()).resolves.toBe('instead');
  });
});
