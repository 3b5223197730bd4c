// Bugs of peers: a wrapper around a handler keeps what other decorators put on it.
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  Param,
  type PipeTransform,
  Scope,
  SetMetadata,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { Reflector, REQUEST } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  ResilienceRegistry,
  Retry,
  RetryInterceptor,
  TimeLimit,
} from 'nestjs-bulwark';
import { AsyncLocalStorage } from 'node:async_hooks';
import { ADAPTERS, closeAll, serve } from '../nest/support/app.js';
import { briefConnections } from './support.js';

afterEach(closeAll);

@Injectable()
class RolesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    return this.reflector.get<string[]>('roles', context.getHandler()) === undefined;
  }
}

let metaSeen: unknown[] = [];

@Injectable()
class MetaGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    metaSeen = this.reflector.getAll('meta', [context.getClass(), context.getHandler()]);
    return true;
  }
}

@Injectable()
class Shout implements PipeTransform<string, string> {
  transform(value: string): string {
    return value.toUpperCase();
  }
}

@Controller('pages')
@SetMetadata('meta', 'controller metadata')
class Pages {
  // ours on top of everything: what is below must survive
  @Retry()
  @CircuitBreaker()
  @Bulkhead()
  @TimeLimit(1_000)
  @UseGuards(RolesGuard)
  @SetMetadata('roles', ['admin'])
  @Get('roles')
  async roles(): Promise<string> {
    return 'SECRET';
  }

  @Retry()
  @UseGuards(MetaGuard)
  @SetMetadata('meta', 'handler metadata')
  @Get('meta')
  async meta(): Promise<string> {
    return 'meta';
  }

  @Retry()
  @Get('args/:id')
  async args(@Param('id') id: string): Promise<string> {
    return `id ${id}`;
  }

  @CircuitBreaker()
  @UsePipes(Shout)
  @Get('pipes/:word')
  async pipes(@Param('word') word: string): Promise<string> {
    return word;
  }

  @Bulkhead()
  @Get('mapped/fails')
  async fails(): Promise<string> {
    throw new Error('down');
  }
}

describe.each(ADAPTERS)('metadata on %s', (_, adapter) => {
  const world = (): ReturnType<typeof serve> =>
    serve(adapter, { controllers: [Pages], prepare: briefConnections });

  // https://github.com/open-telemetry/opentelemetry-js-contrib/pull/796
  it('opentelemetry-js-contrib #796: a wrapped handler is not left unprotected by its role guard', async () => {
    const { status, text } = await (await world()).get('/pages/roles');

    expect(status).toBe(403);
    expect(text).not.toContain('SECRET');
  });

  // https://github.com/open-telemetry/opentelemetry-js-contrib/issues/633
  it('opentelemetry-js-contrib #633: a guard reads the metadata of class and handler', async () => {
    await (await world()).get('/pages/meta');

    expect(metaSeen).toEqual(['controller metadata', 'handler metadata']);
  });

  // https://github.com/odavid/typeorm-transactional-cls-hooked/issues/15
  it('typeorm-transactional-cls-hooked #15: parameters, which hang on the method’s name, still arrive', async () => {
    expect((await (await world()).get('/pages/args/7')).text).toBe('id 7');
    expect(Pages.prototype.args.name).toBe('args');
  });

  // https://github.com/liberation-data/drivine/issues/49
  it('drivine #49: pipes below the decorator run', async () => {
    expect((await (await world()).get('/pages/pipes/quiet')).text).toBe('QUIET');
  });

  // https://github.com/pustovitDmytro/logger-decorator/issues/124
  it('logger-decorator #124: the route is still mapped', async () => {
    expect((await (await world()).get('/pages/mapped/fails')).status).toBe(500);
  });
});

// https://github.com/getsentry/sentry-javascript/issues/14384
it('sentry-javascript #14384: what SetMetadata put on the method is on what replaces it', () => {
  expect(Reflect.getMetadata('roles', Pages.prototype.roles)).toEqual(['admin']);
  expect(Reflect.getMetadata('meta', Pages.prototype.meta)).toBe('handler metadata');
});

// https://github.com/Papooch/nestjs-cls/issues/149
it('nestjs-cls #149: documentation of a handler survives, below the decorator and above it', () => {
  const api = (about: string): MethodDecorator => SetMetadata(`swagger/${about}`, { 200: about });
  class Documented {
    @api('apiResponse')
    @Retry()
    @api('apiOperation')
    async create(): Promise<void> {}
  }

  const keys = Reflect.getMetadataKeys(Documented.prototype.create);

  expect(keys).toEqual(expect.arrayContaining(['swagger/apiResponse', 'swagger/apiOperation']));
});

@Injectable({ scope: Scope.REQUEST })
class Tokens {
  constructor(@Inject(REQUEST) private readonly request: { url: string }) {}

  @CircuitBreaker({ failureThreshold: 3 })
  async mine(fail = false): Promise<string> {
    await new Promise((resolve) => setImmediate(resolve));
    if (fail) throw new Error('down');
    return this.request.url;
  }
}

@Controller('tokens')
class TokenPages {
  constructor(private readonly tokens: Tokens) {}

  @Get('of/:user')
  of(@Param('user') _user: string): Promise<string> {
    return this.tokens.mine();
  }

  @Get('fail')
  fail(): Promise<string> {
    return this.tokens.mine(true);
  }
}

describe.each(ADAPTERS)('request scope on %s', (_, adapter) => {
  const world = (): ReturnType<typeof serve> =>
    serve(adapter, { controllers: [TokenPages], providers: [Tokens], prepare: briefConnections });

  // https://github.com/SocketSomeone/nestjs-resilience/issues/487
  it('nestjs-resilience #487: every request is served with its own request object, not the first one', async () => {
    const { get } = await world();
    const paths = Array.from({ length: 20 }, (_user, i) => `/tokens/of/${i}`);

    const answers = await Promise.all(paths.map(get));

    expect(answers.map(({ text }) => text)).toEqual(paths);
  });

  // https://github.com/nodeshift/opossum/issues/245
  it('opossum #245: a service made for each request has one breaker, not one per request', async () => {
    const { app, get } = await world();
    for (let i = 0; i < 3; i += 1) await get('/tokens/fail');

    expect((await get('/tokens/of/x')).status).toBe(503);
    const breakers = app.get(ResilienceRegistry).breakers.list();
    expect(breakers.map(({ name, state }) => [name, state])).toEqual([['Tokens.mine', 'open']]);
  });
});

const tenants = new AsyncLocalStorage<string>();
let attempts: (string | undefined)[] = [];

@Controller('cats')
class Cats {
  @Get()
  @UseInterceptors(RetryInterceptor.with({ maxAttempts: 3, delay: 0, jitter: 'none' }))
  findAll(): string {
    attempts.push(tenants.getStore());
    if (attempts.length < 3) throw new Error('down');
    return 'all the cats';
  }
}

describe.each(ADAPTERS)('interceptors on %s', (_, adapter) => {
  beforeEach(() => (attempts = []));

  const answer = async (): Promise<string> => {
    const { clock, get } = await serve(adapter, {
      controllers: [Cats],
      prepare: (app) => {
        briefConnections(app);
        app.use((_request: unknown, _response: unknown, next: () => void) =>
          tenants.run('acme', next),
        );
      },
    });
    const heard: string[] = [];
    const asked = get('/cats').then(({ text }) => heard.push(text));
    for (let turn = 0; turn < 10_000 && heard.length === 0; turn += 1) {
      await clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await asked;
    return heard[0]!;
  };

  // https://github.com/nestjs/nest/issues/11923
  it('nest #11923: a retry in an interceptor invokes the handler again', async () => {
    expect(await answer()).toBe('all the cats');
    expect(attempts).toHaveLength(3);
  });

  // https://github.com/nestjs/nest/pull/11926
  it('nest #11926: and each time in the async context of its request', async () => {
    await answer();

    expect(attempts).toEqual(['acme', 'acme', 'acme']);
  });
});
