import { Injectable, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  Bulkhead,
  CircuitBreaker,
  type CircuitState,
  Fallback,
  RateLimit,
  ResilienceModule,
  ResilienceRegistry,
  ResilienceService,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import {
  EventRecorder,
  FakeClock,
  forceState,
  resetAll,
  settle,
  withFakes,
} from 'nestjs-bulwark/testing';
import { LogBook } from './support/log-book.js';

const down = async (): Promise<never> => {
  throw new Error('down');
};

@Injectable()
class Client {
  runs = 0;

  @Retry({ maxAttempts: 3, delay: 1_000 })
  async retried(): Promise<void> {
    this.runs += 1;
    return down();
  }

  @CircuitBreaker({ failureThreshold: 1, gradualClose: true, successThreshold: 4 })
  async gradual(): Promise<string> {
    return 'fine';
  }

  @CircuitBreaker({ failureThreshold: 2 })
  async plain(fail = false): Promise<string> {
    return fail ? down() : 'fine';
  }

  @CircuitBreaker({ failureThreshold: 1, key: (id: string) => id })
  @RateLimit({ limit: 2, per: 60_000, key: (id: string) => id })
  async keyed(id: string): Promise<string> {
    return id;
  }

  @RateLimit({ limit: 1, per: 60_000 })
  async limited(): Promise<void> {}

  @Fallback({ cache: { ttl: 1_000, key: () => 'all' } })
  async cached(fail = false): Promise<string> {
    return fail ? down() : 'good';
  }

  @TimeLimit(100)
  @Bulkhead({ maxConcurrent: 1 })
  hang(): Promise<void> {
    return new Promise(() => {});
  }
}

@Module({
  imports: [ResilienceModule.forRoot({ health: false, lint: false })],
  providers: [Client],
})
class AppModule {}

let clock: FakeClock;
let module: TestingModule;
const testingModule = async (seed?: number): Promise<TestingModule> => {
  const builder = Test.createTestingModule({ imports: [AppModule] }).setLogger(new LogBook());
  const made = await withFakes(builder, { clock, ...(seed && { seed }) }).compile();
  return made.init();
};

beforeEach(async () => {
  clock = new FakeClock();
  module = await testingModule();
});
afterEach(() => module.close());

const stateOf = (name: string): CircuitState =>
  module.get(ResilienceRegistry).breakers.reader(name)!.state;

describe('withFakes', () => {
  it('moves every wait of the application by the clock of the test', async () => {
    const client = module.get(Client);
    const answers = Promise.allSettled([client.retried(), client.hang(), client.hang()]);

    await clock.advance(5_000);

    expect(await answers).toEqual([
      { status: 'rejected', reason: expect.objectContaining({ message: 'down' }) },
      ...[true, false].map((started) => ({
        status: 'rejected',
        reason: expect.objectContaining({ code: 'CALL_TIMEOUT', started }),
      })),
    ]);
    expect([client.runs, clock.pending]).toEqual([3, 0]);
  });

  it('makes chance the same for the same seed', async () => {
    const delaysOf = async (seed: number): Promise<number[]> => {
      const app = await testingModule(seed);
      const recorder = EventRecorder.on(app);
      const answer = app
        .get(Client)
        .retried()
        .catch(() => {});
      await clock.advance(5_000);
      await answer;
      await app.close();
      return recorder.of('retry-scheduled').map(({ delay }) => delay);
    };

    expect(await delaysOf(3)).toEqual(await delaysOf(3));
    expect(await delaysOf(3)).not.toEqual(await delaysOf(4));
  });
});

it('EventRecorder keeps what happens, until it is cleared or stopped', async () => {
  const recorder = EventRecorder.on(module);
  forceState(module, 'Client.plain', 'isolated');
  await settle();
  expect(recorder.of('circuit-state-changed')).toMatchObject([
    { target: 'Client.plain', from: 'closed', to: 'isolated', reason: 'forced by a test' },
  ]);

  recorder.clear();
  expect(recorder.events).toEqual([]);
  recorder.stop();
  forceState(module, 'Client.plain', 'closed');
  await settle();
  expect(recorder.events).toEqual([]);
});

describe('forceState', () => {
  const STATES: CircuitState[] = [
    'closed',
    'open',
    'half-open',
    'recovering',
    'isolated',
    'disabled',
  ];

  it('brings a breaker from any state into any', () => {
    for (const from of STATES) {
      for (const to of STATES) {
        forceState(module, 'Client.gradual', from);
        forceState(module, 'Client.gradual', to);
        expect([from, stateOf('Client.gradual')]).toEqual([from, to]);
      }
    }
  });

  it('is what calls meet', async () => {
    const client = module.get(Client);
    forceState(module, 'Client.plain', 'open', { forMs: 500 });
    await expect(client.plain()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', retryAfter: 500 });
    await clock.advance(500);
    await expect(client.plain()).resolves.toBe('fine');
    expect(stateOf('Client.plain')).toBe('half-open');

    forceState(module, 'Client.plain', 'half-open');
    await expect(client.plain(true)).rejects.toThrow('down');
    expect(stateOf('Client.plain')).toBe('half-open'); // two of three may yet succeed
    await client.plain();
    await client.plain();
    expect(stateOf('Client.plain')).toBe('closed');

    forceState(module, 'Client.plain', 'isolated');
    await expect(client.plain()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    forceState(module, 'Client.plain', 'disabled');
    for (let i = 0; i < 5; i += 1) await client.plain(true).catch(() => {});
    expect(stateOf('Client.plain')).toBe('disabled');
  });

  it('finds the breaker of a key', async () => {
    const client = module.get(Client);
    await client.keyed('a');
    await client.keyed('b');

    forceState(module, 'Client.keyed', 'open', { key: 'a' });

    await expect(client.keyed('a')).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    await expect(client.keyed('b')).resolves.toBe('b');
  });

  it('says what there is instead of what it did not find', async () => {
    await module.get(Client).keyed('a');
    const forced = (...given: [string, CircuitState?, { key: string }?]): (() => void) => {
      const [name, state = 'open', options] = given;
      return () => forceState(module, name, state, options);
    };

    expect(forced('Client.pain')).toThrow(
      'got "Client.pain", expected the name of a circuit breaker; known are "Client.gradual", "Client.plain", "Client.keyed"',
    );
    expect(forced('Client.keyed')).toThrow('has one for each key, expected a key; used were "a"');
    expect(forced('Client.keyed', 'open', { key: 'c' })).toThrow('instead of "c"; used were "a"');
    expect(forced('Client.plain', 'recovering')).toThrow('has no gradualClose');
    expect(forced('Client.plain', 'ajar' as never)).toThrow('got "ajar"');
  });
});

describe('resetAll', () => {
  it('closes breakers, whoever holds them, and forgets their windows', async () => {
    const client = module.get(Client);
    const control = module.get(ResilienceRegistry).breakers.control('Client.gradual')!;
    control.isolate();
    control.isolate();
    control.disable();
    await client.plain(true).catch(() => {});
    await client.keyed('a');
    forceState(module, 'Client.keyed', 'open', { key: 'a' });

    resetAll(module);

    expect(stateOf('Client.gradual')).toBe('closed');
    await client.plain(true).catch(() => {});
    expect(stateOf('Client.plain')).toBe('closed');
    await expect(client.keyed('a')).resolves.toBe('a');
  });

  it('gives rate limits their burst again, and fallbacks a clean page', async () => {
    const client = module.get(Client);
    await client.limited();
    await expect(client.limited()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    for (let i = 0; i < 2; i += 1) await client.keyed('a');
    await client.cached();
    await client.cached(true);

    resetAll(module);

    await expect(client.limited()).resolves.toBeUndefined();
    await expect(client.limited()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await expect(client.keyed('a')).resolves.toBe('a');
    expect(module.get(ResilienceService).fallbackUse('Client.cached')).toMatchObject({
      calls: 0,
      answered: 0,
      entries: 0,
    });
    await expect(client.cached(true)).rejects.toThrow('down');
  });

  it('turns the kill switch back, keeps policies as they are, and leaves calls on their way alone', async () => {
    const client = module.get(Client);
    const service = module.get(ResilienceService);
    service.enabled = false;
    service.reconfigure('Client.plain', { circuitBreaker: { failureThreshold: 1 } });
    const hanging = client.hang();
    service.enabled = true;
    const limited = client.hang();
    service.enabled = false;

    resetAll(module);

    expect(service.enabled).toBe(true);
    await client.plain(true).catch(() => {});
    expect(stateOf('Client.plain')).toBe('open');
    const refused = expect(limited).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
    await clock.advance(100);
    await refused;
    void hanging;
  });

  it('#94 touches no other application', async () => {
    const other = await testingModule();
    forceState(other, 'Client.plain', 'open');
    forceState(module, 'Client.plain', 'open');

    resetAll(module);

    expect(stateOf('Client.plain')).toBe('closed');
    expect(other.get(ResilienceRegistry).breakers.reader('Client.plain')!.state).toBe('open');
    await other.close();
  });
});
