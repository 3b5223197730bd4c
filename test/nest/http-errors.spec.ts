import { Controller, Get, Injectable, Res, Sse, UseFilters } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, ResilienceExceptionFilter, TimeLimit } from 'nestjs-bulwark';
import { concat, of, throwError, type Observable } from 'rxjs';
import { ADAPTERS, type Answer, closeAll, serve, type World } from './support/app.js';

afterEach(closeAll);

@Injectable()
class SecretUpstreamClient {
  @CircuitBreaker({ failureThreshold: 1, openFor: 2_500, openJitter: 0 })
  async broken(): Promise<string> {
    throw new Error('down');
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 0 })
  full(): Promise<string> {
    return new Promise(() => {});
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 1, queueTimeout: 50 })
  queued(): Promise<string> {
    return new Promise(() => {});
  }

  @TimeLimit(100)
  slow(): Promise<string> {
    return new Promise(() => {});
  }
}

@Controller()
class Pages {
  constructor(private readonly client: SecretUpstreamClient) {}

  @Get('broken')
  broken(): Promise<string> {
    return this.client.broken();
  }

  @Get('full')
  full(): Promise<string> {
    return this.client.full();
  }

  @Get('queued')
  queued(): Promise<string> {
    return this.client.queued();
  }

  @Get('slow')
  slow(): Promise<string> {
    return this.client.slow();
  }

  @Get('here')
  @CircuitBreaker({ failureThreshold: 1, openFor: 2_500, openJitter: 0 })
  async here(): Promise<string> {
    throw new Error('down');
  }
}

/** Time stands still; the clock is moved until there is an answer. */
async function get(world: World, path: string): Promise<Answer> {
  const state = { over: false };
  const answer = world.get(path).finally(() => (state.over = true));
  while (!state.over) {
    await new Promise((resolve) => setImmediate(resolve));
    if (world.clock.pending > 0) await world.clock.advance(50);
  }
  return answer;
}

/** Brings the dependency into the state in which the next call is refused. */
async function provoke({ app, get: ask }: World, path: string): Promise<void> {
  const client = app.get(SecretUpstreamClient);
  if (path === '/broken' || path === '/here') await ask(path);
  if (path === '/queued') void client.queued().catch(() => {});
  if (path === '/full') void client.full().catch(() => {});
}

const CASES: [string, number, string, string | null][] = [
  ['/broken', 503, 'CIRCUIT_OPEN', '3'],
  ['/here', 503, 'CIRCUIT_OPEN', '3'],
  ['/full', 503, 'BULKHEAD_FULL', null],
  ['/queued', 503, 'BULKHEAD_QUEUE_TIMEOUT', null],
  ['/slow', 504, 'CALL_TIMEOUT', null],
];

describe.each(ADAPTERS)('a refusal over HTTP on %s', (_, adapter) => {
  const world = (withFilter = false): Promise<World> =>
    serve(adapter, {
      controllers: [Pages],
      providers: [SecretUpstreamClient],
      prepare: (app) => {
        if (withFilter) app.useGlobalFilters(app.get(ResilienceExceptionFilter));
      },
    });

  it.each(CASES)('of %s is %i without a filter, and its message is kept', async (path, status) => {
    const served = await world();
    await provoke(served, path);

    const answer = await get(served, path);

    expect(answer.status).toBe(status);
    expect(answer.text).not.toMatch(/Client|Pages|Secret|probe|running/);
    expect(answer.json).toMatchObject({ statusCode: status });
  });

  it.each(CASES)(
    'of %s is %i with the filter, with code %s and Retry-After %s',
    async (path, status, code, retryAfter) => {
      const served = await world(true);
      await provoke(served, path);

      const answer = await get(served, path);

      expect(answer.status).toBe(status);
      expect(answer.headers.get('retry-after')).toBe(retryAfter);
      expect(answer.json).toEqual({
        statusCode: status,
        message: status === 504 ? 'gateway timeout' : 'service unavailable',
        code,
      });
    },
  );

  it('under the filter leaves errors of the application alone', async () => {
    expect(await get(await world(true), '/broken')).toMatchObject({ status: 500 });
  });

  it('cuts an answer that has begun, for its status cannot be taken back', async () => {
    interface Raw {
      write(text: string): void;
    }
    @Controller()
    class Begun {
      constructor(private readonly client: SecretUpstreamClient) {}

      @Get('begun')
      async begun(@Res() response: Raw & { raw?: Raw; hijack?: () => void }): Promise<void> {
        response.hijack?.();
        (response.raw ?? response).write('begun');
        await this.client.slow();
      }
    }
    const served = await serve(adapter, {
      controllers: [Begun],
      providers: [SecretUpstreamClient],
      prepare: (app) => {
        app.useGlobalFilters(app.get(ResilienceExceptionFilter));
      },
    });

    expect(await get(served, '/begun')).toMatchObject({ status: 200, text: 'begun' });
  });

  it('works with @UseFilters and in a stream that has begun', async () => {
    @Controller()
    class Streams {
      @Sse('events')
      @UseFilters(ResilienceExceptionFilter)
      events(): Observable<unknown> {
        return concat(
          of({ data: 'one' }),
          throwError(() => new TypeError('the stream broke')),
        );
      }

      @Get('filtered')
      @UseFilters(ResilienceExceptionFilter)
      @TimeLimit(100)
      filtered(): Promise<string> {
        return new Promise(() => {});
      }
    }
    const served = await serve(adapter, { controllers: [Streams] });

    expect((await get(served, '/filtered')).json).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect((await get(served, '/events')).text).toContain('data: one');
  });
});
