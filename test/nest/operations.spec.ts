import { Controller, Get, Injectable, UseInterceptors } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitBreakerInterceptor,
  explainError,
  Fallback,
  ResilienceConfigError,
  ResilienceRegistry,
  ResilienceService,
  Retry,
  RetryInterceptor,
} from 'nestjs-bulwark';
import { EventRecorder, settle } from 'nestjs-bulwark/testing';
import { ADAPTERS, boot, closeAll, serve } from './support/app.js';

afterEach(closeAll);

const down = async (): Promise<never> => {
  throw new Error('down');
};
const still = { delay: 0, jitter: 'none' } as const;

@Injectable()
class Client {
  runs = 0;

  @Fallback({ value: 'instead' })
  @Retry({ maxAttempts: 2, ...still })
  @CircuitBreaker({ failureThreshold: 100, name: 'bank' })
  async call(): Promise<string> {
    this.runs += 1;
    return down();
  }

  @CircuitBreaker({ failureThreshold: 100, name: 'bank' })
  async other(): Promise<void> {
    return down();
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 0 })
  hang(): Promise<void> {
    return new Promise(() => {});
  }
}

describe('reconfigure', () => {
  it('changes what the patch names, for the calls that come', async () => {
    const { app, clock } = await boot({ providers: [Client] });
    const [client, service] = [app.get(Client), app.get(ResilienceService)];
    const recorder = EventRecorder.on(app);

    expect(service.reconfigure('Client.call', { retry: { maxAttempts: 5 }, fallback: false })).toBe(
      2,
    );
    const refused = expect(client.call()).rejects.toThrow('down');
    await clock.advance(1);
    await refused;

    expect(client.runs).toBe(5); // and the delay is still none
    expect(recorder.of('policies-changed')).toMatchObject([
      { target: 'Client.call', version: 2, policies: ['retry', 'fallback'] },
    ]);
  });

  it('changes a shared breaker for all who share it, and keeps what it counted', async () => {
    const { app } = await boot({ providers: [Client] });
    const [client, service] = [app.get(Client), app.get(ResilienceService)];
    for (let i = 0; i < 2; i += 1) await client.other().catch(() => {});

    service.reconfigure('Client.call', { circuitBreaker: { failureThreshold: 3 } });
    await client.other().catch(() => {});

    await expect(client.other()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', target: 'bank' });
  });

  it.each([
    ['an unknown name', 'Client.cal', {}, 'no such name; known are "Client.call"'],
    ['a bad option', 'Client.call', { retry: { maxAttempts: 0 } }, '@Retry maxAttempts: got 0'],
    ['an unknown policy', 'Client.call', { retires: {} }, 'retires: unknown policy'],
    [
      'another name',
      'Client.call',
      { circuitBreaker: { name: 'x' } },
      'cannot change while it runs',
    ],
    [
      'a method that the class has not',
      'Client.call',
      { fallback: { method: 'x' } },
      'expected a method',
    ],
    ['no patch at all', 'Client.call', undefined, 'expected a set of policies'],
  ])('refuses %s, and nothing has changed', async (_, name, patch, message) => {
    const { app } = await boot({ providers: [Client] });
    const service = app.get(ResilienceService);

    expect(() => service.reconfigure(name, patch as never)).toThrow(ResilienceConfigError);
    expect(() => service.reconfigure(name, patch as never)).toThrow(message);
    expect(service.reconfigure('Client.call', {})).toBe(1); // still the first version
  });

  it.each(ADAPTERS)('changes handlers behind interceptors, on %s', async (_, adapter) => {
    let runs = 0;
    @Controller()
    class Pages {
      @Get('page')
      @UseInterceptors(RetryInterceptor.with(still), CircuitBreakerInterceptor)
      page(): string {
        runs += 1;
        throw new Error('down');
      }
    }
    const { app, get } = await serve(adapter, { controllers: [Pages] });
    app.get(ResilienceService).reconfigure('Pages.page', {
      retry: { maxAttempts: 1 },
      circuitBreaker: { failureThreshold: 1 },
    });

    expect([(await get('/page')).status, (await get('/page')).status]).toEqual([500, 503]);
    expect(runs).toBe(1);
  });
});

describe('the kill switch', () => {
  it('passes all but fallbacks through, and back, with the state that there was', async () => {
    const { app, clock } = await boot({ providers: [Client] });
    const [client, service] = [app.get(Client), app.get(ResilienceService)];
    app.get(ResilienceRegistry).breakers.control('bank')!.isolate();
    expect(await client.call()).toBe('instead');
    expect(client.runs).toBe(0);

    service.enabled = false;
    expect([service.enabled, await client.call(), client.runs]).toEqual([false, 'instead', 1]);
    await expect(client.other()).rejects.toThrow('down');

    service.enabled = true;
    const answer = client.call();
    await clock.advance(10);
    expect([await answer, client.runs]).toEqual(['instead', 1]);
    await expect(client.other()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  });

  it.each(['false', 0, null, undefined])(
    'refuses %p, which would not do what it says',
    async (word) => {
      const { app } = await boot({});
      const service = app.get(ResilienceService);

      expect(() => (service.enabled = word as never)).toThrow('ResilienceService enabled: got');
      expect(service.enabled).toBe(true);
    },
  );

  it('leaves calls on their way in their places', async () => {
    const { app } = await boot({ providers: [Client] });
    const [client, service] = [app.get(Client), app.get(ResilienceService)];
    void client.hang();
    await expect(client.hang()).rejects.toMatchObject({ code: 'BULKHEAD_FULL' });

    service.enabled = false;
    void client.hang();
    service.enabled = true;

    await expect(client.hang()).rejects.toMatchObject({ code: 'BULKHEAD_FULL' });
    expect(app.get(ResilienceRegistry).bulkheads.reader('Client.hang')!.snapshot().running).toBe(1);
  });

  it('is off from the start with `enabled: false`, and can be turned', async () => {
    const { app } = await boot({ providers: [Client], bulwark: { health: false, enabled: false } });
    const [client, service] = [app.get(Client), app.get(ResilienceService)];
    await service.execute('x', async () => 1, { circuitBreaker: { failureThreshold: 1 } });
    await service.execute('x', down).catch(() => {});
    await expect(service.execute('x', async () => 1)).resolves.toBe(1);

    service.enabled = true;

    void client.hang();
    await expect(client.hang()).rejects.toMatchObject({ code: 'BULKHEAD_FULL' });
    await service.execute('x', down).catch(() => {});
    await expect(service.execute('x', async () => 1)).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
    });
  });
});

it('fallbackUse tells what the fallbacks of a target have done', async () => {
  const { app, clock } = await boot({ providers: [Client] });
  const [client, service] = [app.get(Client), app.get(ResilienceService)];
  const answer = client.call();
  await clock.advance(10);
  await answer;

  expect(service.fallbackUse('Client.call')).toMatchObject({
    calls: 1,
    answered: 1,
    share: 1,
    byKind: expect.objectContaining({ value: 1 }),
  });
  expect(service.fallbackUse('Client.hang')).toBeUndefined();
  expect(service.fallbackUse('nothing')).toBeUndefined();
});

it.each([true, false])(
  'explainError tells the way of a call; the decisions with trace: %s',
  async (trace) => {
    const { app, clock } = await boot({ bulwark: { health: false, trace } });
    const call = app
      .get(ResilienceService)
      .execute('x', down, { retry: { maxAttempts: 2, ...still }, circuitBreaker: {} })
      .catch((error: unknown) => error);
    await clock.advance(10);
    const explained = explainError(await call)!;
    await settle();

    expect(explained.attempts).toHaveLength(1);
    expect((explained.decisions ?? []).length > 0).toBe(trace);
  },
);
