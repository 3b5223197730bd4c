import { Injectable } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, type CircuitBreakerOptions, RateLimit } from 'nestjs-bulwark';
import { ADAPTERS, closeAll, deferred, serve, type World } from '../support/app.js';

afterEach(closeAll);

const details = { details: 'always' as const };
const fails: CircuitBreakerOptions = { failureThreshold: 1, openJitter: 0, openFor: 1_000 };

@Injectable()
class Client {
  readonly hang = deferred();

  @CircuitBreaker({ ...fails, key: (host: string) => host })
  async ask(_host: string, good: boolean): Promise<void> {
    if (!good) throw new Error('down');
  }

  @CircuitBreaker({ ...fails, mode: 'shadow', critical: true })
  async tried(): Promise<void> {
    throw new Error('down');
  }

  @CircuitBreaker({ ...fails, successThreshold: 1, gradualClose: { steps: [0.5], calls: 9 } })
  async gradual(good: boolean): Promise<void> {
    if (!good) throw new Error('down');
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 0, key: (tenant: string) => tenant })
  async work(_tenant: string): Promise<void> {
    await this.hang.promise;
  }

  @RateLimit({ limit: 1 })
  async limited(): Promise<void> {}
}

const ignore = (): void => {};
const health = async (world: World): Promise<Record<string, unknown>> =>
  (await world.get('/health')).json as never;

describe.each(ADAPTERS)('health on %s', (_name, adapter) => {
  const start = async (): Promise<World & { client: Client }> => {
    const world = await serve(adapter, { bulwark: { health: details }, providers: [Client] });
    return { ...world, client: world.app.get(Client) };
  };

  it('has one entry for the breakers of all keys', async () => {
    const world = await start();
    const { client } = world;
    for (const host of ['a', 'b', 'c']) await client.ask(host, true);
    expect(await health(world)).toMatchObject({
      status: 'ok',
      details: { circuitBreakers: { breakers: { 'Client.ask': { keys: { total: 3, open: 0 } } } } },
    });

    await client.ask('b', false).catch(ignore);

    const answer = await health(world);
    expect(answer).toMatchObject({
      status: 'degraded',
      details: {
        circuitBreakers: {
          status: 'degraded',
          breakers: { 'Client.ask': { keys: { total: 3, open: 1 } } },
        },
      },
    });
    expect(JSON.stringify(answer)).not.toContain('"b"'); // keys are often people
  });

  it('is not concerned by a breaker in shadow mode, which says that it is one', async () => {
    const world = await start();
    await world.client.tried().catch(ignore);

    expect(await health(world)).toMatchObject({
      status: 'ok',
      details: {
        circuitBreakers: {
          status: 'up',
          breakers: { 'Client.tried': { state: 'open', mode: 'shadow' } },
        },
      },
    });
  });

  it('shows a breaker on its way back, and the share of calls that it lets in', async () => {
    const world = await start();
    await world.client.gradual(false).catch(ignore);
    await world.clock.advance(1_000);
    await world.client.gradual(true);

    expect(await health(world)).toMatchObject({
      status: 'degraded',
      details: {
        circuitBreakers: { breakers: { 'Client.gradual': { state: 'recovering', share: 0.5 } } },
      },
    });
  });

  it('has one entry for the bulkheads of all keys', async () => {
    const world = await start();
    const calls = ['a', 'b'].map((tenant) => world.client.work(tenant));
    expect(await health(world)).toMatchObject({
      status: 'degraded',
      details: { bulkheads: { bulkheads: { 'Client.work': { keys: { total: 2, full: 2 } } } } },
    });

    world.client.hang.resolve();
    await Promise.all(calls);

    expect(await health(world)).toMatchObject({
      status: 'ok',
      details: { bulkheads: { bulkheads: { 'Client.work': { keys: { total: 2, full: 0 } } } } },
    });
  });

  it('is not concerned by rate limits', async () => {
    const world = await start();
    await world.client.limited();
    await expect(world.client.limited()).rejects.toMatchObject({ code: 'RATE_LIMITED' });

    const answer = await health(world);
    expect(answer['status']).toBe('ok');
    expect(JSON.stringify(answer)).not.toContain('limited');
  });
});
