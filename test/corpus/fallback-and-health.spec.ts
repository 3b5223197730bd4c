// Bugs of peers: a fallback hides no retry and leaks nothing; health does not take the process down.
import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  Retry,
  structuralKey,
  TimeLimit,
} from 'nestjs-bulwark';
import { ADAPTERS, boot, bootError, closeAll, serve, type World } from '../nest/support/app.js';
import { briefConnections } from './support.js';

afterEach(closeAll);

let attempts = 0;
let answers = 0;

@Injectable()
class Weather {
  // the order in which its users wrote them: fallback and breaker above, retry below, and the reverse
  @Fallback({ method: 'cached' })
  @CircuitBreaker({ failureThreshold: 10 })
  @Retry({ maxAttempts: 3, delay: 1 })
  async above(): Promise<string> {
    attempts += 1;
    throw new Error('down');
  }

  @Retry({ maxAttempts: 3, delay: 1 })
  @CircuitBreaker({ failureThreshold: 10 })
  @Bulkhead()
  @TimeLimit(1_000)
  @Fallback({ method: 'cached' })
  async below(): Promise<string> {
    attempts += 1;
    if (answers > 0 && attempts >= answers) return 'fresh';
    throw new Error('down');
  }

  cached(): string {
    return 'cached';
  }
}

describe('fallback', () => {
  beforeEach(() => {
    attempts = 0;
    answers = 0;
  });

  async function outcome(method: 'above' | 'below'): Promise<string> {
    const { app, clock } = await boot({ providers: [Weather] });
    const call = app.get(Weather)[method]();
    await clock.advance(1_000);
    return await call;
  }

  // https://github.com/resilience4j/resilience4j/issues/558
  it('resilience4j #558: a fallback beside a breaker is asked after the retries, not instead of them', async () => {
    expect(await outcome('above')).toBe('cached');
    expect(attempts).toBe(3);
  });

  // https://github.com/resilience4j/resilience4j/issues/614
  it('resilience4j #614: nor if its annotation is the innermost, where it would turn each error into a value', async () => {
    expect(await outcome('below')).toBe('cached');
    expect(attempts).toBe(3);
  });

  // https://github.com/resilience4j/resilience4j/issues/593
  it('resilience4j #593: a retry that succeeds gives the real answer, though there is a fallback', async () => {
    answers = 2;

    expect(await outcome('below')).toBe('fresh');
    expect(attempts).toBe(2);
  });

  class Profiles {
    @Fallback({ cache: { ttl: 60_000, key: (user: string) => user } })
    async of(user: string, fail = false): Promise<string> {
      if (fail) throw new Error('down');
      return `the secrets of ${user}`;
    }
  }

  // https://github.com/koala73/worldmonitor/issues/8354 (not read)
  it('worldmonitor #8354: the last good answer to one user is not given to another', async () => {
    const { app } = await boot({ providers: [Profiles] });
    const profiles = app.get(Profiles);
    await profiles.of('alice');

    await expect(profiles.of('bob', true)).rejects.toThrow('down');
    expect(await profiles.of('alice', true)).toBe('the secrets of alice');
  });

  // https://github.com/koala73/worldmonitor/pull/877
  it('worldmonitor #877: an empty or other answer to one question is not given for another', async () => {
    class Indicators {
      @Fallback({ cache: { ttl: 60_000, key: (...args: unknown[]) => structuralKey(args) } })
      async of(indicator: string, _years: object, fail = false): Promise<string[]> {
        if (fail) throw new Error('down');
        return indicator === 'IT.NET' ? [] : [indicator];
      }
    }
    const { app } = await boot({ providers: [Indicators] });
    const indicators = app.get(Indicators);
    const years = { from: 2020, to: 2025 };
    await indicators.of('IT.CEL', years);
    await indicators.of('IT.NET', years);

    await expect(indicators.of('GB.XPD', years, true)).rejects.toThrow('down');
    await expect(indicators.of('IT.CEL', { from: 1999, to: 2000 }, true)).rejects.toThrow('down');
  });

  // https://github.com/nensii21/devlink/issues/1170 (not read)
  it('devlink #1170: to keep answers without saying whose they are is refused at boot', async () => {
    class Careless {
      @Fallback({ cache: { ttl: 60_000 } as never })
      async mine(): Promise<string> {
        return 'mine';
      }
    }

    const error = await bootError({ providers: [Careless] });

    expect(error.message).toContain('Careless.mine');
    expect(error.message).toContain('key');
  });
});

@Injectable()
class Clients {
  @CircuitBreaker({ failureThreshold: 1 })
  async telemetry(): Promise<void> {
    throw new Error('down');
  }

  @CircuitBreaker({ failureThreshold: 1, critical: true })
  async bank(fail = true): Promise<void> {
    if (fail) throw new Error('down');
  }
}

describe.each(ADAPTERS)('health on %s', (_, adapter) => {
  const world = (): Promise<World> =>
    serve(adapter, { bulwark: { health: {} }, providers: [Clients], prepare: briefConnections });
  const statuses = async ({ get }: World): Promise<number[]> => {
    const answers = await Promise.all(['/health', '/health/ready', '/health/live'].map(get));
    return answers.map(({ status }) => status);
  };

  // https://github.com/resilience4j/resilience4j/issues/607
  it('resilience4j #607: an open breaker does not take every instance out of the load balancer', async () => {
    const served = await world();
    await served.app
      .get(Clients)
      .telemetry()
      .catch(() => {});

    expect(await statuses(served)).toEqual([200, 200, 200]);
    expect((await served.get('/health')).json).toEqual({ status: 'degraded' });
  });

  // https://github.com/spinnaker/echo/pull/706
  it('spinnaker/echo #706: a tripped telemetry breaker, as it should, has no say in whether traffic comes', async () => {
    const served = await world();
    const clients = served.app.get(Clients);
    await clients.bank(false);
    for (let i = 0; i < 10; i += 1) await clients.telemetry().catch(() => {});

    expect(await statuses(served)).toEqual([200, 200, 200]);
    expect((await served.get('/health/ready')).text).not.toContain('telemetry');
  });

  // https://github.com/smallrye/smallrye-fault-tolerance/issues/222
  it('SmallRye #222: a breaker that is declared critical takes the process out, and never kills it', async () => {
    const served = await world();
    await served.app
      .get(Clients)
      .bank()
      .catch(() => {});

    expect(await statuses(served)).toEqual([503, 503, 200]);
  });

  // https://github.com/resilience4j/resilience4j/issues/1642
  it('resilience4j #1642: details and the aggregate do not contradict each other', async () => {
    const served = await serve(adapter, {
      bulwark: { health: { details: 'always' } },
      providers: [Clients],
      prepare: briefConnections,
    });
    await served.app
      .get(Clients)
      .bank()
      .catch(() => {});

    const answer = await served.get('/health');

    expect(answer.status).toBe(503);
    expect(answer.json).toMatchObject({
      status: 'error',
      error: {
        circuitBreakers: { status: 'down', breakers: { 'Clients.bank': { state: 'open' } } },
      },
    });
  });
});
