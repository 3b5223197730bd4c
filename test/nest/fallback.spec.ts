import { Injectable } from '@nestjs/common';
import { Fallback, ResilienceService, structuralKey } from 'nestjs-bulwark';
import { AsyncLocalStorage } from 'node:async_hooks';
import { boot, bootError, closeAll } from './support/app.js';

afterEach(closeAll);

const failing = new Set<string>();
const answer = (value: string): string => {
  if (failing.has('all')) throw new Error('down');
  return value;
};
beforeEach(() => failing.clear());

describe('#81 the last good answer', () => {
  it('#81 is refused at boot without a key, for a method without parameters too', async () => {
    const cache = { ttl: 1_000 } as { ttl: number; key: () => string };
    @Injectable()
    class Profiles {
      @Fallback({ cache })
      async get(_user: string): Promise<void> {}

      @Fallback({ cache })
      async current(): Promise<void> {}
    }

    const { message } = await bootError({ providers: [Profiles] });

    expect(message).toContain(
      'Profiles.get @Fallback cache key: got undefined, expected a function',
    );
    expect(message).toContain('Profiles.current @Fallback cache key: got undefined');
  });

  it('#81 belongs to those who have the same key, which may come from an async context', async () => {
    const user = new AsyncLocalStorage<string>();
    @Injectable()
    class Profiles {
      @Fallback({ cache: { ttl: 1_000, key: () => user.getStore() } })
      async mine(): Promise<string> {
        return answer(user.getStore()!);
      }
    }
    const { app } = await boot({ providers: [Profiles] });
    const profiles = app.get(Profiles);
    await user.run('alice', () => profiles.mine());

    failing.add('all');

    expect(await user.run('alice', () => profiles.mine())).toBe('alice');
    await expect(user.run('bob', () => profiles.mine())).rejects.toThrow('down');
    await expect(profiles.mine()).rejects.toThrow('down');
  });

  it('#81 belongs to the method of the class that gave it', async () => {
    const cache = { ttl: 1_000, key: () => 'all' };
    @Injectable()
    class Base {
      @Fallback({ cache })
      async one(): Promise<string> {
        return answer('one');
      }

      @Fallback({ cache })
      async other(): Promise<string> {
        return answer('other');
      }
    }
    @Injectable()
    class Derived extends Base {}
    const { app } = await boot({ providers: [Base, Derived] });
    await app.get(Base).one();

    failing.add('all');

    expect(await app.get(Base).one()).toBe('one');
    await expect(app.get(Base).other()).rejects.toThrow('down');
    await expect(app.get(Derived).one()).rejects.toThrow('down');
  });

  it('#82 may have a structural key; what has none is not kept, and the log says so once', async () => {
    @Injectable()
    class Quotes {
      @Fallback({ cache: { ttl: 1_000, key: (...args: unknown[]) => structuralKey(args) } })
      async quote(of: object): Promise<string> {
        return answer(Object.keys(of).join());
      }
    }
    const { app, log } = await boot({ providers: [Quotes] });
    const quotes = app.get(Quotes);
    const cyclic: { self?: object } = {};
    cyclic.self = cyclic;
    await quotes.quote({ a: 1, b: 2 });
    expect(await quotes.quote(cyclic)).toBe('self');
    await quotes.quote(cyclic);

    failing.add('all');

    expect(await quotes.quote({ b: 2, a: 1 })).toBe('a,b');
    await expect(quotes.quote({ a: 1, b: '2' })).rejects.toThrow('down');
    await expect(quotes.quote(cyclic)).rejects.toThrow('down');
    const lines = log.ours.filter(({ message }) => message.includes('cache.key'));
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /Quotes.quote: the function given as cache.key threw .*contains itself/,
      ),
    ]);
  });
});

it('alternatives have the instance as this', async () => {
  @Injectable()
  class Quotes {
    readonly name = 'mine';

    @Fallback({
      alternative(this: Quotes, symbol: string) {
        return `${this.name} ${symbol}`;
      },
    })
    async quote(_symbol: string): Promise<string> {
      throw new Error('down');
    }
  }
  const { app } = await boot({ providers: [Quotes] });

  expect(await app.get(Quotes).quote('X')).toBe('mine X');
});

it('a queue is refused at boot: there is no store of dead letters yet', async () => {
  @Injectable()
  class Orders {
    @Fallback({ queue: 'orders' })
    async place(): Promise<void> {}
  }

  const { message } = await bootError({ providers: [Orders] });

  expect(message).toMatch(/Orders.place @Fallback queue: .* no dead-letter store configured/);
});

it('functions without a decorator have the last good answer too', async () => {
  const { app } = await boot({});
  const service = app.get(ResilienceService);
  const fallback = { cache: { ttl: 1_000, key: () => 'all' } };

  await service.execute('rates', async () => 1, { fallback });

  expect(await service.execute('rates', () => Promise.reject(new Error('down')))).toBe(1);
});
