import { Controller, Get, Injectable, UseInterceptors } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitBreakerInterceptor,
  Fallback,
  RateLimit,
  type ResilienceConfig,
  Resilient,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { boot, closeAll } from '../support/app.js';
import { config, down, mistakesOf } from './config.js';

afterEach(closeAll);

describe('a boot with a mistake in', () => {
  it('the name of a preset lists those that there are', async () => {
    @Injectable()
    class Client {
      @Resilient('rcp')
      async call(): Promise<void> {}

      @Resilient('toString')
      async other(): Promise<void> {}
    }
    const one = config({ presets: { rpc: {}, db: {} } });

    expect(await mistakesOf({ providers: [Client], bulwark: one })).toEqual([
      'Client.call @Resilient: got "rcp", expected one of "rpc", "db"',
      'Client.other @Resilient: got "toString", expected one of "rpc", "db"',
    ]);
    expect(await mistakesOf({ providers: [Client] })).toContain(
      'Client.call @Resilient: got "rcp", expected the name of a preset; there are none',
    );
  });

  it('another option does not make the presets unknown', async () => {
    @Injectable()
    class Client {
      @Resilient('rpc')
      async call(): Promise<void> {}
    }

    expect(
      await mistakesOf({
        providers: [Client],
        bulwark: config({ presets: { rpc: {} }, stack: 'yes' as never }),
      }),
    ).toEqual(['ResilienceModule stack: got "yes", expected true or false']);
  });

  it('what is `false` where only an override may be says so, and does not run without', async () => {
    const off = false as never;
    @Injectable()
    class Client {
      @Retry(off)
      async retry(): Promise<void> {}

      @Resilient({ bulkhead: off })
      @Bulkhead({ maxConcurrent: 1 })
      async set(): Promise<void> {}

      @Resilient({ timeLimit: off })
      async limit(): Promise<void> {}

      @Resilient({ fallback: off })
      async fallback(): Promise<void> {}
    }
    @Controller()
    class Pages {
      @Get()
      @UseInterceptors(CircuitBreakerInterceptor.with(off))
      page(): void {}
    }

    const all = await mistakesOf({
      providers: [Client],
      controllers: [Pages],
      bulwark: config({ defaults: { retry: { delay: 5 } } }),
    });

    expect(all).toEqual([
      'Client.retry @Retry: got false, expected an options object',
      expect.stringMatching('Client.limit @TimeLimit ms: got false'),
      expect.stringMatching('Client.fallback @Fallback: got false'),
      'Pages.page CircuitBreakerInterceptor @CircuitBreaker: got false, expected an options object',
    ]);
  });

  it('the value of @Resilient itself says so', async () => {
    @Injectable()
    class Client {
      @Resilient(7 as never)
      async number(): Promise<void> {}

      @Resilient(undefined as never)
      async nothing(): Promise<void> {}

      @Resilient('')
      async empty(): Promise<void> {}

      @Resilient({ retires: {} } as never)
      async unknown(): Promise<void> {}
    }

    const expected = 'expected the name of a preset or a set of policies';
    expect(await mistakesOf({ providers: [Client] })).toEqual([
      `Client.number @Resilient: got 7, ${expected}`,
      `Client.nothing @Resilient: got undefined, ${expected}`,
      `Client.empty @Resilient: got "", ${expected}`,
      expect.stringMatching('Client.unknown retires: unknown policy; known are fallback'),
    ]);
  });

  it('options that only together are wrong is found where they meet', async () => {
    @Injectable()
    class Client {
      @Resilient('slow')
      @CircuitBreaker({ maxOpenFor: 5_000 })
      async call(): Promise<void> {}

      @RateLimit({ per: 5 } as never)
      async limited(): Promise<void> {}

      @Resilient('limited')
      @RateLimit({ per: 5 } as never)
      async complete(): Promise<void> {}
    }
    const presets = {
      slow: { circuitBreaker: { openFor: 9_000 } },
      limited: { rateLimit: { limit: 1 } },
    };

    expect(await mistakesOf({ providers: [Client], bulwark: config({ presets }) })).toEqual([
      'Client.call @CircuitBreaker maxOpenFor: got 5000, expected at least openFor, 9000',
      expect.stringMatching('Client.limited @RateLimit limit: got nothing'),
    ]);
  });

  it.each<[string, ResilienceConfig]>([
    ['a preset that is false', { presets: { rpc: { retry: false as never } } }],
    ['a preset with an unknown policy', { presets: { rpc: { retires: {} } as never } }],
    ['presets as a list', { presets: [] as never }],
    ['an override with an unknown policy', { policies: { 'A.b': { retires: {} } as never } }],
    ['an override that is false as a whole', { policies: { 'A.b': false as never } }],
    ['overrides as a map', { policies: new Map() as never }],
  ])('%s says so', async (_, bulwark) => {
    expect(await mistakesOf({ bulwark: config(bulwark) })).toEqual([
      expect.stringMatching(/^ResilienceModule (presets|policies)/),
    ]);
  });
});

it('a policy by decorator and a preset with the same kind are no mistake, twice the decorator is', async () => {
  @Injectable()
  class Client {
    @TimeLimit(5)
    @Resilient({ timeLimit: 9 })
    @TimeLimit(7)
    async call(): Promise<void> {}
  }

  expect(await mistakesOf({ providers: [Client] })).toEqual([
    'Client.call @TimeLimit: given twice; expected it once',
  ]);
});

it('@Resilient alone says what the method returns, where nothing else does', async () => {
  @Injectable()
  class Client {
    @Resilient({ fallback: { value: 'instead' } }, { returns: 'promise' })
    call(): ReturnType<typeof down> {
      return down();
    }
  }
  Reflect.defineMetadata('design:returntype', Object, Client.prototype, 'call');
  const { app } = await boot({ providers: [Client] });

  expect(await app.get(Client).call()).toBe('instead');
});

it('#1 a fallback of a preset is asked with the arguments of the call', async () => {
  @Injectable()
  class Client {
    @Resilient('kind')
    @Fallback((_error, id: string) => `instead of ${id}`)
    async call(_id: string): Promise<string> {
      return down();
    }
  }
  const { app } = await boot({
    providers: [Client],
    bulwark: config({ presets: { kind: { fallback: { value: 'preset' } } } }),
  });

  expect(await app.get(Client).call('x')).toBe('instead of x');
});
