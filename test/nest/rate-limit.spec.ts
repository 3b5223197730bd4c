import {
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import {
  BulkheadInterceptor,
  CircuitBreakerInterceptor,
  RateLimit,
  RateLimitInterceptor,
  ResilienceExceptionFilter,
  ResilienceInterceptor,
  ResilienceRegistry,
  TimeLimitInterceptor,
} from 'nestjs-bulwark';
import { ADAPTERS, boot, bootError, closeAll, serve, type World } from './support/app.js';

afterEach(closeAll);

describe('@RateLimit', () => {
  @Injectable()
  class Client {
    @RateLimit({ limit: 2, per: 1_000 })
    async call(): Promise<string> {
      return 'fine';
    }

    @RateLimit({ limit: 1, per: 1_000, maxWait: 1_000 })
    async patient(): Promise<string> {
      return 'fine';
    }

    @RateLimit({ limit: 1, per: 1_000, key: (user: string) => user })
    async perUser(user: string): Promise<string> {
      return user;
    }
  }

  it('refuses with the time to come back, and admits then', async () => {
    const { app, clock } = await boot({ providers: [Client] });
    const client = app.get(Client);
    await client.call();
    await client.call();

    await expect(client.call()).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      policy: 'rate-limit',
      target: 'Client.call',
      status: 429,
      retryAfter: 500,
    });
    await clock.advance(500);
    await expect(client.call()).resolves.toBe('fine');
    expect(
      app.get(ResilienceRegistry).rateLimiters.reader('Client.call')!.snapshot(),
    ).toMatchObject({ admitted: 3, refused: 1 });
  });

  it('lets a call wait for its turn', async () => {
    const { app, clock } = await boot({ providers: [Client] });
    const client = app.get(Client);
    await client.patient();
    const turn = client.patient();
    await expect(client.patient()).rejects.toMatchObject({ code: 'RATE_LIMITED' });

    await clock.advance(1_000);

    await expect(turn).resolves.toBe('fine');
  });

  it('is one for each key', async () => {
    const { app } = await boot({ providers: [Client] });
    const client = app.get(Client);

    expect([await client.perUser('a'), await client.perUser('b')]).toEqual(['a', 'b']);
    await expect(client.perUser('a')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('without a limit is a mistake at boot, as an interceptor too', async () => {
    @Injectable()
    class Bad {
      @RateLimit({} as never)
      async call(): Promise<void> {}
    }
    @Controller()
    class Pages {
      @Get()
      @UseInterceptors(RateLimitInterceptor)
      page(): void {}
    }

    const { message } = await bootError({ providers: [Bad], controllers: [Pages] });

    expect(message).toContain('Bad.call @RateLimit limit: got nothing, expected a whole number');
    expect(message).toContain('Pages.page RateLimitInterceptor @RateLimit limit: got nothing');
  });
});

interface Request {
  readonly headers: Record<string, string>;
}
const tenantOf = (context: ExecutionContext): string =>
  context.switchToHttp().getRequest<Request>().headers['tenant'] ?? 'nobody';

let failing = new Set<string>();
let open: (() => void)[] = [];
beforeEach(() => {
  failing = new Set();
  open = [];
});

@Controller()
@UseFilters(ResilienceExceptionFilter)
class Pages {
  @Get('limited')
  @UseInterceptors(RateLimitInterceptor.with({ limit: 1, per: 60_000, key: tenantOf }))
  limited(): string {
    return 'fine';
  }

  @Get('broken')
  @UseInterceptors(CircuitBreakerInterceptor.with({ failureThreshold: 1, key: tenantOf }))
  broken(): string {
    if (failing.has('broken')) throw new Error('down');
    return 'fine';
  }

  @Get('held')
  @UseInterceptors(BulkheadInterceptor.with({ maxConcurrent: 1, maxQueue: 0, key: tenantOf }))
  held(): Promise<string> {
    return new Promise((resolve) => open.push(() => resolve('fine')));
  }

  @Get('timed')
  @UseInterceptors(
    TimeLimitInterceptor.with({
      ms: (_attempt, context) => (tenantOf(context) === 'a' ? 10 : 1_000),
    }),
  )
  timed(): Promise<string> {
    return new Promise((resolve) => open.push(() => resolve('fine')));
  }

  @Get('preset')
  @UseInterceptors(ResilienceInterceptor.with('tenant'))
  preset(): string {
    return 'fine';
  }
}

describe.each(ADAPTERS)('interceptors that know their request, on %s', (_, adapter) => {
  let world: World;
  beforeEach(async () => {
    world = await serve(adapter, {
      controllers: [Pages],
      bulwark: {
        health: false,
        presets: { tenant: { rateLimit: { limit: 1, per: 60_000, key: tenantOf } } },
      },
    });
  });
  const ask = async (path: string, tenant: string): Promise<Response> => {
    const { port } = world.app.getHttpServer().address() as { port: number };
    return fetch(`http://127.0.0.1:${port}${path}`, { headers: { tenant, connection: 'close' } });
  };
  const statusOf = async (path: string, tenant: string): Promise<number> =>
    (await ask(path, tenant)).status;

  it.each(['/limited', '/preset'])('limit the rate of each tenant: %s', async (path) => {
    expect([await statusOf(path, 'a'), await statusOf(path, 'b')]).toEqual([200, 200]);
    const refused = await ask(path, 'a');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
  });

  it('open the circuit of one tenant alone', async () => {
    failing.add('broken');
    expect(await statusOf('/broken', 'a')).toBe(500);
    failing.clear();

    expect([await statusOf('/broken', 'a'), await statusOf('/broken', 'b')]).toEqual([503, 200]);
    const { breakers } = world.app.get(ResilienceRegistry);
    expect(breakers.keyedReader('Pages.broken')!.reader('a')!.state).toBe('open');
  });

  it('hold places for one tenant, and give others theirs', async () => {
    const one = statusOf('/held', 'a');
    const until = async (n: number): Promise<void> => {
      while (open.length < n) await new Promise((resolve) => setImmediate(resolve));
    };
    await until(1);
    expect(await statusOf('/held', 'a')).toBe(503);
    const other = statusOf('/held', 'b');
    await until(2);
    open.forEach((end) => end());

    expect(await Promise.all([one, other])).toEqual([200, 200]);
  });

  it('limit the time of each', async () => {
    const answers = Promise.all([statusOf('/timed', 'a'), statusOf('/timed', 'b')]);
    while (open.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await world.clock.advance(10);
    open.forEach((end) => end());

    expect(await answers).toEqual([504, 200]);
  });
});
