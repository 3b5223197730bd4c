import { type CanActivate, Injectable, SetMetadata, VersioningType } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import type { ExecutionContext } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, type HealthConfig, ResilienceModule } from 'nestjs-bulwark';
import {
  ADAPTERS,
  type Answer,
  closeAll,
  serve,
  type Setting,
  type World,
} from '../support/app.js';

afterEach(closeAll);

@Injectable()
class SecretClient {
  @CircuitBreaker({ failureThreshold: 1, openFor: 5_000, openJitter: 0 })
  async call(fail = false): Promise<void> {
    if (fail) throw new Error('down');
  }

  @CircuitBreaker({ failureThreshold: 1, critical: true })
  async critical(): Promise<void> {
    throw new Error('down');
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 0 })
  full(): Promise<void> {
    return new Promise(() => {});
  }
}

const PATHS = ['/health', '/health/live', '/health/ready'];

describe.each(ADAPTERS)('health endpoints on %s', (_, adapter) => {
  const world = (health: HealthConfig = {}, setting: Setting = {}): Promise<World> =>
    serve(adapter, { bulwark: { health }, providers: [SecretClient], ...setting });

  /** Three answers of one application, in the order of PATHS. */
  const ask = ({ get }: World, paths = PATHS): Promise<Answer[]> => Promise.all(paths.map(get));

  it('answer 200 and nothing but a status', async () => {
    for (const answer of await ask(await world())) {
      expect(answer.status).toBe(200);
      expect(answer.json).toEqual({ status: 'ok' });
      expect(answer.headers.get('cache-control')).toContain('no-store');
    }
  });

  it('#181 an open breaker is degraded and 200, and no matter for liveness', async () => {
    const served = await world();
    await served.app
      .get(SecretClient)
      .call(true)
      .catch(() => {});

    const answers = await ask(served);

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.map(({ json }) => json)).toEqual([
      { status: 'degraded' },
      { status: 'ok' },
      { status: 'degraded' },
    ]);
  });

  it('#181 an open critical breaker is 503 in /health and readiness, and no matter for liveness', async () => {
    const served = await world();
    await served.app
      .get(SecretClient)
      .critical()
      .catch(() => {});

    const answers = await ask(served);

    expect(answers.map(({ status }) => status)).toEqual([503, 200, 503]);
    expect(answers[0]!.json).toEqual({ status: 'error' });
  });

  it('#181 a full bulkhead is degraded', async () => {
    const served = await world();
    void served.app.get(SecretClient).full();

    expect((await served.get('/health')).json).toEqual({ status: 'degraded' });
  });

  it('#178 say nothing of names and messages to anybody, whatever fails', async () => {
    const served = await world({
      indicators: {
        redis: () => Promise.reject(new Error('redis://:pw@h refused')),
        plain: () => {
          throw new Error('postgres://u:pw@db');
        },
      },
    });
    await served.app
      .get(SecretClient)
      .critical()
      .catch(() => {});
    await served.app
      .get(SecretClient)
      .call(true)
      .catch(() => {});

    for (const { text } of await ask(served, ['/health', '/health/ready'])) {
      expect(JSON.parse(text)).toEqual({ status: 'error' });
    }
  });

  it("with details: 'always' say what is wrong", async () => {
    const served = await world({
      details: 'always',
      indicators: { queue: () => ({ waiting: 3 }) },
    });
    await served.app
      .get(SecretClient)
      .call(true)
      .catch(() => {});

    expect((await served.get('/health')).json).toMatchObject({
      status: 'degraded',
      details: {
        circuitBreakers: {
          status: 'degraded',
          breakers: {
            'SecretClient.call': { state: 'open', retryAfter: 5_000, probeDue: false },
            'SecretClient.critical': { state: 'closed' },
          },
        },
        bulkheads: { status: 'up', bulkheads: { 'SecretClient.full': { running: 0 } } },
        queue: { status: 'up', waiting: 3 },
      },
    });
    expect((await served.get('/health/live')).json).toEqual({ status: 'ok' });
  });

  it('change nothing by being asked: an elapsed open breaker stays open until a call comes', async () => {
    const served = await world({ details: 'always' });
    await served.app
      .get(SecretClient)
      .call(true)
      .catch(() => {});
    await served.clock.advance(60_000);

    for (let i = 0; i < 3; i += 1) {
      expect((await served.get('/health')).json).toMatchObject({
        details: {
          circuitBreakers: { breakers: { 'SecretClient.call': { state: 'open', probeDue: true } } },
        },
      });
    }
  });

  it('are where path says', async () => {
    const { get } = await world({ path: 'internal/status' });

    expect((await get('/internal/status/ready')).json).toEqual({ status: 'ok' });
    expect((await get('/health')).status).toBe(404);
  });

  it('are nowhere with health: false, given directly or by a factory', async () => {
    for (const bulwark of [
      ResilienceModule.forRoot({ health: false }),
      ResilienceModule.forRootAsync({ useFactory: () => ({}), health: false }),
      ResilienceModule.forRootAsync({ useFactory: () => ({ health: false }) }),
    ]) {
      const { get } = await serve(adapter, { bulwark });

      for (const path of PATHS) expect((await get(path)).status).toBe(404);
    }
  });

  it('take path and decorators from forRootAsync and the rest from the factory', async () => {
    const { get } = await serve(adapter, {
      bulwark: ResilienceModule.forRootAsync({
        health: { path: 'status' },
        useFactory: async () => ({ health: { details: 'always' } }),
      }),
    });

    expect((await get('/status')).json).toMatchObject({ status: 'ok', details: {} });
    expect((await get('/health')).status).toBe(404);
  });

  it('follow the global prefix, and need no version', async () => {
    const { get } = await world(
      {},
      {
        prepare: (app) => {
          app.setGlobalPrefix('api');
          app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
        },
      },
    );

    expect((await get('/api/health/live')).status).toBe(200);
    expect((await get('/health/live')).status).toBe(404);
    expect((await get('/api/v1/health/live')).status).toBe(404);
  });

  it('carry the decorators given, such as the @Public of a guard that denies by default', async () => {
    @Injectable()
    class DenyAll implements CanActivate {
      constructor(private readonly reflector: Reflector) {}

      canActivate(context: ExecutionContext): boolean {
        return (
          this.reflector.getAllAndOverride<boolean>('public', [
            context.getHandler(),
            context.getClass(),
          ]) === true
        );
      }
    }
    const providers = [{ provide: APP_GUARD, useClass: DenyAll }];

    const closed = await world({}, { providers });
    expect((await closed.get('/health')).status).toBe(403);

    const opened = await world({ decorators: [SetMetadata('public', true)] }, { providers });
    expect((await opened.get('/health')).status).toBe(200);
  });

  it('log each change of status once, with the reason for the operator', async () => {
    const served = await world();
    await served.app
      .get(SecretClient)
      .critical()
      .catch(() => {});
    await ask(served);
    await ask(served);

    const lines = served.log.ours.filter(({ message }) => message.startsWith('health:'));
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines[0]!.rest)).toContain('SecretClient.critical');
  });
});
