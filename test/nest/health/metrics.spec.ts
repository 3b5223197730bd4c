import { Controller, Injectable, Module, Scope } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { CircuitBreaker, HealthMetric, HealthMonitor, type MetricReading } from 'nestjs-bulwark';
import { boot, bootError, closeAll, type Setting, type World } from '../support/app.js';

afterEach(closeAll);

const LIMITS = { warn: 10, critical: 20 };

const metricsOf = async ({ app }: World): Promise<Readonly<Record<string, MetricReading>>> =>
  (await app.get(HealthMonitor).status()).metrics;

/** A decorated method of a class of its own. */
function withMetric(name: unknown, options: unknown, method: unknown = () => 1): new () => object {
  class Node {}
  Object.defineProperty(Node.prototype, 'peers', { value: method, configurable: true });
  const descriptor = Object.getOwnPropertyDescriptor(Node.prototype, 'peers')!;
  HealthMetric(name as string, options as never)(Node.prototype, 'peers', descriptor as never);
  return Node;
}

describe('@HealthMetric', () => {
  it('reads figures of providers and controllers, sync and async, with their meaning', async () => {
    @Injectable()
    class Node {
      private readonly count = 3;

      @HealthMetric('peers', { warn: 2, critical: 1, direction: 'below', unit: 'peers' })
      peers(): number {
        return this.count;
      }

      @HealthMetric('age of the last block', {
        warn: 10,
        critical: 60,
        unit: 's',
        description: 'x',
      })
      async age(): Promise<number> {
        return 12;
      }
    }

    @Controller('rpc')
    class Rpc {
      @HealthMetric('queue', LIMITS)
      queue(): number {
        return 20;
      }
    }

    const world = await boot({ bulwark: {}, providers: [Node], controllers: [Rpc] });
    const { at, score, status, metrics, explanation } = await world.app.get(HealthMonitor).status();

    expect(metrics).toEqual({
      peers: {
        value: 3,
        level: 'ok',
        warn: 2,
        critical: 1,
        direction: 'below',
        unit: 'peers',
      },
      'age of the last block': {
        value: 12,
        level: 'warn',
        warn: 10,
        critical: 60,
        unit: 's',
        description: 'x',
      },
      queue: { value: 20, level: 'critical', ...LIMITS },
    });
    expect(explanation.map(({ what, points }) => [what, points])).toEqual([
      ['metric queue', 30],
      ['metric age of the last block', 10],
    ]);
    expect([score, status, at]).toEqual([60, 'degraded', world.clock.epoch()]);
  });

  it('without limits is shown, and costs nothing, also where it cannot be read', async () => {
    let value = 1e9;
    const world = await boot({
      bulwark: {},
      providers: [{ provide: 'a', useValue: new (withMetric('height', undefined, () => value))() }],
    });
    const monitor = world.app.get(HealthMonitor);
    expect(await monitor.status()).toMatchObject({
      score: 100,
      explanation: [],
      metrics: { height: { value: 1e9, level: 'ok' } },
    });
    value = Number.NaN;
    await world.clock.advance(1_000);
    expect(await monitor.status()).toMatchObject({
      score: 100,
      explanation: [],
      metrics: { height: { value: 'unknown', level: 'unknown' } },
    });
  });

  it('goes through the policies of its method, and those through it', async () => {
    @Injectable()
    class Node {
      @HealthMetric('peers', LIMITS)
      @CircuitBreaker({ failureThreshold: 1 })
      async peers(): Promise<number> {
        return 1;
      }
    }

    const world = await boot({ bulwark: {}, providers: [Node] });
    expect((await metricsOf(world))['peers']!.value).toBe(1);
  });

  it('is inherited, and the method of the child is the one that is read', async () => {
    class Base {
      @HealthMetric('size', LIMITS)
      size(): number {
        return 1;
      }

      @HealthMetric('depth', LIMITS)
      depth(): number {
        return 2;
      }
    }
    @Injectable()
    class Child extends Base {
      override size(): number {
        return 11;
      }

      @HealthMetric('height', { warn: 1, critical: 2 })
      override depth(): number {
        return 3;
      }
    }

    const metrics = await metricsOf(await boot({ bulwark: {}, providers: [Child] }));
    expect(Object.entries(metrics).map(([name, { value }]) => [name, value])).toEqual([
      ['height', 3],
      ['size', 11],
    ]);
  });

  it('is read of values, of what factories make, once under any number of tokens, and of lazy modules', async () => {
    const Value = withMetric('value', LIMITS);
    const Made = withMetric('made', LIMITS);
    const Twice = withMetric('twice', LIMITS);
    Injectable()(Twice);
    const Lazy = withMetric('lazy', LIMITS);
    @Module({ providers: [{ provide: 'lazy', useValue: new Lazy() }] })
    class LazyModule {}
    const world = await boot({
      bulwark: {},
      providers: [
        { provide: 'value', useValue: new Value() },
        { provide: 'made', useFactory: async () => new Made() },
        Twice,
        { provide: 'alias', useExisting: Twice },
      ],
    });
    await world.app.get(LazyModuleLoader).load(() => LazyModule);

    expect(Object.keys(await metricsOf(world)).toSorted()).toEqual([
      'lazy',
      'made',
      'twice',
      'value',
    ]);
  });

  it('may be called __proto__, and is there', async () => {
    const metrics = await metricsOf(
      await boot({
        bulwark: {},
        providers: [{ provide: 'a', useValue: new (withMetric('__proto__', LIMITS))() }],
      }),
    );
    expect(JSON.parse(JSON.stringify(metrics))).toHaveProperty(['__proto__', 'value'], 1);
  });

  it('two applications of one class read each their own', async () => {
    @Injectable()
    class Node {
      static made = 0;
      readonly number = (Node.made += 1);

      @HealthMetric('number', LIMITS)
      read(): number {
        return this.number;
      }
    }
    const one = await boot({ bulwark: {}, providers: [Node] });
    const two = await boot({ bulwark: {}, providers: [Node] });

    expect((await metricsOf(one))['number']!.value).toBe(1);
    expect((await metricsOf(two))['number']!.value).toBe(2);
  });
});

describe('a metric that cannot be read', () => {
  it.each<[string, () => unknown, string]>([
    ['throws', () => { throw new Error('no route'); }, 'no route'], // prettier-ignore
    ['rejects', () => Promise.reject(new Error('no route')), 'no route'],
    ['answers NaN', () => Number.NaN, 'got NaN, expected a number'],
    ['answers a word', () => 'many', 'got "many", expected a number'],
    ['answers nothing', async () => {}, 'got undefined, expected a number'],
  ])('because it %s is unknown, costs little, and is told once', async (_, method, problem) => {
    let isBroken = true;
    const Node = withMetric('peers', LIMITS, () => (isBroken ? method() : 5));
    const world = await boot({
      bulwark: {},
      providers: [{ provide: 'node', useValue: new Node() }],
    });
    const monitor = world.app.get(HealthMonitor);
    const told = (): string[] =>
      world.log.ours.map(({ message }) => message).filter((m) => m.startsWith('health metric'));

    const { score, explanation, metrics } = await monitor.status();
    expect([score, metrics['peers']]).toEqual([
      95,
      { value: 'unknown', level: 'unknown', ...LIMITS },
    ]);
    expect(explanation).toEqual([{ what: 'metric peers', value: 'unknown', limit: 10, points: 5 }]);
    await world.clock.advance(1_000);
    await monitor.status();
    expect(told()).toEqual([`health metric peers: cannot be read from Node.peers: ${problem}`]);

    isBroken = false;
    await world.clock.advance(1_000);
    expect((await monitor.status()).score).toBe(100);
    await world.clock.advance(1_000);
    await monitor.status();
    expect(told()).toHaveLength(2);
    expect(told()[1]).toBe('health metric peers: can be read again');
  });

  it('because it hangs has a second, hears of it, and does not hold up the others', async () => {
    let aborted = false;
    const Hung = withMetric('hung', LIMITS, (signal: AbortSignal) => {
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => {});
    });
    const Fine = withMetric('fine', LIMITS, async () => 3);
    const world = await boot({
      bulwark: {},
      providers: [
        { provide: 'a', useValue: new Hung() },
        { provide: 'b', useValue: new Fine() },
      ],
    });
    const reading = world.app.get(HealthMonitor).status();
    await world.clock.advance(1_000);

    const { metrics } = await reading;
    expect([metrics['hung']!.value, metrics['fine']!.value, aborted]).toEqual(['unknown', 3, true]);
  });

  it('has the deadline of the indicators', async () => {
    const Hung = withMetric('hung', LIMITS, () => new Promise(() => {}));
    const world = await boot({
      bulwark: { health: { timeout: 50 } },
      providers: [{ provide: 'a', useValue: new Hung() }],
    });
    const reading = world.app.get(HealthMonitor).status();
    await world.clock.advance(50);

    expect((await reading).metrics['hung']!.level).toBe('unknown');
  });
});

describe('mistakes in metrics end the boot, all in one message:', () => {
  const refuses = async (setting: Setting, ...lines: string[]): Promise<void> => {
    const { message } = await bootError({ bulwark: {}, ...setting });
    for (const line of lines) expect(message).toContain(`  - ${line}`);
    expect(message.split('\n')).toHaveLength(lines.length + 1);
  };
  const given = (...types: (new () => object)[]): Setting => ({
    providers: types.map((Type, i) => ({ provide: `p${i}`, useValue: new Type() })),
  });

  it('limits, names and words', () =>
    refuses(
      given(
        withMetric('', { warn: 1, critical: Number.NaN }),
        withMetric('b', { warn: 2, critical: 1 }),
      ),
      'Node.peers @HealthMetric name: got "", expected a string that is not empty',
      'Node.peers @HealthMetric critical: got NaN, expected a finite number',
      'Node.peers @HealthMetric critical: got 1, expected at least warn, which is 2: values above are bad',
    ));

  it('a name that another has', () =>
    refuses(
      given(withMetric('a', LIMITS), withMetric('a', LIMITS)),
      'Node.peers @HealthMetric name: got "a", which Node.peers has already, expected a name of its own',
    ));

  it('a field, an accessor, a static method', async () => {
    await refuses(
      given(withMetric('a', LIMITS, 5)),
      'Node.peers @HealthMetric: is no method, expected one that answers a number',
    );
    class Node {
      static peers(): number {
        return 1;
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Node, 'peers')!;
    HealthMetric('a', LIMITS)(Node, 'peers', descriptor);
    await refuses(
      given(Node),
      'Node.peers @HealthMetric: is static, expected a method of the instances',
    );
  });

  it.each([
    ['request-scoped', Scope.REQUEST],
    ['transient', Scope.TRANSIENT],
  ])('a %s provider', async (_, scope) => {
    const Node = withMetric('a', LIMITS);
    Injectable({ scope })(Node);
    await refuses(
      { providers: [Node] },
      'Node.peers @HealthMetric: is request-scoped or transient, expected a singleton: whose figure is it?',
    );
  });

  it('a request-scoped controller, by what it injects', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {}
    const Node = withMetric('a', LIMITS);
    Controller('node')(Node);
    Reflect.defineMetadata('design:paramtypes', [Tenant], Node);
    await refuses(
      { controllers: [Node], providers: [Tenant] },
      'Node.peers @HealthMetric: is request-scoped or transient, expected a singleton: whose figure is it?',
    );
  });

  it('those of a lazy module are told to who loads it', async () => {
    const One = withMetric('a', LIMITS);
    const Other = withMetric('a', LIMITS);
    @Module({ providers: [{ provide: 'lazy', useValue: new Other() }] })
    class LazyModule {}
    const { app } = await boot({ bulwark: {}, ...given(One) });

    await expect(app.get(LazyModuleLoader).load(() => LazyModule)).rejects.toThrow(
      'which Node.peers has already',
    );
  });

  it('with health switched off too', () =>
    refuses(
      { ...given(withMetric('a', { warn: 1 })), bulwark: { health: false } },
      'Node.peers @HealthMetric critical: got nothing, expected it beside warn',
    ));
});
