import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { CircuitBreaker, type HealthConfig, ResilienceHealthIndicator } from 'nestjs-bulwark';
import { ADAPTERS, bootError, closeAll, deferred, serve, type World } from '../support/app.js';

afterEach(closeAll);

const world = (indicators: HealthConfig['indicators'], more: HealthConfig = {}): Promise<World> =>
  serve(ADAPTERS[0][1], {
    bulwark: { health: { details: 'always', indicators: indicators ?? {}, ...more } },
  });

/** Time stands still; while something waits the clock is moved by the timeout, until there is an answer. */
async function answerOf(
  { get, clock }: World,
  path = '/health',
  by = 1_000,
): ReturnType<typeof get> {
  const state = { over: false };
  const answer = get(path).finally(() => (state.over = true));
  while (!state.over) {
    await new Promise((resolve) => setImmediate(resolve));
    if (clock.pending > 1) await clock.advance(by); // one is the sampler's
  }
  return answer;
}

describe('indicators of the application', () => {
  it('#179 that never answer are down after the timeout, and do not hide the others', async () => {
    let aborted = false;
    const served = await world({
      hung: (signal) => {
        signal.addEventListener('abort', () => (aborted = true));
        return new Promise(() => {});
      },
      fine: async () => ({ rows: 1 }),
    });
    const start = served.clock.now();

    const answer = await answerOf(served);

    expect(answer.status).toBe(503);
    expect(answer.json).toMatchObject({
      status: 'error',
      details: {
        hung: { status: 'down', message: 'timeout of 1000 ms' },
        fine: { status: 'up', rows: 1 },
      },
    });
    expect(served.clock.now() - start).toBeLessThanOrEqual(1_500);
    expect(aborted).toBe(true);
  });

  it('#179 have the timeout that is given', async () => {
    const served = await world({ hung: () => new Promise(() => {}) }, { timeout: 50 });

    expect((await answerOf(served, '/health', 50)).json).toMatchObject({
      details: { hung: { message: 'timeout of 50 ms' } },
    });
  });

  it('#179 that answer after all, late and badly, harm nobody', async () => {
    const late = deferred();
    const served = await world({ late: () => late.promise });
    await answerOf(served);

    late.reject(new Error('too late'));

    expect((await answerOf(served)).status).toBe(503);
  });

  it.each([
    [
      'throws a plain Error',
      () => {
        throw new Error('plain');
      },
    ],
    ['rejects', () => Promise.reject(new Error('plain'))],
    [
      'throws a string',
      () => {
        throw 'text';
      },
    ], // oxlint-disable-line no-throw-literal
    ['rejects with undefined', () => Promise.reject()], // oxlint-disable-line prefer-promise-reject-errors
    [
      'throws an error whose message throws',
      () => {
        throw Object.defineProperty(new Error('x'), 'message', {
          get() {
            throw new Error('y');
          },
        });
      },
    ],
  ])('#180 one that %s is down, not a 500', async (_, check) => {
    const { get } = await world({ db: check });

    const answer = await get('/health');

    expect(answer.status).toBe(503);
    expect(answer.json).toMatchObject({ status: 'error', details: { db: { status: 'down' } } });
    expect((await get('/health/live')).status).toBe(200);
  });

  it('#160 that fail with a secret in their message do not tell it', async () => {
    const { get } = await world({
      cache: () => Promise.reject(new Error('connect redis://app:hunter2@10.0.0.7:6379 failed')),
    });

    const { text } = await get('/health');

    expect(text).toContain('10.0.0.7');
    expect(text).not.toContain('hunter2');
  });

  it.each([
    ['nothing', undefined, {}],
    ['an object', { lag: 3 }, { lag: 3 }],
    ['a string', 'fine', {}],
    ['a list', [1, 2], {}],
  ])('that resolve to %s are up', async (_, answer, facts) => {
    const { get } = await world({ db: async () => answer });

    expect((await get('/health')).json).toMatchObject({
      status: 'ok',
      details: { db: { status: 'up', ...facts } },
    });
  });

  it.each([
    ['down', 503, { status: 'error', details: { db: { status: 'down', db: { lag: 9 } } } }],
    ['degraded', 200, { status: 'degraded', details: { db: { status: 'up', db: { lag: 9 } } } }],
    ['up', 200, { status: 'ok', details: { db: { status: 'up', db: { lag: 9 } } } }],
  ])('that are those of Terminus are %s when they say so', async (status, code, expected) => {
    const { get } = await world({ db: async () => ({ db: { status, lag: 9 } }) });

    const answer = await get('/health');

    expect(answer.status).toBe(code);
    expect(answer.json).toMatchObject(expected);
  });

  it('that tell of several things say nothing of themselves by the status of one of them', async () => {
    const { get } = await world({ db: () => ({ lag: 3, replica: { status: 'down' } }) });

    expect((await get('/health')).json).toMatchObject({ details: { db: { status: 'up' } } });
  });

  it('whose answer cannot be written as JSON are up all the same', async () => {
    const circular: Record<string, unknown> = { big: 5n };
    circular['self'] = circular;
    const { get } = await world({ db: () => circular });

    expect((await get('/health')).status).toBe(200);
  });

  it.each([
    ['circuitBreakers', { circuitBreakers: () => 1 }],
    ['bulkheads', { bulkheads: () => 1 }],
    ['__proto__', JSON.parse('{"__proto__": 1}') as object],
    ['an empty name', { '': () => 1 }],
  ])('may not be called %s: it would hide another entry, or itself', async (name, given) => {
    const indicators = Object.create(null) as Record<string, () => unknown>;
    for (const key of Object.keys(given)) {
      Object.defineProperty(indicators, key, { value: () => 1, enumerable: true });
    }

    const { message } = await bootError({ bulwark: { health: { indicators } } });

    expect(message).toContain('ResilienceModule health indicators');
    if (name !== 'an empty name') expect(message).toContain(JSON.stringify(name));
  });

  it.each(['constructor', 'toString', 'hasOwnProperty', 'status', '__defineGetter__'])(
    'may be called %s, and are down when they are down',
    async (name) => {
      const { get } = await world({ [name]: () => Promise.reject(new Error('down')) });

      const answer = await get('/health');

      expect(answer.status).toBe(503);
      expect(answer.json).toMatchObject({ details: { [name]: { status: 'down' } } });
    },
  );
});

describe('our indicators in the health controller of the application', () => {
  @Injectable()
  class Client {
    @CircuitBreaker({ failureThreshold: 1 })
    async call(): Promise<void> {
      throw new Error('down');
    }
  }

  @Controller('health')
  class MyHealth {
    constructor(
      private readonly health: HealthCheckService,
      private readonly bulwark: ResilienceHealthIndicator,
    ) {}

    @Get()
    @HealthCheck()
    check(): unknown {
      return this.health.check([
        () => this.bulwark.breakers(),
        () => this.bulwark.bulkheads(),
        () => this.bulwark.breakers('mine'),
      ]);
    }
  }

  @Module({ imports: [TerminusModule], controllers: [MyHealth], providers: [Client] })
  class HostModule {}

  it.each(ADAPTERS)('work each alone on %s, under names of its choice', async (_, adapter) => {
    const { app, get } = await serve(adapter, { bulwark: {}, imports: [HostModule] });
    expect((await get('/health')).json).toMatchObject({ status: 'ok' });

    await app
      .get(Client)
      .call()
      .catch(() => {});

    expect((await get('/health')).json).toMatchObject({
      status: 'degraded',
      details: {
        circuitBreakers: { status: 'degraded' },
        bulkheads: { status: 'up' },
        mine: { status: 'degraded', breakers: { 'Client.call': { state: 'open' } } },
      },
    });
  });
});
