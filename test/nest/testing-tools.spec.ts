import { Controller, Get, Injectable, UseInterceptors } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  ApplicationRuntime,
  CircuitBreaker,
  CLOCK,
  Fallback,
  ResilienceModule,
  Retry,
  RetryInterceptor,
} from 'nestjs-bulwark';
import { FakeClock } from 'nestjs-bulwark/testing';
import { boot, closeAll } from './support/app.js';

afterEach(closeAll);

@Injectable()
class Upstream {
  async ask(): Promise<string> {
    throw new Error('the real upstream was asked');
  }
}

@Injectable()
class Client {
  constructor(private readonly upstream: Upstream) {}

  @Fallback({ value: 'protected' })
  @Retry({ maxAttempts: 2, delay: 500, jitter: 'none' })
  @CircuitBreaker()
  async call(): Promise<string> {
    return this.upstream.ask();
  }
}

/** What automatic mocks look like: truthy, with every property one asks for. */
const mock = (target: object = () => {}): object =>
  new Proxy(target, {
    get: (_, key) => (key === 'then' ? undefined : mock()),
    set: () => true,
    apply: () => mock(),
  });

describe('a decorated class in the tests of its users', () => {
  it('made by `new` just runs', async () => {
    await expect(new Client({ ask: async () => 'plain' }).call()).resolves.toBe('plain');
  });

  it('in a testing module without ours just runs', async () => {
    const module = await Test.createTestingModule({ providers: [Client, Upstream] }).compile();

    await expect(module.get(Client).call()).rejects.toThrow('the real upstream was asked');
  });

  it.each([
    ['functions', () => {}],
    ['objects', {}],
  ])('with useMocker, which mocks our runtime too by %s, just runs', async (_, target) => {
    const module = await Test.createTestingModule({ providers: [Client] })
      .useMocker((token) => (token === Upstream ? { ask: async () => 'mocked' } : mock(target)))
      .compile();

    await expect(module.get(Client).call()).resolves.toBe('mocked');
  });

  it('with useMocker beside our module is protected', async () => {
    const module = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ health: false })],
      providers: [Client],
    })
      .overrideProvider(CLOCK)
      .useValue(new FakeClock())
      .useMocker(() => ({ ask: () => Promise.reject(new TypeError('a mistake')) }))
      .compile();

    await expect(module.get(Client).call()).rejects.toThrow('a mistake');
  });

  it.each([
    ['useValue', { useValue: new Client({ ask: async () => 'overridden' }) }],
    ['useFactory', { useFactory: () => new Client({ ask: async () => 'overridden' }) }],
    ['useClass', { useClass: class Other extends Client {} }],
  ])('overridden with %s of the same kind is protected', async (_, how) => {
    const { app, clock } = await boot({
      providers: [Client, { provide: Upstream, useValue: { ask: async () => 'overridden' } }],
      build: (builder) => {
        const override = builder.overrideProvider(Client);
        if ('useValue' in how) return override.useValue(how.useValue);
        return 'useFactory' in how
          ? override.useFactory({ factory: how.useFactory })
          : override.useClass(how.useClass);
      },
    });
    const client = app.get(Client);
    Object.assign(client, { upstream: { ask: () => Promise.reject(new Error('down')) } });

    const answer = client.call();
    await clock.advance(500);

    await expect(answer).resolves.toBe('protected');
  });

  it('overridden by a plain object is left alone', async () => {
    const { app } = await boot({
      providers: [Client, Upstream],
      build: (b) => b.overrideProvider(Client).useValue({ call: async () => 'a stub' }),
    });

    await expect(app.get(Client).call()).resolves.toBe('a stub');
  });

  it('with the fake clock needs no real waiting', async () => {
    const { app, clock } = await boot({ providers: [Client, Upstream] });
    let answer: string | undefined;
    void app
      .get(Client)
      .call()
      .then((value) => (answer = value));

    await clock.advance(499);
    expect(answer).toBeUndefined();
    await clock.advance(1);
    expect(answer).toBe('protected');
  });

  it('whose controller has our interceptor can be made with a runtime of the test', async () => {
    @Controller()
    class Page {
      @Get()
      @UseInterceptors(RetryInterceptor)
      read(): string {
        return 'read';
      }
    }
    const { app } = await boot({ controllers: [Page] });

    expect(() => new RetryInterceptor({}, app.get(ApplicationRuntime))).not.toThrow();
    expect(() => new RetryInterceptor({ maxAttempts: 0 }, app.get(ApplicationRuntime))).toThrow(
      'RetryInterceptor @Retry maxAttempts',
    );
  });
});
