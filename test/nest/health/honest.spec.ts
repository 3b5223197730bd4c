import { APP_INTERCEPTOR } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { FallbackInterceptor, type HealthConfig, ResilienceModule } from 'nestjs-bulwark';

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
] as const)('health on %s', (_name, adapter) => {
  async function ready(
    health: HealthConfig,
    providers: object[] = [],
  ): Promise<{ status: number; body: unknown }> {
    const module = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ health })],
      providers: providers as never,
    }).compile();
    const app = module.createNestApplication(adapter());
    app.useLogger(false);
    await app.listen(0, '127.0.0.1');
    const response = await fetch(`${await app.getUrl()}/health/ready`);
    const body: unknown = await response.json();
    await app.close();
    return { status: response.status, body };
  }

  it('is not answered by a fallback in global position', async () => {
    const indicators = { db: () => Promise.reject(new Error('away')) };
    const fallback = FallbackInterceptor.with({ value: { status: 'ok' } });

    expect(await ready({ indicators }, [{ provide: APP_INTERCEPTOR, useClass: fallback }])).toEqual(
      {
        status: 503,
        body: { status: 'error' },
      },
    );
  });

  it.each([[{ status: 'down' }], [{ status: 'error' }], [false]])(
    'believes an indicator that answers %j',
    async (answer) => {
      expect((await ready({ indicators: { db: () => answer } })).status).toBe(503);
    },
  );
});
