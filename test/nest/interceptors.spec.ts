import { Controller, type ExecutionContext, Get, Sse, UseInterceptors } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import {
  ApplicationRuntime,
  BulkheadInterceptor,
  CircuitBreakerInterceptor,
  FallbackInterceptor,
  ResilienceInterceptor,
  ResilienceRegistry,
  RetryInterceptor,
  TimeLimitInterceptor,
} from 'nestjs-bulwark';
import { AsyncLocalStorage } from 'node:async_hooks';
import { of } from 'rxjs';
import { ADAPTERS, closeAll, serve } from './support/app.js';

const tenants = new AsyncLocalStorage<string>();
let runs = 0;
let seen: (string | undefined)[] = [];

function failTwice(): string {
  runs += 1;
  seen.push(tenants.getStore());
  if (runs % 3 !== 0) throw new Error('down');
  return `run ${runs}`;
}

const quick = { maxAttempts: 3, delay: 0, jitter: 'none' } as const;

@Controller('p')
class Pages {
  @Get('with')
  @UseInterceptors(RetryInterceptor.with(quick))
  with(): string {
    return failTwice();
  }

  @Get('async')
  @UseInterceptors(RetryInterceptor.with(quick))
  async async(): Promise<string> {
    return failTwice();
  }

  @Get('bare')
  @UseInterceptors(RetryInterceptor, CircuitBreakerInterceptor, BulkheadInterceptor)
  bare(): string {
    return 'bare';
  }

  @Get('fallback')
  @UseInterceptors(
    FallbackInterceptor.with(
      (_error, context: ExecutionContext) => `instead of ${context.getHandler().name}`,
    ),
  )
  fallback(): string {
    throw new Error('down');
  }

  @Get('breaker')
  @UseInterceptors(CircuitBreakerInterceptor.with({ failureThreshold: 2 }))
  breaker(): string {
    throw new Error('down');
  }

  @Get('all')
  @UseInterceptors(
    ResilienceInterceptor.with({
      retry: quick,
      timeLimit: 1_000,
      circuitBreaker: {},
      bulkhead: {},
    }),
  )
  all(): string {
    return failTwice();
  }

  @Get('hang')
  @UseInterceptors(TimeLimitInterceptor.with(100))
  hang(): Promise<string> {
    return new Promise(() => {});
  }

  @Sse('events')
  @UseInterceptors(RetryInterceptor.with(quick))
  events(): unknown {
    return of({ data: 'one' }, { data: 'two' });
  }
}

beforeEach(() => {
  runs = 0;
  seen = [];
});
afterEach(closeAll);

describe.each(ADAPTERS)('interceptors on %s', (_, adapter) => {
  const pages = (): ReturnType<typeof serve> =>
    serve(adapter, {
      controllers: [Pages],
      prepare: (app) => {
        app.use((_request: unknown, _response: unknown, next: () => void) =>
          tenants.run('acme', next),
        );
      },
    });

  /** Time stands still: retries wait until the clock is moved. */
  async function answerOf(
    { get, clock }: Awaited<ReturnType<typeof pages>>,
    path: string,
    by = 1,
  ): ReturnType<typeof get> {
    const state = { over: false };
    const answer = get(path).finally(() => (state.over = true));
    while (!state.over) {
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.pending > 0) await clock.advance(by);
    }
    return answer;
  }

  it.each(['with', 'async', 'all'])('#13 a retry runs the handler /p/%s again', async (path) => {
    const answer = await answerOf(await pages(), `/p/${path}`);

    expect(answer).toMatchObject({ status: 200, text: 'run 3' });
    expect(runs).toBe(3);
  });

  it('#13 each attempt has the async context of its request', async () => {
    await answerOf(await pages(), '/p/with');

    expect(seen).toEqual(['acme', 'acme', 'acme']);
  });

  it('without `.with()` they have the default options', async () => {
    const { get, app } = await pages();

    expect(await get('/p/bare')).toMatchObject({ status: 200, text: 'bare' });
    expect(app.get(ResilienceRegistry).breakers.list()).not.toHaveLength(0);
  });

  it('a fallback gets the error and the execution context', async () => {
    const { get } = await pages();

    expect(await get('/p/fallback')).toMatchObject({ status: 200, text: 'instead of fallback' });
  });

  it('a breaker refuses after failures, under the name of the handler', async () => {
    const { get, app } = await pages();
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await get('/p/breaker')).status);

    expect(statuses).toEqual([500, 500, 503, 503]);
    expect(app.get(ResilienceRegistry).breakers.reader('Pages.breaker')!.state).toBe('open');
  });

  it('a time limit answers 504 for a handler that hangs', async () => {
    const answer = await answerOf(await pages(), '/p/hang', 100);

    expect(answer.status).toBe(504);
  });

  it('a stream of events passes through', async () => {
    const { get } = await pages();

    const { text } = await get('/p/events');

    expect(text.match(/data: .*/g)).toEqual(['data: one', 'data: two']);
  });

  it('`new` with the runtime works as a global interceptor and as a provider', async () => {
    @Controller()
    class Plain {
      @Get('plain')
      read(): string {
        return failTwice();
      }
    }
    const world = await serve(adapter, {
      controllers: [Plain],
      providers: [
        {
          provide: APP_INTERCEPTOR,
          inject: [ApplicationRuntime],
          useFactory: (runtime: ApplicationRuntime) => new RetryInterceptor(quick, runtime),
        },
      ],
      prepare: (app) => {
        const runtime = app.get(ApplicationRuntime);
        app.useGlobalInterceptors(new CircuitBreakerInterceptor({ name: 'global' }, runtime));
      },
    });

    expect(await answerOf(world, '/plain')).toMatchObject({ status: 200, text: 'run 3' });
    expect(world.app.get(ResilienceRegistry).breakers.reader('global')).toBeDefined();
  });
});
