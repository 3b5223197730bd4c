import { Injectable } from '@nestjs/common';
import {
  type PolicyOverrides,
  ResilienceModule,
  ResilienceRegistry,
  ResilienceService,
  Resilient,
  Retry,
} from 'nestjs-bulwark';
import { boot, closeAll } from '../support/app.js';
import { config, down, policiesOf, still } from './config.js';

afterEach(closeAll);

describe('default < preset < decorator < override', () => {
  @Injectable()
  class Client {
    runs = 0;

    @Resilient('rpc')
    @Retry({ delay: 3 })
    async call(): Promise<void> {
      this.runs += 1;
      return down();
    }

    @Resilient('rpc')
    async bare(): Promise<void> {}

    @Retry({ delay: 3 })
    async alone(): Promise<void> {}
  }
  const layers = {
    defaults: { retry: { maxAttempts: 1, delay: 1, multiplier: 1, maxDelay: 10_001 } },
    presets: {
      rpc: { retry: { maxAttempts: 2, delay: 2, multiplier: 2 }, circuitBreaker: { openFor: 2 } },
    },
  };

  it('is how the options of a decorated method are laid', async () => {
    const policies = { 'Client.call': { retry: { maxAttempts: 4 } } };
    const world = await boot({ providers: [Client], bulwark: config({ ...layers, policies }) });

    expect(policiesOf(world, 'Client.call')).toEqual({
      retry: { maxAttempts: 4, delay: 3, multiplier: 2, maxDelay: 10_001 },
      circuitBreaker: { openFor: 2 },
    });
    expect(policiesOf(world, 'Client.bare')).toEqual({
      retry: { maxAttempts: 2, delay: 2, multiplier: 2, maxDelay: 10_001 },
      circuitBreaker: { openFor: 2 },
    });
    expect(policiesOf(world, 'Client.alone')).toEqual({
      retry: { maxAttempts: 1, delay: 3, multiplier: 1, maxDelay: 10_001 },
    });
  });

  it('is what the calls meet', async () => {
    const policies = { 'Client.call': { retry: { maxAttempts: 4, ...still } } };
    const { app, clock } = await boot({
      providers: [Client],
      bulwark: config({ ...layers, policies }),
    });
    const answer = app.get(Client).call();
    const refused = expect(answer).rejects.toThrow('down');
    await clock.advance(10);
    await refused;

    expect(app.get(Client).runs).toBe(4);
  });

  it('and `false` of an override takes out a policy, wherever it came from', async () => {
    const off: PolicyOverrides = { retry: false, circuitBreaker: false, bulkhead: false };
    const world = await boot({
      providers: [Client],
      bulwark: config({ ...layers, policies: { 'Client.call': off, 'Client.bare': off } }),
    });

    expect(policiesOf(world, 'Client.call')).toEqual({});
    expect(policiesOf(world, 'Client.bare')).toEqual({});
    await expect(world.app.get(Client).call()).rejects.toThrow('down');
    expect(world.app.get(Client).runs).toBe(1);
    expect(world.app.get(ResilienceRegistry).breakers.list()).toEqual([]);
  });

  it('and an override adds a policy to a decorated method', async () => {
    const policies = {
      'Client.alone': { bulkhead: { maxConcurrent: 1 }, fallback: { value: 0 } },
    };
    const { presets } = layers;
    const world = await boot({ providers: [Client], bulwark: config({ presets, policies }) });

    expect(policiesOf(world, 'Client.alone')).toEqual({
      retry: { delay: 3 },
      ...policies['Client.alone'],
    });
    expect(world.app.get(ResilienceRegistry).bulkheads.reader('Client.alone')).toBeDefined();
  });

  it('and of several presets the upper one wins', async () => {
    @Injectable()
    class Two {
      @Resilient('upper')
      @Resilient({ retry: { delay: 2, maxAttempts: 2 }, timeLimit: 2 })
      @Resilient('lower')
      async call(): Promise<void> {}
    }
    const world = await boot({
      providers: [Two],
      bulwark: config({
        presets: {
          upper: { retry: { delay: 1 } },
          lower: {
            retry: { delay: 3, maxAttempts: 3, maxDelay: 3 },
            timeLimit: { ms: 3, idle: 3 },
          },
        },
      }),
    });

    expect(policiesOf(world, 'Two.call')).toEqual({
      retry: { delay: 1, maxAttempts: 2, maxDelay: 3 },
      timeLimit: { ms: 2, idle: 3 },
    });
  });

  it('holds for names of execute, and for wrapped objects', async () => {
    class Sdk {
      async pay(): Promise<void> {}
    }
    const policies = {
      rates: { retry: { maxAttempts: 9 } },
      'Sdk.pay': { retry: { maxAttempts: 8 }, timeLimit: 5 },
    };
    const world = await boot({ bulwark: config({ ...layers, policies }) });
    const service = world.app.get(ResilienceService);
    await service.execute('rates', async () => {}, 'rpc');
    await service.execute('other', async () => {}, { retry: { delay: 7 } });
    service.wrapObject(new Sdk(), { pay: 'rpc' });

    const rpc = { delay: 2, multiplier: 2, maxDelay: 10_001 };
    expect(policiesOf(world, 'rates').retry).toEqual({ ...rpc, maxAttempts: 9 });
    expect(policiesOf(world, 'other').retry).toEqual({
      delay: 7,
      maxAttempts: 1,
      multiplier: 1,
      maxDelay: 10_001,
    });
    expect(policiesOf(world, 'Sdk.pay')).toEqual({
      retry: { ...rpc, maxAttempts: 8 },
      circuitBreaker: { openFor: 2 },
      timeLimit: { ms: 5 },
    });
  });

  it('holds in a subclass, under its own name', async () => {
    @Injectable()
    class Child extends Client {
      @Resilient('rpc')
      override async bare(): Promise<void> {}
    }
    const policies = {
      'Client.call': { retry: { maxAttempts: 7 } },
      'Child.call': { retry: false, timeLimit: 5 },
    } as const;
    const world = await boot({
      providers: [Client, Child],
      bulwark: config({ ...layers, policies }),
    });

    expect(policiesOf(world, 'Client.call').retry).toMatchObject({ maxAttempts: 7, delay: 3 });
    expect(policiesOf(world, 'Child.call')).toEqual({
      circuitBreaker: { openFor: 2 },
      timeLimit: { ms: 5 },
    });
    expect(policiesOf(world, 'Child.bare').retry).toMatchObject({ maxAttempts: 2 });
  });

  it('holds with forRootAsync, where the configuration comes late', async () => {
    const policies = { 'Client.call': { retry: { maxAttempts: 4 } } };
    const world = await boot({
      providers: [Client],
      bulwark: ResilienceModule.forRootAsync({
        health: false,
        useFactory: async () => ({ ...layers, policies }),
      }),
    });

    expect(policiesOf(world, 'Client.call').retry).toMatchObject({ maxAttempts: 4, delay: 3 });
  });
});
