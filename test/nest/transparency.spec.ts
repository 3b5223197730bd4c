import { Injectable, Scope } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  ResilienceRegistry,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { settle } from 'nestjs-bulwark/testing';
import { boot, closeAll } from './support/app.js';

afterEach(closeAll);

describe('#5 a decorated method', () => {
  @Injectable({ scope: Scope.TRANSIENT })
  class Account {
    owner = '';

    @Retry()
    @CircuitBreaker()
    @Bulkhead({ maxConcurrent: 5_000 })
    async greet(greeting: string, mark: string): Promise<string> {
      return `${greeting} ${this.owner}${mark}`;
    }

    @Retry()
    async withDefault(_a: string, _b = 1, ..._rest: string[]): Promise<void> {}
  }

  it('#5 keeps its name and its length', () => {
    expect(Account.prototype.greet.name).toBe('greet');
    expect(Account.prototype.greet).toHaveLength(2);
    expect(Account.prototype.withDefault).toHaveLength(1);
  });

  it('#5 stays what it was to those who look at the class', () => {
    const descriptor = Object.getOwnPropertyDescriptor(Account.prototype, 'greet')!;

    expect(descriptor).toMatchObject({ writable: true, configurable: true, enumerable: false });
    expect(Object.keys(new Account())).toEqual(['owner']);
    expect(Object.keys(Account.prototype)).toEqual([]);
  });

  it('#5 sees its own `this` with two instances called in turn 1,000 times', async () => {
    const { app } = await boot({ providers: [Account] });
    const [ada, bob] = [await app.resolve(Account), await app.resolve(Account)];
    ada.owner = 'Ada';
    bob.owner = 'Bob';

    const answers = await Promise.all(
      Array.from({ length: 2_000 }, (_, i) => (i % 2 === 0 ? ada : bob).greet('hi', '!')),
    );

    expect(ada).not.toBe(bob);
    expect(answers).toEqual(
      Array.from({ length: 2_000 }, (_, i) => (i % 2 === 0 ? 'hi Ada!' : 'hi Bob!')),
    );
  });

  it('#5 passes on what it is given, and only that', async () => {
    @Injectable()
    class Echo {
      @Retry()
      @TimeLimit(1_000)
      async echo(...args: unknown[]): Promise<unknown[]> {
        return args;
      }
    }
    const { app } = await boot({ providers: [Echo] });
    const same = {};

    const args = await app.get(Echo).echo(undefined, same, null, 4, undefined);

    expect(args).toEqual([undefined, same, null, 4, undefined]);
    expect(args[1]).toBe(same);
    await expect(app.get(Echo).echo()).resolves.toEqual([]);
  });

  it('#5 asks Nest for the runtime once per class, however many methods and children', () => {
    class Child extends Account {
      @Retry()
      async more(): Promise<void> {}

      @Retry()
      async most(): Promise<void> {}
    }

    expect(Reflect.getMetadata('self:properties_metadata', Child)).toHaveLength(1);
  });

  it('#5 leaves instances clean: no enumerable property, no change in JSON and equality', async () => {
    const { app } = await boot({ providers: [Account] });

    const account = await app.resolve(Account);

    expect(Object.keys(account)).toEqual(['owner']);
    expect(JSON.stringify(account)).toBe('{"owner":""}');
    expect({ ...account }).toEqual({ owner: '' });
  });
});

describe('#6 a shared breaker', () => {
  @Injectable()
  class Payments {
    readonly ran: string[] = [];

    @CircuitBreaker({ name: 'pay', failureThreshold: 2 })
    async a(fail = false): Promise<string> {
      this.ran.push('A');
      if (fail) throw new Error('A failed');
      return 'A';
    }

    @CircuitBreaker({ name: 'pay', failureThreshold: 2 })
    async b(): Promise<string> {
      this.ran.push('B');
      return 'B';
    }
  }

  it('#6 shares its state, never the action', async () => {
    const { app } = await boot({ providers: [Payments] });
    const payments = app.get(Payments);

    const answers = [await payments.a(), await payments.b(), await payments.b()];

    expect(answers).toEqual(['A', 'B', 'B']);
    expect(payments.ran).toEqual(['A', 'B', 'B']);
  });

  it('#6 that one method opened refuses the other', async () => {
    const { app } = await boot({ providers: [Payments] });
    const payments = app.get(Payments);
    await payments.a(true).catch(() => {});
    await payments.a(true).catch(() => {});

    await expect(payments.b()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', target: 'pay' });
    expect(payments.ran).toEqual(['A', 'A']);
  });
});

describe('errors and foreign promises', () => {
  const evil = new Error('hidden');
  Object.defineProperty(evil, 'message', {
    get() {
      throw new Error('the getter of the message threw');
    },
  });
  const throwing = new Proxy(new Error('proxied'), {
    get() {
      throw new Error('the trap threw');
    },
  });

  @Injectable()
  class Client {
    calls = 0;

    @Retry({ maxAttempts: 2, delay: 0, retryOn: () => true })
    @CircuitBreaker({ failureThreshold: 5, failOn: () => true })
    @Bulkhead({ maxConcurrent: 1 })
    @TimeLimit(1_000)
    async call(error: unknown): Promise<void> {
      this.calls += 1;
      throw error;
    }

    @CircuitBreaker({ failureThreshold: 5 })
    async once(error: unknown): Promise<void> {
      throw error;
    }

    @Bulkhead({ maxConcurrent: 1, maxQueue: 0 })
    @CircuitBreaker({ failureThreshold: 5 })
    sync(error?: Error): Promise<string> {
      if (error !== undefined) throw error;
      return Promise.resolve('fine');
    }

    @CircuitBreaker({ window: { calls: 10 }, minimumCalls: 10, failureRate: 0.5 })
    @Bulkhead({ maxConcurrent: 1, maxQueue: 0 })
    foreign(): Promise<string> {
      const twice = {
        then(good: (value: string) => void, bad: (error: unknown) => void) {
          good('first');
          bad(new Error('second'));
          good('third');
        },
      };
      return twice as Promise<string>;
    }
  }

  const client = async (): Promise<{
    client: Client;
    registry: ResilienceRegistry;
    advance: (by: number) => Promise<void>;
  }> => {
    const { app, clock } = await boot({ providers: [Client] });
    return {
      client: app.get(Client),
      registry: app.get(ResilienceRegistry),
      advance: (by) => clock.advance(by),
    };
  };

  it.each([
    ['an Error', new Error('e')],
    ['a string', 'text'],
    ['undefined', undefined],
    ['null', null],
    ['a number', Number.NaN],
    ['a frozen Error', Object.freeze(new Error('frozen'))],
    ['an Error whose message getter throws', evil],
    ['a Proxy whose traps throw', throwing],
  ])('#17 %s reaches the caller as the same value', async (_, error) => {
    const world = await client();

    const plain = await world.client.once(error).then(
      () => 'resolved',
      (e: unknown) => ({ e }),
    );
    const retried = world.client.call(error).then(
      () => 'resolved',
      (e: unknown) => ({ e }),
    );
    await world.advance(1_000);

    expect(Object.is((plain as { e: unknown }).e, error)).toBe(true);
    expect(Object.is(((await retried) as { e: unknown }).e, error)).toBe(true);
    expect(world.client.calls).toBe(2);
  });

  it('#9 a throw before the first await is one rejection, counted once, and holds no slot', async () => {
    const { client: c, registry } = await client();
    const error = new Error('sync');

    await expect(c.sync(error)).rejects.toBe(error);

    expect(registry.breakers.reader('Client.sync')!.snapshot()).toMatchObject({
      counters: { failure: 1, success: 0 },
    });
    expect(registry.bulkheads.reader('Client.sync')!.snapshot()).toMatchObject({ running: 0 });
    await expect(c.sync()).resolves.toBe('fine');
  });

  it('#9 every decorator turns a synchronous throw into a rejection', async () => {
    @Injectable()
    class Thrower {
      @Retry({ maxAttempts: 1 })
      retry(): Promise<void> {
        throw new Error('sync');
      }

      @CircuitBreaker()
      breaker(): Promise<void> {
        throw new Error('sync');
      }

      @Bulkhead()
      bulkhead(): Promise<void> {
        throw new Error('sync');
      }

      @TimeLimit(50)
      limit(): Promise<void> {
        throw new Error('sync');
      }

      @Fallback({ value: undefined, on: 'NEVER' })
      fallback(): Promise<void> {
        throw new Error('sync');
      }
    }
    const { app, clock } = await boot({ providers: [Thrower] });
    const thrower = app.get(Thrower);

    for (const name of ['retry', 'breaker', 'bulkhead', 'limit', 'fallback'] as const) {
      await expect(thrower[name]()).rejects.toThrow('sync');
    }
    expect(clock.pending).toBe(0);
  });

  it('#10 a thenable that calls back three times settles once and is counted once', async () => {
    const { client: c, registry } = await client();

    await expect(c.foreign()).resolves.toBe('first');
    await settle();

    expect(registry.breakers.reader('Client.foreign')!.snapshot()).toMatchObject({
      counters: { success: 1, failure: 0 },
    });
    expect(registry.bulkheads.reader('Client.foreign')!.snapshot()).toMatchObject({ running: 0 });
  });
});
