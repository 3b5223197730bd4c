import { Inject, Injectable, Module, type Type } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  CircuitBreaker,
  Fallback,
  type ResilienceConfig,
  ResilienceConfigError,
  type ResilienceConfigFactory,
  ResilienceModule,
  ResilienceRegistry,
  Retry,
} from 'nestjs-bulwark';
import { NoOpResilienceModule } from 'nestjs-bulwark/testing';
import { ADAPTERS, boot, bootError, closeAll, serve } from './support/app.js';

afterEach(closeAll);

@Injectable()
class Client {
  runs = 0;

  @Fallback({ value: 'instead' })
  @Retry({ maxAttempts: 3, delay: 0, retryOn: () => true })
  @CircuitBreaker({ failureThreshold: 1 })
  async call(): Promise<string> {
    this.runs += 1;
    throw new Error('down');
  }
}

describe('forRoot', () => {
  it('needs no configuration', async () => {
    const { app } = await boot({ bulwark: ResilienceModule.forRoot(), providers: [Client] });

    expect(app.get(ResilienceRegistry).breakers.reader('Client.call')).toBeDefined();
  });

  it('is global: a module deep down needs no import', async () => {
    @Module({ providers: [Client], exports: [Client] })
    class Deep {}
    @Module({ imports: [Deep] })
    class Middle {}
    const { app, clock } = await boot({ imports: [Middle] });

    const answer = app.get(Client).call();
    await clock.advance(30_000); // an open breaker says when to come back, and the retry does then

    await expect(answer).resolves.toBe('instead');
  });

  it('may be imported by several modules as one object', async () => {
    const ours = ResilienceModule.forRoot({ health: false });
    @Module({ imports: [ours] })
    class A {}
    @Module({ imports: [ours] })
    class B {}

    await expect(boot({ bulwark: 'none', imports: [A, B] })).resolves.toBeDefined();
  });

  it('is missing where the bare module is imported: a boot error that says so', async () => {
    const error = await bootError({ bulwark: 'none', imports: [ResilienceModule] });

    expect(error).toBeInstanceOf(ResilienceConfigError);
    expect(error.message).toContain(
      'ResilienceModule: imported without its policies; expected ResilienceModule.forRoot()',
    );
  });

  it('makes a bare import somewhere else idle, for it is global', async () => {
    @Module({ imports: [ResilienceModule], providers: [Client], exports: [Client] })
    class Deep {}
    const { app, clock, get } = await serve(ADAPTERS[0][1], { bulwark: {}, imports: [Deep] });

    const answer = app.get(Client).call();
    await clock.advance(30_000); // an open breaker says when to come back, and the retry does then

    await expect(answer).resolves.toBe('instead');
    expect(app.get(ResilienceRegistry).breakers.list()).toHaveLength(1);
    expect((await get('/health')).json).toEqual({ status: 'degraded' });
  });

  it.each(ADAPTERS)('twice is a boot error on %s that says so', async (_, adapter) => {
    const twice = serve(adapter, {
      bulwark: ResilienceModule.forRoot(),
      imports: [ResilienceModule.forRoot()],
    });

    await expect(twice).rejects.toThrow(
      'ResilienceModule: imported 2 times with forRoot or forRootAsync; expected once',
    );
  });

  it('twice by a lazy module is refused there, and other lazy modules are not', async () => {
    @Module({ imports: [ResilienceModule.forRoot({ health: false })] })
    class Second {}
    @Module({})
    class Harmless {}
    const { app } = await boot({});
    const loader = app.get(LazyModuleLoader);

    await expect(loader.load(() => Second)).rejects.toThrow(
      'ResilienceModule: imported 2 times with forRoot or forRootAsync; expected once',
    );
    await expect(loader.load(() => Harmless)).resolves.toBeDefined();
  });

  it('with enabled: false keeps only the fallback', async () => {
    const { app } = await boot({ bulwark: { enabled: false, health: false }, providers: [Client] });
    const client = app.get(Client);

    expect([await client.call(), await client.call()]).toEqual(['instead', 'instead']);
    expect(client.runs).toBe(2);
    expect(app.get(ResilienceRegistry).breakers.reader('Client.call')!.snapshot()).toMatchObject({
      state: 'closed',
      counters: { failure: 0 },
    });
  });

  it('with enabled: false still refuses bad options', async () => {
    @Injectable()
    class Bad {
      @Retry({ maxAttempts: 0 })
      async call(): Promise<void> {}
    }

    expect(
      (await bootError({ bulwark: { enabled: false, health: false }, providers: [Bad] })).message,
    ).toContain('Bad.call @Retry maxAttempts');
  });

  it('with enabled: false still refuses a name that is shared with other options', async () => {
    @Injectable()
    class Sharing {
      @CircuitBreaker({ name: 'upstream', failureThreshold: 1 })
      async a(): Promise<void> {}

      @CircuitBreaker({ name: 'upstream', failureThreshold: 2 })
      async b(): Promise<void> {}
    }

    expect(
      (await bootError({ bulwark: { enabled: false, health: false }, providers: [Sharing] }))
        .message,
    ).toContain('circuit breaker "upstream": shared with other options');
  });

  it('of the no-op module does the same, and mounts nothing', async () => {
    const module = await Test.createTestingModule({
      imports: [NoOpResilienceModule.forRoot()],
      providers: [Client],
    }).compile();
    const app = module.createNestApplication(new FastifyAdapter());
    await app.init();

    await expect(app.get(Client).call()).resolves.toBe('instead');
    expect(app.get(Client).runs).toBe(1);
    await app.close();
  });

  it('is missing where the bare no-op module is imported, too', async () => {
    expect(
      (await bootError({ bulwark: 'none', imports: [NoOpResilienceModule] })).message,
    ).toContain('expected NoOpResilienceModule.forRoot()');
  });

  it('lays the defaults under the options of each method', async () => {
    @Injectable()
    class Failing {
      @CircuitBreaker({ failureThreshold: 1 })
      async call(): Promise<void> {
        throw new Error('down');
      }
    }
    const { app } = await boot({
      bulwark: { health: false, defaults: { circuitBreaker: { openFor: 42_000, openJitter: 0 } } },
      providers: [Failing],
    });
    await app
      .get(Failing)
      .call()
      .catch(() => {});

    expect(app.get(ResilienceRegistry).breakers.reader('Failing.call')!.snapshot()).toMatchObject({
      state: 'open',
      retryAfter: 42_000,
    });
  });
});

describe('forRootAsync', () => {
  const SETTINGS = 'settings';
  @Module({ providers: [{ provide: SETTINGS, useValue: { enabled: false } }], exports: [SETTINGS] })
  class SettingsModule {}

  @Injectable()
  class Settings implements ResilienceConfigFactory {
    constructor(@Inject(SETTINGS) private readonly given: ResilienceConfig) {}

    async createResilienceConfig(): Promise<ResilienceConfig> {
      return this.given;
    }
  }
  @Module({ imports: [SettingsModule], providers: [Settings], exports: [Settings] })
  class FactoryModule {}

  @Injectable()
  class Wrong {}
  @Module({ providers: [Wrong], exports: [Wrong] })
  class WrongModule {}

  it.each([
    [
      'useFactory with inject',
      ResilienceModule.forRootAsync({
        imports: [SettingsModule],
        inject: [SETTINGS],
        useFactory: (settings: ResilienceConfig) => settings,
      }),
    ],
    [
      'an asynchronous useFactory',
      ResilienceModule.forRootAsync({ useFactory: async () => ({ enabled: false }) }),
    ],
    ['useClass', ResilienceModule.forRootAsync({ imports: [SettingsModule], useClass: Settings })],
    [
      'useExisting',
      ResilienceModule.forRootAsync({ imports: [FactoryModule], useExisting: Settings }),
    ],
  ])('takes %s', async (_, bulwark) => {
    const { app } = await boot({ bulwark, providers: [Client] });

    await expect(app.get(Client).call()).resolves.toBe('instead');
    expect(app.get(ResilienceRegistry).breakers.reader('Client.call')!.snapshot()).toMatchObject({
      state: 'closed',
      counters: { failure: 0 },
    });
  });

  const useFactory = (): ResilienceConfig => ({});
  it.each<[string, unknown, string]>([
    ['none of them', {}, ': got 0 of useFactory, useClass, useExisting, expected exactly one'],
    ['two of them', { useFactory, useClass: Settings }, ': got 2 of useFactory'],
    ['nothing', undefined, ': got undefined, expected an options object'],
    ['null', null, ': got null'],
    ['a factory alone', useFactory, ': got function useFactory, expected an options object'],
    ['a promise', Promise.resolve({ useFactory }), ': got a Promise'],
    ['an object as a factory', { useFactory: {} }, ' useFactory: got an object'],
    ['an instance as a class', { useClass: {} }, ' useClass: got an object, expected a class'],
    ['null as a provider', { useExisting: null }, ' useExisting: got null'],
    ['imports that are no list', { useFactory, imports: SettingsModule }, ' imports: got'],
    ['inject that is no list', { useFactory, inject: SETTINGS }, ' inject: got "settings"'],
    ['what the factory is to make', { useFactory, enabled: false }, ' enabled: unknown option'],
    ['a bad path', { useFactory, health: { path: 5 } }, ' health path: got 5'],
    ['health as a word', { useFactory, health: 'off' }, ' health: got "off"'],
    ['health: true', { useFactory, health: true }, ' health: got true'],
    [
      'decorators that are none',
      { useFactory, health: { decorators: ['Public'] } },
      ' health decorators: got an array of 1',
    ],
    [
      'details, which are not static',
      { useFactory, health: { details: 'always' } },
      ' health details: unknown option; known are path, decorators',
    ],
  ])('refuses %s at once, and names it', (_, options, problem) => {
    const make = (): unknown => ResilienceModule.forRootAsync(options as never);

    expect(make).toThrow(ResilienceConfigError);
    expect(make).toThrow(`ResilienceModule.forRootAsync${problem}`);
  });

  it.each([
    ['useClass', (type: Type) => ({ useClass: type })],
    ['useExisting', (type: Type) => ({ useExisting: type, imports: [WrongModule] })],
  ])('says that the class of %s makes no configuration', async (way, options) => {
    const bulwark = ResilienceModule.forRootAsync(options(Wrong) as never);

    const error = await bootError({ bulwark });

    expect(error).toBeInstanceOf(ResilienceConfigError);
    expect(error.message).toContain(
      `ResilienceModule.forRootAsync ${way}: got an object, expected something with a method createResilienceConfig`,
    );
  });

  it('fails the boot with the error of the factory', async () => {
    const bulwark = ResilienceModule.forRootAsync({
      useFactory: async () => Promise.reject(new Error('no settings')),
    });

    expect((await bootError({ bulwark })).message).toBe('no settings');
  });

  it('says where a path belongs that the factory gives too late', async () => {
    const bulwark = ResilienceModule.forRootAsync({
      useFactory: () => ({ health: { path: 'status', decorators: [() => {}] } }),
    });

    const { message } = await bootError({ bulwark });

    expect(message).toContain(
      'ResilienceModule health path: comes too late from a factory; give it to forRootAsync itself',
    );
    expect(message).toContain('ResilienceModule health decorators: comes too late from a factory');
  });
});
