import {
  type MethodPolicies,
  type ResilienceConfigError,
  ResilienceRegistry,
  ResilienceService,
} from 'nestjs-bulwark';
import { boot, closeAll, type World } from './support/app.js';

afterEach(closeAll);

class Sdk {
  #secret = 'private';
  calls = 0;
  private readonly other = { name: 'inner' };

  async pay(cents: number): Promise<string> {
    this.calls += 1;
    if (cents < 0) throw new Error('down');
    return `${this.#secret} ${cents}`;
  }

  async twice(cents: number): Promise<string> {
    return `${await this.pay(cents)}, ${await this.pay(cents)}`;
  }

  /** Not a promise. */
  name(): string {
    return this.other.name;
  }

  get secret(): string {
    return this.#secret;
  }

  set secret(value: string) {
    this.#secret = value;
  }
}

let world: World;
let service: ResilienceService;
beforeEach(async () => {
  world = await boot({});
  service = world.app.get(ResilienceService);
});
const wrapped = (policies: MethodPolicies<Sdk>, sdk = new Sdk()): Sdk =>
  service.wrapObject(sdk, policies);

describe('a wrapped object', () => {
  it('has the policies of its list, as targets of the name Class.method', async () => {
    const sdk = wrapped({
      pay: { fallback: { value: 'instead' }, circuitBreaker: { failureThreshold: 1 } },
    });

    expect([await sdk.pay(5), await sdk.pay(-5), await sdk.pay(5)]).toEqual([
      'private 5',
      'instead',
      'instead',
    ]);
    expect(world.app.get(ResilienceRegistry).breakers.reader('Sdk.pay')!.state).toBe('open');
    expect(sdk.calls).toBe(2);
  });

  it('works as the object does: private fields, accessors, methods that are not listed', async () => {
    const inner = new Sdk();
    const sdk = wrapped({ pay: { retry: {} } }, inner);
    sdk.secret = 'changed';

    expect([sdk.secret, sdk.name(), await sdk.pay(1), await sdk.twice(1)]).toEqual([
      'changed',
      'inner',
      'changed 1',
      'changed 1, changed 1',
    ]);
    expect([sdk instanceof Sdk, sdk.constructor, 'pay' in sdk, inner.calls]).toEqual([
      true,
      Sdk,
      true,
      3,
    ]);
  });

  it('stays protected where a method that is not listed answers with the object itself', async () => {
    class Chained {
      use(): this {
        return this;
      }
      async call(): Promise<never> {
        throw new Error('down');
      }
    }
    const chained = service.wrapObject(new Chained(), { call: { fallback: { value: 'instead' } } });

    expect(chained.use()).toBe(chained);
    expect(await chained.use().call()).toBe('instead');
  });

  it('leaves functions what they carry: a class its statics, and what it makes', () => {
    class Row {
      static readonly table = 'rows';
    }
    const sdk = service.wrapObject({ Row, pay: async () => 1 }, { pay: {} });

    expect([sdk.Row.table, sdk.Row.name, sdk.Row.length]).toEqual(['rows', 'Row', 0]);
    expect(new sdk.Row()).toBeInstanceOf(Row);
  });

  it('gives the same function for the same method, and another for one that is replaced', async () => {
    const sdk = wrapped({ pay: { retry: {} } });
    const { pay, name } = sdk;

    expect([sdk.pay === pay, sdk.name === name]).toEqual([true, true]);
    expect(await pay(1)).toBe('private 1'); // without `this`
    sdk.pay = async () => 'replaced';
    expect(sdk.pay === pay).toBe(false);
    expect(await sdk.pay(1)).toBe('replaced');
  });

  it('does not protect what the object calls on itself', async () => {
    const sdk = wrapped({ pay: { fallback: { value: 'instead' } } });

    await expect(sdk.twice(-1)).rejects.toThrow('down');
  });

  it('has what hangs on its functions: static members of a class, properties of a method', async () => {
    class Query {
      static parse(text: string): Query {
        return Object.assign(new Query(), { text });
      }
    }
    const send = Object.assign(async () => 'sent', { retries: 3 });
    const sdk = service.wrapObject({ Query, send, other: send }, { send: { retry: {} } });

    expect(sdk.Query.parse('x')).toBeInstanceOf(Query);
    expect(new sdk.Query()).toBeInstanceOf(Query);
    expect([sdk.send.retries, sdk.other.retries, await sdk.send()]).toEqual([3, 3, 'sent']);
  });

  it('keeps its policies behind a method that answers with the object itself', async () => {
    class Chained extends Sdk {
      as(_user: string): this {
        return this;
      }
    }
    const sdk = service.wrapObject(new Chained(), { pay: { fallback: { value: 'instead' } } });

    await expect(sdk.as('root').as('me').pay(-1)).resolves.toBe('instead');
  });

  it('has a state of its own, numbered, where there are several of a class', async () => {
    const policies = { pay: { circuitBreaker: { failureThreshold: 1 } } };
    const [one, two] = [wrapped(policies), wrapped(policies)];
    await one.pay(-1).catch(() => {});

    await expect(one.pay(1)).rejects.toMatchObject({ target: 'Sdk.pay' });
    await expect(two.pay(1)).resolves.toBe('private 1');
    const { breakers } = world.app.get(ResilienceRegistry);
    expect(breakers.list().map(({ name }) => name)).toEqual(['Sdk.pay', 'Sdk.pay#2']);
  });

  it('may be a plain object, or one without a prototype', async () => {
    const bare = Object.assign(Object.create(null) as object, { ping: async () => 'pong' });

    expect(
      await service.wrapObject({ ping: async () => 'pong' }, { ping: { retry: {} } }).ping(),
    ).toBe('pong');
    expect(await service.wrapObject(bare, { ping: { retry: {} } }).ping()).toBe('pong');
  });
});

describe('wrapObject refuses', () => {
  const mistakes = (policies: object, object: object = new Sdk()): string[] => {
    try {
      service.wrapObject(object, policies);
    } catch (error) {
      return (error as ResilienceConfigError).mistakes.map((m) => `${m.at}: ${m.problem}`);
    }
    return [];
  };

  it('what is no object', () => {
    expect(() => service.wrapObject<object>(undefined as never, {})).toThrow(
      'wrapObject: got undefined, expected an object',
    );
  });

  it('what is no method, and what cannot be another', () => {
    const frozen = Object.freeze({ ping: async () => 'pong' });

    expect(mistakes({ gone: {}, calls: {} })).toEqual([
      'wrapObject Sdk.gone: got undefined, expected a method of the object',
      'wrapObject Sdk.calls: got 0, expected a method of the object',
    ]);
    expect(mistakes({ ping: {} }, frozen)).toEqual([
      'wrapObject Object.ping: got a frozen property, expected one that may be another; use wrap',
    ]);
  });

  it.each([null, 5, 'x'])('%p in place of an object or of policies', (junk) => {
    expect(mistakes({}, junk as never)).toEqual([
      expect.stringMatching(/^wrapObject: got .*, expected an object$/),
    ]);
    expect(mistakes(junk as never)).toEqual([
      expect.stringMatching(/^wrapObject: got .*, expected policies by name/),
    ]);
  });

  it('bad policies and unknown presets, all at once, and leaves nothing behind', () => {
    const bad = { pay: { retry: {} }, twice: { retry: { maxAttempts: 0 } }, name: 'rpc' };

    expect(mistakes(bad)).toEqual([
      expect.stringMatching(/^Sdk.twice @Retry maxAttempts: got 0/),
      'Sdk.name preset: got "rpc", expected the name of a preset; there are none',
    ]);
    expect(mistakes({ pay: { retry: {} } })).toEqual([]);
    expect(() => service.reconfigure('Sdk.pay', {})).not.toThrow();
    expect(() => service.reconfigure('Sdk.pay#2', {})).toThrow('no such name');
  });

  it('more names than may be', async () => {
    const small = await boot({ bulwark: { health: false, maxNames: 1 } });
    const tight = small.app.get(ResilienceService);

    expect(() => tight.wrapObject(new Sdk(), { pay: {}, twice: {} })).toThrow('raise maxNames');
    await expect(tight.execute('one', async () => 1, {})).resolves.toBe(1);
  });
});
