import { Controller, type ExecutionContext, Get, UseInterceptors } from '@nestjs/common';
import { BulkheadInterceptor, CircuitBreakerInterceptor, ResilienceRegistry } from 'nestjs-bulwark';
import { ADAPTERS, closeAll, deferred, serve } from './support/app.js';

afterEach(closeAll);

const tenant = (context: ExecutionContext): string =>
  context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-tenant']!;

@Controller('tenants')
class Tenants {
  static hang = deferred();

  @Get('flaky')
  @UseInterceptors(CircuitBreakerInterceptor.with({ failureThreshold: 1, key: tenant }))
  async flaky(): Promise<string> {
    throw new Error('down');
  }

  @Get('busy')
  @UseInterceptors(BulkheadInterceptor.with({ maxConcurrent: 1, maxQueue: 0, key: tenant }))
  async busy(): Promise<string> {
    await Tenants.hang.promise;
    return 'ok';
  }
}

describe.each(ADAPTERS)('keys by Nest’s ExecutionContext on %s', (_name, adapter) => {
  const start = async () => {
    Tenants.hang = deferred();
    const { app } = await serve(adapter, { bulwark: { health: false }, controllers: [Tenants] });
    const { port } = app.getHttpServer().address() as { port: number };
    const get = (path: string, who: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/tenants/${path}`, { headers: { 'x-tenant': who } });
    return { get, registry: app.get(ResilienceRegistry) };
  };

  it('one tenant’s failures open its own breaker', async () => {
    const { get, registry } = await start();
    expect((await get('flaky', 'a')).status).toBe(500);
    expect((await get('flaky', 'a')).status).toBe(503);
    expect((await get('flaky', 'b')).status).toBe(500);

    const keys = registry.breakers.keyedReader('Tenants.flaky')!.list();
    expect(keys.map(([key, { state }]) => [key, state])).toEqual([
      ['a', 'open'],
      ['b', 'open'],
    ]);
  });

  it('one tenant fills its own bulkhead', async () => {
    const { get, registry } = await start();
    const first = get('busy', 'a');
    const slots = registry.bulkheads.keyedReader('Tenants.busy')!;
    while (slots.reader('a')?.snapshot().running !== 1)
      await new Promise((resolve) => setImmediate(resolve));

    expect((await get('busy', 'a')).status).toBe(503);
    const second = get('busy', 'b');
    while (slots.reader('b')?.snapshot().running !== 1)
      await new Promise((resolve) => setImmediate(resolve));
    Tenants.hang.resolve();

    expect(await Promise.all([first, second].map(async (r) => (await r).status))).toEqual([
      200, 200,
    ]);
    expect(slots.reader('a')!.snapshot().running).toBe(0);
  });
});
