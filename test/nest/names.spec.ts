import { Injectable, Module, type Type } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Bulkhead, CircuitBreaker, Fallback, ResilienceRegistry, Retry } from 'nestjs-bulwark';
import { boot, bootError, closeAll } from './support/app.js';

afterEach(closeAll);

/** Another class of the same name each time. */
function clientClass(): Type<{ call(fail?: boolean): Promise<string> }> {
  @Injectable()
  class Client {
    @CircuitBreaker({ failureThreshold: 1 })
    async call(fail = false): Promise<string> {
      if (fail) throw new Error('down');
      return 'fine';
    }
  }
  return Client;
}

const namesOf = (registry: ResilienceRegistry): string[] =>
  registry.breakers.list().map(({ name }) => name);

describe('the name of a policy', () => {
  it('is Class.method', async () => {
    const { app } = await boot({ providers: [clientClass()] });

    expect(namesOf(app.get(ResilienceRegistry))).toEqual(['Client.call']);
  });

  it('is Module/Class.method for classes of the same name, and their states are two', async () => {
    const [One, Two] = [clientClass(), clientClass()];
    @Module({ providers: [One] })
    class Payments {}
    @Module({ providers: [Two] })
    class Refunds {}
    const { app } = await boot({ imports: [Payments, Refunds] });
    await app
      .get(One)
      .call(true)
      .catch(() => {});

    const { breakers } = app.get(ResilienceRegistry);
    expect(breakers.list().map(({ name, state }) => [name, state])).toEqual([
      ['Payments/Client.call', 'open'],
      ['Refunds/Client.call', 'closed'],
    ]);
    await expect(app.get(Two).call()).resolves.toBe('fine');
  });

  it('is the same for a class that is called before the boot', async () => {
    const [One, Two] = [clientClass(), clientClass()];
    const early = (client: { call(): Promise<string> }): object => {
      void client.call();
      return {};
    };
    @Module({ providers: [One, { provide: 'early', inject: [One], useFactory: early }] })
    class Payments {}
    @Module({ providers: [Two] })
    class Refunds {}
    const { app } = await boot({ imports: [Payments, Refunds] });

    expect(namesOf(app.get(ResilienceRegistry))).toEqual([
      'Payments/Client.call',
      'Refunds/Client.call',
    ]);
  });

  it('of a class in a lazy module carries that module if it is taken', async () => {
    const [One, Late] = [clientClass(), clientClass()];
    const { app } = await boot({ providers: [One] });
    @Module({ providers: [Late] })
    class LateModule {}
    const late = await app.get(LazyModuleLoader).load(() => LateModule);

    await late.get(Late).call();

    expect(namesOf(app.get(ResilienceRegistry))).toEqual(['Client.call', 'LateModule/Client.call']);
  });

  it('is one for a class that two modules provide, and so is its state', async () => {
    const Client = clientClass();
    @Module({ providers: [Client] })
    class Payments {}
    @Module({ providers: [Client] })
    class Refunds {}
    const { app } = await boot({ imports: [Payments, Refunds] });

    expect(namesOf(app.get(ResilienceRegistry))).toEqual(['Client.call']);
  });

  it('that collides even with its module is a boot error that says what to do', async () => {
    const modules = [clientClass(), clientClass()].map((provider) => {
      @Module({ providers: [provider] })
      class Payments {}
      return Payments;
    });

    expect((await bootError({ imports: modules })).message).toContain(
      'Payments/Client.call: 2 methods have this name',
    );
  });
});

describe('a shared name', () => {
  it('with the same options is one breaker, whatever the order they are written in', async () => {
    @Injectable()
    class Client {
      @CircuitBreaker({ name: 'upstream', failureThreshold: 2, openFor: 100 })
      async a(): Promise<void> {}

      @CircuitBreaker({ openFor: 100, failureThreshold: 2, name: 'upstream' })
      @Bulkhead({ name: 'upstream' })
      async b(): Promise<void> {}
    }
    const { app } = await boot({ providers: [Client] });
    const registry = app.get(ResilienceRegistry);

    expect(namesOf(registry)).toEqual(['upstream']);
    expect(registry.bulkheads.list()).toHaveLength(1);
  });

  it('may classify errors differently in each method', async () => {
    @Injectable()
    class Client {
      @CircuitBreaker({ name: 'upstream', failureThreshold: 1, ignore: RangeError })
      async a(): Promise<void> {
        throw new RangeError('fine');
      }

      @CircuitBreaker({ name: 'upstream', failureThreshold: 1, failOn: RangeError })
      async b(): Promise<void> {
        throw new RangeError('down');
      }
    }
    const { app } = await boot({ providers: [Client] });
    const reader = app.get(ResilienceRegistry).breakers.reader('upstream')!;

    await app
      .get(Client)
      .a()
      .catch(() => {});
    expect(reader.state).toBe('closed');
    await app
      .get(Client)
      .b()
      .catch(() => {});
    expect(reader.state).toBe('open');
  });

  it.each([
    ['circuit breaker', CircuitBreaker({ name: 'x', openFor: 100 }), CircuitBreaker({ name: 'x' })],
    ['bulkhead', Bulkhead({ name: 'x', maxQueue: 1 }), Bulkhead({ name: 'x', maxQueue: 2 })],
  ])('with other options is a boot error for a %s', async (kind, first, second) => {
    @Injectable()
    class A {
      @first
      async call(): Promise<void> {}
    }
    @Injectable()
    class B {
      @second
      async call(): Promise<void> {}
    }

    expect((await bootError({ providers: [A, B] })).message).toContain(
      `${kind} "x": shared with other options`,
    );
  });
});

describe("another library's wrapper", () => {
  /** Wraps like most libraries do: a new function, no care for ours. */
  const Theirs: MethodDecorator = (_target, _key, descriptor) => {
    const inner = descriptor.value as unknown as (...args: unknown[]) => Promise<string>;
    const outer = async function theirs(this: unknown, ...args: unknown[]): Promise<string> {
      return `<${await inner.apply(this, args)}>`;
    };
    (descriptor as { value?: unknown }).value = outer;
  };

  it('outside ours is fine', async () => {
    @Injectable()
    class Client {
      @Theirs
      @Fallback({ value: 'instead' })
      @Retry({ maxAttempts: 1 })
      async call(): Promise<string> {
        throw new Error('down');
      }
    }
    const { app } = await boot({ providers: [Client] });

    await expect(app.get(Client).call()).resolves.toBe('<instead>');
  });

  it('inside ours is fine', async () => {
    let runs = 0;
    @Injectable()
    class Client {
      @Fallback({ value: 'instead' })
      @CircuitBreaker({ failureThreshold: 1 })
      @Theirs
      async call(): Promise<string> {
        runs += 1;
        if (runs > 1) throw new Error('down');
        return 'call';
      }
    }
    const { app } = await boot({ providers: [Client] });
    const client = app.get(Client);

    expect([await client.call(), await client.call(), await client.call()]).toEqual([
      '<call>',
      'instead',
      'instead',
    ]);
    expect(runs).toBe(2);
  });

  it('between two of ours is a boot error: two pipelines would run', async () => {
    @Injectable()
    class Client {
      @Retry()
      @Theirs
      @CircuitBreaker()
      async call(): Promise<string> {
        return 'call';
      }
    }

    expect((await bootError({ providers: [Client] })).message).toContain(
      "Client.call @Retry: another library's decorator wraps the method between two of ours",
    );
  });
});
