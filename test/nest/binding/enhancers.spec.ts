import {
  type ArgumentMetadata,
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  type NestMiddleware,
  type NestModule,
  Param,
  type PipeTransform,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { APP_GUARD, LazyModuleLoader } from '@nestjs/core';
import { CircuitBreaker, Fallback, ResilienceRegistry } from 'nestjs-bulwark';
import { Observable } from 'rxjs';
import { ADAPTERS, boot, closeAll, serve } from '../support/app.js';

afterEach(closeAll);

@Injectable()
class AskElsewhere implements CanActivate {
  @Fallback({ value: false })
  @CircuitBreaker()
  async canActivate(_context: ExecutionContext): Promise<boolean> {
    throw new Error('the authority is down');
  }
}

@Injectable()
class LookUp implements PipeTransform {
  @Fallback({ value: 'looked up' })
  async transform(_value: unknown, _metadata: ArgumentMetadata): Promise<string> {
    throw new Error('down');
  }
}

@Injectable()
class Translate implements NestInterceptor {
  @Fallback({ value: 'translated' })
  intercept(_context: ExecutionContext, _next: CallHandler): Observable<unknown> {
    return new Observable((subscriber) => subscriber.error(new Error('down')));
  }
}

@Injectable()
class Tag implements NestMiddleware {
  @Fallback((_error, _request, _response, next: () => void) => next())
  async use(_request: unknown, _response: unknown, _next: () => void): Promise<void> {
    throw new Error('down');
  }
}

@Controller()
class Pages {
  @Get('guarded')
  @UseGuards(AskElsewhere)
  guarded(): string {
    return 'SECRET';
  }

  @Get('piped/:id')
  @UsePipes(LookUp)
  piped(@Param('id') id: string): string {
    return id;
  }

  @Get('intercepted')
  @UseInterceptors(Translate)
  intercepted(): string {
    return 'original';
  }

  @Get('tagged')
  tagged(): string {
    return 'tagged';
  }
}

@Module({ controllers: [Pages] })
class PagesModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(Tag).forRoutes('tagged');
  }
}

describe.each(ADAPTERS)('decorators on classes that only Nest calls, on %s', (_, adapter) => {
  it('protect guards, pipes, interceptors and middleware', async () => {
    const { get } = await serve(adapter, { imports: [PagesModule] });

    expect((await get('/guarded')).status).toBe(403);
    expect((await get('/piped/1')).text).toBe('looked up');
    expect((await get('/intercepted')).text).toBe('translated');
    expect((await get('/tagged')).text).toBe('tagged');
  });

  it('protect a global guard', async () => {
    const { get } = await serve(adapter, {
      imports: [PagesModule],
      providers: [{ provide: APP_GUARD, useClass: AskElsewhere }],
    });

    expect((await get('/intercepted')).status).toBe(403);
  });
});

it('guards, pipes and middleware are named and registered before the first request', async () => {
  const { app } = await boot({ imports: [PagesModule] });

  expect(app.get(ResilienceRegistry).breakers.reader('AskElsewhere.canActivate')).toBeDefined();
});

describe('a lazy module', () => {
  @Injectable()
  class Late {
    @Fallback({ value: 'protected' })
    @CircuitBreaker()
    async call(): Promise<string> {
      throw new Error('plain');
    }

    @CircuitBreaker({ failureThreshold: -1 })
    async wrong(): Promise<string> {
      return 'unprotected';
    }
  }
  @Module({ providers: [Late] })
  class LateModule {}

  it('has its providers protected from their first call on', async () => {
    const { app } = await boot({});
    const { breakers } = app.get(ResilienceRegistry);

    const late = (await app.get(LazyModuleLoader).load(() => LateModule)).get(Late);
    expect(breakers.list()).toEqual([]);

    await expect(late.call()).resolves.toBe('protected');
    expect(breakers.reader('Late.call')).toBeDefined();
  });

  it('never runs a method unprotected because its options are wrong: the call says so', async () => {
    const { app } = await boot({});
    const late = (await app.get(LazyModuleLoader).load(() => LateModule)).get(Late);

    await expect((async () => late.wrong())()).rejects.toMatchObject({
      name: 'ResilienceConfigError',
      message: expect.stringContaining('Late.wrong @CircuitBreaker failureThreshold') as string,
    });
  });
});
