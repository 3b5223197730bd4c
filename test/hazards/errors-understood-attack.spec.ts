import { Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  HealthMetric,
  HealthMonitor,
  ResilienceErrors,
  ResilienceService,
  Retry,
} from 'nestjs-bulwark';
import { EventRecorder, settle } from 'nestjs-bulwark/testing';
import { ADAPTERS, boot, closeAll, serve } from '../nest/support/app.js';

afterEach(closeAll);

const CANARY = 's3cret-canary';
const URL_WITH_IT = `connect redis://:${CANARY}@10.0.0.7\n{"level":"fatal"}`;
const fail = (): never => {
  throw new Error(URL_WITH_IT);
};

@Injectable()
class Sick {
  @HealthMetric('sick')
  read(): number {
    return fail();
  }
}

describe('health lets no secret out', () => {
  it.each(ADAPTERS)('#160 #180 on %s', async (_, adapter) => {
    const { app, log, get } = await serve(adapter, {
      providers: [Sick],
      bulwark: {
        health: {
          details: 'always',
          indicators: {
            db: fail,
            told: () => ({ status: 'down', password: CANARY, deep: { url: URL_WITH_IT } }),
          },
        },
      },
    });
    const { text } = await get('/health');
    const ready = await get('/health/ready');
    await app.get(HealthMonitor).status();
    const logged = JSON.stringify([...log.ours]);
    expect(text + ready.text + logged).not.toContain(CANARY);
    expect(log.ours.map(({ message }) => message).filter((m) => m.includes('\n'))).toEqual([]);
  });

  it('#171 a logger that throws changes no answer', async () => {
    const { app, log, get } = await serve(ADAPTERS[0][1], {
      providers: [Sick],
      bulwark: { health: { indicators: { db: fail } } },
    });
    for (const level of ['log', 'warn', 'error'] as const)
      log[level] = () => {
        throw new Error('full disk');
      };
    expect((await get('/health')).status).toBe(503);
    expect((await get('/health/ready')).status).toBe(503);
    expect(await app.get(HealthMonitor).status()).toMatchObject({
      metrics: { sick: { value: 'unknown' } },
      explanation: [],
    });
  });
});

@Injectable()
class Orders {
  error: unknown;
  @Retry({ messageId: (id: string) => id })
  @CircuitBreaker({ failureThreshold: 1_000 })
  async take(_id: string): Promise<void> {
    throw this.error;
  }
}

describe('a message is not to blame', () => {
  it.each([
    ['a certificate that ran out', 'CERT_HAS_EXPIRED', {}],
    ['credentials that are refused', '28P01', { severity: 'FATAL', routine: 'auth_failed' }],
    ['a deadlock', '40P01', { severity: 'ERROR', routine: 'x' }],
    ['a broken database', 'SQLITE_CORRUPT', {}],
    ['a locked database', 'SQLITE_BUSY', {}],
  ])('for %s', async (_, code, facts) => {
    const { app, clock } = await boot({ providers: [Orders] });
    const events = new EventRecorder(app.get(ResilienceService).events$);
    const orders = app.get(Orders);
    for (let i = 0; i < 4; i += 1) {
      orders.error = Object.assign(new Error('x'), { code, ...facts });
      const end = orders.take('m1').catch(() => {});
      await clock.advance(60_000);
      await end;
    }
    expect(events.of('poison-message')).toEqual([]);
  });
});

@Injectable()
class Handed {
  readonly own = new Error('own');
  @Retry({ maxAttempts: 1 })
  async take(..._args: unknown[]): Promise<void> {
    throw this.own;
  }
}

describe('arguments that look like requests', () => {
  const thrower = (): never => {
    throw new Error('trap');
  };
  const trap = new Proxy({}, { get: thrower, has: thrower, ownKeys: thrower });
  it.each([
    ['headers that throw', { httpVersion: '1.1', headers: trap }],
    [
      'a header that throws',
      {
        httpVersion: '1.1',
        headers: {
          get traceparent() {
            return thrower();
          },
        },
      },
    ],
    [
      'a header that is an object',
      { httpVersion: '1.1', headers: { 'x-correlation-id': trap, traceparent: trap } },
    ],
    ['a proxy', trap],
    ['a context', { getType: () => 'graphql', getArgByIndex: thrower }],
    ['an entity of the application', { getType: async () => thrower() }],
    ['rpc', { getType: () => 'rpc', getArgByIndex: thrower }],
  ])('%s', async (_, arg) => {
    const { app } = await boot({ providers: [Handed] });
    const handed = app.get(Handed);
    await expect(handed.take(arg)).rejects.toBe(handed.own);
    expect(app.get(ResilienceErrors).totals().recorded).toBe(1);
  });
});

describe('ids that were redacted', () => {
  it('relate nobody', async () => {
    let id = '';
    const { app } = await boot({
      bulwark: {
        health: false,
        errors: { correlation: () => id, log: { redact: (t) => t.replaceAll(/\d{6,}/g, '#') } },
      },
      providers: [],
    });
    const errors = app.get(ResilienceErrors);
    id = 'card-4111111111';
    const one = errors.record(new Error('a'), { component: 'A.a' });
    id = 'card-5222222222';
    errors.record(new TypeError('b'), { component: 'B.b' });
    expect(errors.related(one.id)).toEqual([]);
  });
});

describe('what patterns say of components', () => {
  it('#160 is without secrets, and bounded', async () => {
    const { app, clock } = await boot({ providers: [] });
    const events = new EventRecorder(app.get(ResilienceService).events$);
    const errors = app.get(ResilienceErrors);
    const component = `postgres://u:${CANARY}@h/${'x'.repeat(10_000)}`;
    const unknownHost = Object.assign(new Error('x'), { code: 'ENOTFOUND' });
    errors.record(unknownHost, { component, port: component });
    await clock.advance(2_000);
    expect(errors.patterns()).not.toEqual([]);
    await settle();
    expect(events.of('error-pattern')).not.toEqual([]);
    const said = JSON.stringify([errors.patterns(), events.of('error-pattern')]);
    expect(said).not.toContain(CANARY);
    expect(said.length).toBeLessThan(4_000);
  });
});

describe('a listener of events', () => {
  it('#160 #167 that throws the error it was told of brings no secret into the log', async () => {
    const { app, log, clock } = await boot({ providers: [Orders] });
    app.get(ResilienceService).events$.subscribe((event) => {
      if ('error' in event) throw event.error;
    });
    const orders = app.get(Orders);
    orders.error = new Error(URL_WITH_IT);
    const end = orders.take('m1').catch(() => {});
    await clock.advance(60_000);
    await end;
    const line = log.ours.find(({ message }) => message.startsWith('an event listener threw'));
    expect(line?.message).toContain('redis://[redacted]@10.0.0.7\\u000a');
    expect(JSON.stringify(log.ours)).not.toContain(CANARY);
  });
});

describe('a correlation function that answers a promise', () => {
  it('is reported, and its rejection does not end the process', async () => {
    const correlation = (async () => fail()) as unknown as () => string;
    const { app, log } = await boot({
      bulwark: { health: false, errors: { correlation } },
      providers: [],
    });
    app.get(ResilienceErrors).record(new Error('x'), { component: 'A.a' });
    await new Promise((resolve) => setImmediate(resolve)); // or jest ends with an unhandled rejection
    expect(log.ours.map(({ message }) => message)).toEqual([
      'ResilienceModule: the function given as errors.correlation threw TypeError: got a Promise, expected an id, or ids, at once',
    ]);
  });
});

describe('an error whose methods are async', () => {
  it.each([
    ['getStatus', { getStatus: async () => fail() }],
    ['get of its headers', { status: 503, headers: { get: async () => fail() } }],
  ])('ends no process by the rejection of %s', async (_, facts) => {
    const { app, clock } = await boot({ providers: [Orders] });
    const orders = app.get(Orders);
    const error = Object.assign(new Error('x'), facts);
    orders.error = error;
    const end = orders.take('m1').catch((thrown: unknown) => thrown);
    await clock.advance(60_000); // a rejection that nobody hears ends jest
    expect(await end).toBe(error);
  });
});
