import { Controller, Get, Injectable, UseInterceptors } from '@nestjs/common';
import {
  CircuitBreaker,
  currentCall,
  Fallback,
  type PolicySet,
  ResilienceConfigError,
  ResilienceRegistry,
  ResilienceService,
  RetryInterceptor,
} from 'nestjs-bulwark';
import { settle, type FakeClock } from 'nestjs-bulwark/testing';
import { boot, closeAll, deferred } from './support/app.js';

afterEach(closeAll);

const started = async (
  config: object = {},
): Promise<{ service: ResilienceService; registry: ResilienceRegistry; clock: FakeClock }> => {
  const { app, clock } = await boot({ bulwark: { health: false, ...config } });
  return { service: app.get(ResilienceService), registry: app.get(ResilienceRegistry), clock };
};

const down = async (): Promise<never> => {
  throw new Error('down');
};

describe('execute', () => {
  it('runs a function under the policies of its name', async () => {
    const { service, registry, clock } = await started();
    let runs = 0;
    const answer = service.execute(
      'rates',
      async () => {
        runs += 1;
        if (runs < 3) throw new Error('down');
        return runs;
      },
      { retry: { delay: 10, jitter: 'none' }, circuitBreaker: {} },
    );
    await clock.advance(1_000);

    await expect(answer).resolves.toBe(3);
    expect(registry.breakers.reader('rates')!.snapshot().counters).toMatchObject({
      success: 1,
      failure: 2,
    });
  });

  it('needs the policies only the first time, and keeps those', async () => {
    const { service } = await started();
    await service.execute('rates', async () => 1, { circuitBreaker: { failureThreshold: 1 } });
    await service.execute('rates', down).catch(() => {});

    await expect(
      service.execute('rates', async () => 1, { circuitBreaker: { failureThreshold: 99 } }),
    ).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  });

  it('says once that a name was given other policies than its first', async () => {
    const { app, log } = await boot({});
    const service = app.get(ResilienceService);
    const policies = (ms: number, code: string): PolicySet => ({
      timeLimit: ms,
      retry: { retryOn: ['ETIMEDOUT', code], maxDelay: undefined },
      fallback: { value: { rows: [] }, except: () => false },
    });
    const run = (ms: number, code = 'A'): Promise<number> =>
      service.execute('rates', async () => 1, policies(ms, code));
    await run(50);
    await run(50);
    await service.execute('rates', async () => 1);
    expect(log.ours.filter(({ level }) => level === 'warn')).toEqual([]);

    await run(50, 'B');
    await run(60);
    service.wrap('rates', async () => 1, {});

    expect(log.ours.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'rates: called with other policies than at its first use, which are the ones it has; use another name',
    ]);
  });

  it.each(['Client.call', 'Pages.page'])(
    'refuses %s, the name of a method that has policies of its own',
    async (name) => {
      @Injectable()
      class Client {
        @Fallback({ value: 'not of this call' })
        async call(): Promise<string> {
          throw new Error('down');
        }
      }
      @Controller()
      class Pages {
        @Get('page')
        @UseInterceptors(RetryInterceptor)
        page(): void {}
      }
      const { app } = await boot({ providers: [Client], controllers: [Pages] });
      const service = app.get(ResilienceService);

      for (const policies of [undefined, { circuitBreaker: {} }]) {
        await expect(service.execute(name, down, policies)).rejects.toThrow(
          `${name}: is the name of a decorated method or a handler`,
        );
      }
      expect(() => service.wrap(name, down, {})).toThrow(ResilienceConfigError);
    },
  );

  it('shares the state, never the function', async () => {
    const { service } = await started();
    const answers = [];
    for (const word of ['a', 'b', 'a'])
      answers.push(await service.execute('word', async () => word, { bulkhead: {} }));

    expect(answers).toEqual(['a', 'b', 'a']);
  });

  it('gives the function its call', async () => {
    const { service } = await started();

    const call = await service.execute('rates', async () => currentCall(), { timeLimit: 500 });

    expect(call).toMatchObject({ target: 'rates', attempt: 1 });
  });

  it.each([
    ['a name without policies', 'unknown', undefined, 'no such name yet'],
    ['an empty name', ' ', {}, 'expected a string that is not empty'],
    ['a name that is no string', Symbol('x'), {}, 'expected a string that is not empty'],
    ['bad policies', 'rates', { retry: { maxAttempts: 0 } }, 'rates @Retry maxAttempts: got 0'],
    ['null as policies', 'rates', null, 'rates: got null, expected a set of policies'],
    ['a Map of policies', 'rates', new Map(), 'rates: got a Map, expected a set of policies'],
    ['null as a policy', 'rates', { retry: null }, 'rates @Retry: got null'],
    ['a list as a policy', 'rates', { retry: [] }, 'rates @Retry: got an array of 0'],
    ['a Map as a policy', 'rates', { timeLimit: new Map() }, 'rates @TimeLimit: got a Map'],
    ['an unknown policy', 'rates', { cache: {} }, 'rates cache: unknown policy'],
    ['a fallback method', 'rates', { fallback: { method: 'x' } }, 'there is no class here'],
  ])('rejects %s', async (_, name, policies, message) => {
    const { service } = await started();
    let ran = false;

    const answer = service.execute(name as string, async () => (ran = true), policies as never);

    await expect(answer).rejects.toThrow(message);
    await expect(answer).rejects.toBeInstanceOf(ResilienceConfigError);
    expect(ran).toBe(false);
  });

  it.each([undefined, null, 5, Promise.resolve(1)])(
    'refuses %p in place of a function, and no breaker counts it',
    async (fn) => {
      const { app } = await boot({});
      const service = app.get(ResilienceService);
      const policies = { circuitBreaker: { failureThreshold: 1 } };

      await expect(service.execute('ping', fn as never, policies)).rejects.toThrow('ping fn: got ');
      expect(() => service.wrap('ping', fn as never, policies)).toThrow('a function to wrap');
      await expect(service.execute('ping', async () => 'pong', policies)).resolves.toBe('pong');
    },
  );

  it('refuses a signal that is none', async () => {
    const { app } = await boot({});
    const options = { signal: 5 as never };

    await expect(
      app.get(ResilienceService).execute('ping', async () => 1, {}, options),
    ).rejects.toThrow('signal: got 5, expected an AbortSignal');
  });

  it('keeps at most maxNames names: a name made of user input cannot fill the memory', async () => {
    const { service, registry } = await started({ maxNames: 3 });
    for (const name of ['a', 'b', 'c'])
      await service.execute(name, async () => 1, { circuitBreaker: {} });

    await expect(service.execute('d', async () => 1, { circuitBreaker: {} })).rejects.toThrow(
      'd: there would be more than 3 names; is it made of user input?',
    );
    expect(() => service.wrap('e', async () => 1, { circuitBreaker: {} })).toThrow('more than 3');
    await expect(service.execute('a', async () => 1)).resolves.toBe(1);
    expect(registry.breakers.list()).toHaveLength(3);
  });

  it('ends at once when its signal aborts, with the reason of the signal', async () => {
    const { service, registry } = await started();
    const controller = new AbortController();
    const work = deferred();
    let signal: AbortSignal | undefined;
    const answer = service.execute(
      'rates',
      async () => {
        signal = currentCall().signal;
        await work.promise;
      },
      { bulkhead: { maxConcurrent: 1 }, circuitBreaker: {} },
      { signal: controller.signal },
    );
    const reason = new Error('the user left');

    controller.abort(reason);

    await expect(answer).rejects.toBe(reason);
    expect(signal?.aborted).toBe(true);
    expect(registry.breakers.reader('rates')!.snapshot().counters).toMatchObject({
      cancelled: 1,
      failure: 0,
    });
    expect(registry.bulkheads.reader('rates')!.snapshot().running).toBe(1);
    work.resolve();
    await settle();
    expect(registry.bulkheads.reader('rates')!.snapshot().running).toBe(0);
  });

  it('does not start with a signal that has aborted, nor wait in a queue or between attempts', async () => {
    const { service, registry, clock } = await started();
    let runs = 0;
    const fail = async (): Promise<never> => {
      runs += 1;
      throw new Error('down');
    };
    const policies = { retry: { delay: 1_000, jitter: 'none' } } as const;
    await expect(
      service.execute('rates', fail, policies, { signal: AbortSignal.abort('before') }),
    ).rejects.toBe('before');
    expect(runs).toBe(0);

    const between = new AbortController();
    const retried = service.execute('rates', fail, policies, { signal: between.signal });
    await settle();
    between.abort('between');
    await expect(retried).rejects.toBe('between');
    expect([runs, clock.pending]).toEqual([1, 0]);

    const queue = { bulkhead: { maxConcurrent: 1, maxQueue: 1 } };
    void service.execute('queue', () => new Promise(() => {}), queue);
    const waiting = new AbortController();
    const queued = service.execute('queue', fail, queue, { signal: waiting.signal });
    waiting.abort('queued');
    await expect(queued).rejects.toBe('queued');
    expect(registry.bulkheads.reader('queue')!.snapshot()).toMatchObject({ running: 1, queued: 0 });
  });
});

describe('misuse that says so, and blames no dependency', () => {
  const answers = async (): Promise<number> => 1;

  it.each<[string, unknown, unknown, string]>([
    ['no function', undefined, {}, 'pay fn: got undefined, expected a function'],
    ['no signal', answers, { signal: 'now' }, 'pay signal: got "now", expected an AbortSignal'],
    ['no options', answers, null, 'pay signal: got null, expected an AbortSignal'],
  ])('execute with %s', async (_name, fn, options, message) => {
    const { service, registry } = await started();
    await service.execute('pay', answers, { circuitBreaker: {} });

    const call = service.execute('pay', fn as never, undefined, options as never);

    await expect(call).rejects.toThrow(ResilienceConfigError);
    await expect(call).rejects.toThrow(message);
    expect(registry.breakers.reader('pay')!.snapshot().counters.failure).toBe(0);
  });

  it('wrap without a function', async () => {
    const { service } = await started();

    expect(() => service.wrap('pay', undefined as never, {})).toThrow(
      'pay fn: got undefined, expected a function',
    );
  });
});

describe('tryExecute', () => {
  it('answers with the value or with the error', async () => {
    const { service } = await started();
    const error = new Error('down');

    expect(await service.tryExecute('a', async () => 1, { bulkhead: {} })).toEqual({
      ok: true,
      value: 1,
    });
    expect(await service.tryExecute('a', () => Promise.reject(error))).toEqual({
      ok: false,
      error,
    });
    expect(await service.tryExecute('unknown', async () => 1)).toMatchObject({ ok: false });
  });
});

describe('wrap', () => {
  it('keeps name, length, this and arguments', async () => {
    const { service } = await started();
    const wrapped = service.wrap(
      'sum',
      async function add(this: { base: number }, a: number, b: number) {
        return this.base + a + b;
      },
      { retry: {} },
    );

    expect(wrapped.name).toBe('add');
    expect(wrapped).toHaveLength(2);
    await expect(wrapped.call({ base: 10 }, 1, 2)).resolves.toBe(13);
  });

  it('refuses bad policies at once', async () => {
    const { service } = await started();

    expect(() => service.wrap('x', async () => 1, { timeLimit: -1 })).toThrow('x @TimeLimit ms');
  });
});

describe('the registry', () => {
  @Injectable()
  class Client {
    @CircuitBreaker({ failureThreshold: 1 })
    async call(fail = false): Promise<string> {
      if (fail) throw new Error('down');
      return 'fine';
    }
  }

  it('looks: an unknown name is undefined and is not made', async () => {
    const { app } = await boot({ providers: [Client] });
    const { breakers, bulkheads } = app.get(ResilienceRegistry);

    expect([breakers.reader('x'), breakers.control('x'), bulkheads.reader('x')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(breakers.reader('__proto__')).toBeUndefined();
    expect(breakers.list()).toHaveLength(1);
  });

  it('acts: reset closes, isolate refuses and nests', async () => {
    const { app } = await boot({ providers: [Client] });
    const { breakers } = app.get(ResilienceRegistry);
    const [reader, control] = [breakers.reader('Client.call')!, breakers.control('Client.call')!];
    const client = app.get(Client);
    await client.call(true).catch(() => {});
    expect(reader.state).toBe('open');

    control.reset('operator');
    expect(reader.state).toBe('closed');

    const [first, second] = [control.isolate('maintenance'), control.isolate('more')];
    first();
    first();
    await expect(client.call()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    second();
    await expect(client.call()).resolves.toBe('fine');
  });

  it('gives readers that cannot act', async () => {
    const { app } = await boot({ providers: [Client] });
    const reader = app.get(ResilienceRegistry).breakers.reader('Client.call')!;

    expect(Object.keys(reader).toSorted()).toEqual([
      'critical',
      'explain',
      'mode',
      'name',
      'snapshot',
      'state',
    ]);
  });
});
