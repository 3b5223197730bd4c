import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Scope,
  UseInterceptors,
} from '@nestjs/common';
import {
  ApplicationRuntime,
  BulkheadInterceptor,
  CircuitBreaker,
  CircuitBreakerInterceptor,
  FallbackInterceptor,
  ResilienceInterceptor,
  ResilienceRegistry,
  Retry,
  RetryInterceptor,
  TimeLimitInterceptor,
} from 'nestjs-bulwark';
import { ADAPTERS, boot, bootError, closeAll, serve } from './support/app.js';

afterEach(closeAll);

describe('interceptors at boot', () => {
  it('report bad options with all other mistakes', async () => {
    @Controller()
    class Bad {
      @Get('a')
      @UseInterceptors(RetryInterceptor.with({ maxAttempts: 0 }))
      a(): void {}

      @Get('b')
      @UseInterceptors(FallbackInterceptor.with({ method: 'b' }))
      b(): void {}
    }

    const { message } = await bootError({ controllers: [Bad] });

    expect(message).toContain('Bad.a RetryInterceptor @Retry maxAttempts: got 0');
    expect(message).toContain('Bad.b FallbackInterceptor @Fallback method: got "b"');
  });

  it('that need options and come without `.with()` say so', async () => {
    @Controller()
    class Bare {
      @Get('a')
      @UseInterceptors(TimeLimitInterceptor)
      a(): void {}

      @Get('b')
      @UseInterceptors(FallbackInterceptor)
      b(): void {}

      @Get('c')
      @UseInterceptors(ResilienceInterceptor)
      c(): void {}
    }

    expect((await bootError({ controllers: [Bare] })).message.split('\n').slice(1)).toEqual([
      '  - Bare.a TimeLimitInterceptor @TimeLimit ms: got nothing, expected a time limit in milliseconds, here or in defaults.timeLimit',
      '  - Bare.b FallbackInterceptor @Fallback: got none of them, expected exactly one of handler, method, value, cache, alternative, queue',
      '  - Bare.c ResilienceInterceptor: got undefined, expected a set of policies',
    ]);
  });

  it('of a time limit have that of the defaults without `.with()`', async () => {
    @Controller()
    class Bare {
      @Get('a')
      @UseInterceptors(TimeLimitInterceptor)
      a(): void {}
    }
    const bulwark = { health: false, defaults: { timeLimit: 50 } } as const;

    await expect(boot({ controllers: [Bare], bulwark })).resolves.toBeDefined();
  });

  it('register their policies before the first request', async () => {
    @Controller()
    class Pages {
      @Get('breaker')
      @UseInterceptors(CircuitBreakerInterceptor.with({ failureThreshold: 2 }))
      breaker(): void {}

      @Get('bare')
      @UseInterceptors(RetryInterceptor, CircuitBreakerInterceptor, BulkheadInterceptor)
      bare(): void {}

      @Get('all')
      @UseInterceptors(ResilienceInterceptor.with({ circuitBreaker: {}, bulkhead: {} }))
      all(): void {}
    }
    const { app } = await boot({ controllers: [Pages] });
    const { breakers, bulkheads } = app.get(ResilienceRegistry);

    expect(breakers.list().map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Pages.breaker', 'Pages.bare', 'Pages.all']),
    );
    expect(bulkheads.reader('Pages.all')).toBeDefined();
  });

  it('are different policies of one name: the handler, whatever their number and order', async () => {
    @Controller()
    class Pages {
      @Get('both')
      @UseInterceptors(RetryInterceptor, TimeLimitInterceptor.with(50), BulkheadInterceptor)
      @CircuitBreaker()
      @Retry()
      async both(): Promise<void> {}
    }
    const { app } = await boot({ controllers: [Pages] });
    const { breakers, bulkheads } = app.get(ResilienceRegistry);

    expect(breakers.list().map(({ name }) => name)).toEqual(['Pages.both']);
    expect(bulkheads.list().map(({ name }) => name)).toEqual(['Pages.both']);
  });

  it.each([true, false])(
    'of one kind have a number each and a state each, with enabled: %s',
    async (enabled) => {
      @Controller()
      @UseInterceptors(CircuitBreakerInterceptor.with({ failureThreshold: 5 }))
      class Pages {
        @Get('two')
        @UseInterceptors(CircuitBreakerInterceptor.with({ failureThreshold: 1 }), RetryInterceptor)
        two(): void {}

        @Get('named')
        @UseInterceptors(CircuitBreakerInterceptor.with({ name: 'upstream' }))
        named(): void {}
      }
      const { app } = await boot({ controllers: [Pages], bulwark: { health: false, enabled } });
      const names = app.get(ResilienceRegistry).breakers.list();

      expect(names.map(({ name }) => name)).toEqual([
        'Pages.two',
        'Pages.two#2',
        'Pages.named',
        'upstream',
      ]);
    },
  );

  it('on handlers of the same name carry their modules, with those of decorators', async () => {
    const modules = [0, 1].map((n) => {
      @Controller(`pages-${n}`)
      class Pages {
        @Get('a')
        @UseInterceptors(CircuitBreakerInterceptor)
        a(): void {}
      }
      return Pages;
    });
    @Injectable()
    class Pages {
      @CircuitBreaker()
      async a(): Promise<void> {}
    }
    @Module({ controllers: [modules[0]!] })
    class One {}
    @Module({ controllers: [modules[1]!] })
    class Two {}
    @Module({ providers: [Pages] })
    class Three {}
    const { app } = await boot({ imports: [One, Two, Three] });

    expect(
      app
        .get(ResilienceRegistry)
        .breakers.list()
        .map(({ name }) => name),
    ).toEqual(['Three/Pages.a', 'One/Pages.a', 'Two/Pages.a']);
  });

  it('that share a breaker with other options are a boot error, not one of the first request', async () => {
    @Controller()
    class Sharing {
      @Get('a')
      @UseInterceptors(CircuitBreakerInterceptor.with({ name: 'shared', failureThreshold: 1 }))
      a(): void {}

      @Get('b')
      @UseInterceptors(CircuitBreakerInterceptor.with({ name: 'shared', failureThreshold: 2 }))
      b(): void {}
    }

    expect((await bootError({ controllers: [Sharing] })).message).toContain(
      'circuit breaker "shared": shared with other options',
    );
  });

  it('on the class put a state of its own on each handler', async () => {
    @Controller()
    @UseInterceptors(CircuitBreakerInterceptor.with({ failureThreshold: 1 }))
    class Two {
      @Get('a')
      a(): string {
        throw new Error('down');
      }

      @Get('b')
      b(): string {
        return 'fine';
      }
    }
    const { get } = await serve(ADAPTERS[0][1], { controllers: [Two] });
    await get('/a');

    expect((await get('/a')).status).toBe(503);
    expect((await get('/b')).status).toBe(200);
  });

  it('are called by the key of the handler, whatever another decorator called its function', async () => {
    const Span: MethodDecorator = (_target, _key, descriptor) => {
      const inner = descriptor.value as object as (...args: unknown[]) => unknown;
      const spanned = function (this: unknown, ...args: unknown[]): unknown {
        return inner.apply(this, args);
      };
      for (const key of Reflect.getMetadataKeys(inner) as string[])
        Reflect.defineMetadata(key, Reflect.getMetadata(key, inner), spanned);
      descriptor.value = spanned as never;
    };
    @Controller()
    class Traced {
      @Span
      @Get('a')
      @UseInterceptors(CircuitBreakerInterceptor.with({ failureThreshold: 1 }))
      a(): string {
        return 'a';
      }
      @Span
      @Get('b')
      @UseInterceptors(CircuitBreakerInterceptor.with({ failureThreshold: 1 }))
      b(): string {
        return 'b';
      }
    }
    const { app, log } = await boot({
      controllers: [Traced],
      bulwark: { health: false, policies: { 'Traced.b': { circuitBreaker: { critical: true } } } },
    });

    const { breakers } = app.get(ResilienceRegistry);
    expect(breakers.list().map(({ name, critical }) => [name, critical])).toEqual([
      ['Traced.a', false],
      ['Traced.b', true],
    ]);
    expect(log.ours).toEqual([]);
  });

  it('that are request-scoped are refused: they would forget what they counted', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Mine extends CircuitBreakerInterceptor {
      constructor(@Inject(ApplicationRuntime) runtime: ApplicationRuntime) {
        super({ failureThreshold: 2 }, runtime);
      }
    }
    @Controller()
    class Page {
      @Get('mine')
      @UseInterceptors(Mine)
      read(): void {}
    }

    expect((await bootError({ controllers: [Page] })).message).toContain(
      'Mine: is request-scoped, so it would forget what it counted',
    );
  });

  it('of a user, extending ours, work like ours', async () => {
    @Injectable()
    class Mine extends CircuitBreakerInterceptor {
      constructor(@Inject(ApplicationRuntime) runtime: ApplicationRuntime) {
        super({ failureThreshold: 2 }, runtime);
      }
    }
    @Controller()
    class Page {
      @Get('mine')
      @UseInterceptors(Mine)
      read(): string {
        throw new Error('down');
      }
    }
    const { get, app } = await serve(ADAPTERS[0][1], { controllers: [Page] });
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await get('/mine')).status);

    expect(statuses).toEqual([500, 500, 503, 503]);
    expect(app.get(ResilienceRegistry).breakers.list()).toHaveLength(1);
  });
});
