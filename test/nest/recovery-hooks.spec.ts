import { Controller, Injectable, Module, Scope } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { EMPTY, Observable, of, throwError } from 'rxjs';
import {
  CircuitBreaker,
  IntegrityCheck,
  OnInvalid,
  OnShutdown,
  Reconnect,
  RecoveryParticipant,
  Remedy,
  Resync,
  Retry,
} from 'nestjs-bulwark';
import type { ErrorContext } from 'nestjs-bulwark';
import { RecoveryHookRegistry } from '../../lib/nest/recovery/recovery-hooks.js';
import { boot, bootError, closeAll, type World } from './support/app.js';

afterEach(closeAll);

const hooksIn = ({ app }: World): RecoveryHookRegistry => app.get(RecoveryHookRegistry);
const { signal } = new AbortController();

type Decorator = (target: object, key: string, descriptor: never) => void;

/** A class of its own with one decorated method. */
function withHook(decorator: unknown, method: unknown = () => []): new () => object {
  class Node {}
  Object.defineProperty(Node.prototype, 'run', { value: method, configurable: true });
  const descriptor = Object.getOwnPropertyDescriptor(Node.prototype, 'run')!;
  (decorator as Decorator)(Node.prototype, 'run', descriptor as never);
  return Node;
}

const provide = (...types: (new () => object)[]): { provide: string; useValue: object }[] =>
  types.map((Type, i) => ({ provide: `hook ${i}`, useValue: new Type() }));

describe('hooks of recovery', () => {
  it('are collected of providers and controllers, and called on their instances', async () => {
    @Injectable()
    @RecoveryParticipant()
    class Node {
      private readonly name = 'node';

      @IntegrityCheck('supply')
      supply(signal: AbortSignal): string[] {
        return [`${this.name} ${signal.aborted}`];
      }

      @Reconnect('peers', { attempts: 5, delay: undefined })
      connect(signal: AbortSignal): unknown {
        return [this.name, signal];
      }

      @Resync('peers')
      sync(signal: AbortSignal): unknown {
        return [this.name, signal];
      }

      @Remedy('resource')
      @Remedy('timeout')
      clear(error: ErrorContext): unknown {
        return [this.name, error];
      }

      @OnShutdown({ dependsOn: ['http'] })
      stop(reason: string, signal: AbortSignal): unknown {
        return [this.name, reason, signal];
      }

      beforeRestore(): string {
        return this.name;
      }

      afterRestore(carried: string): string {
        return `${this.name} gets ${carried}`;
      }
    }
    @Controller()
    class Api {
      readonly name = 'api';

      @OnInvalid('block', 'reject')
      reject(block: unknown): unknown {
        return [this.name, block];
      }

      @OnInvalid('transaction', 'request')
      request(): unknown {
        return this.name;
      }

      @OnShutdown({ name: 'http' })
      stop(): unknown {
        return this.name;
      }
    }

    const hooks = hooksIn(await boot({ bulwark: {}, providers: [Node], controllers: [Api] }));
    const { checks, participants, reconnects, resyncs, remedies, invalid, shutdowns } = hooks;

    const [supply] = checks;
    expect([supply!.name, supply!.from]).toEqual(['supply', 'Node.supply']);
    expect(supply!.run(signal)).toEqual(['node false']);
    const [peers] = reconnects;
    expect(peers).toMatchObject({ name: 'peers', from: 'Node.connect', options: { attempts: 5 } });
    expect(peers!.run(signal)).toEqual(['node', signal]);
    expect(resyncs).toMatchObject([{ name: 'peers', from: 'Node.sync' }]);
    expect(resyncs[0]!.run(signal)).toEqual(['node', signal]);
    expect(remedies.map(({ category, from }) => [category, from])).toEqual([
      ['timeout', 'Node.clear'],
      ['resource', 'Node.clear'],
    ]);
    expect(remedies[0]!.run('E' as never)).toEqual(['node', 'E']);
    expect(invalid).toMatchObject([
      { kind: 'block', step: 'reject', from: 'Api.reject' },
      { kind: 'transaction', step: 'request', from: 'Api.request' },
    ]);
    expect(invalid[0]!.run(7)).toEqual(['api', 7]);
    expect(
      shutdowns.map(({ name, from, dependsOn }) => [name, from, dependsOn]).toSorted(),
    ).toEqual([
      ['Node.stop', 'Node.stop', ['http']],
      ['http', 'Api.stop', []],
    ]);
    const stop = shutdowns.find(({ name }) => name === 'Node.stop')!;
    expect(stop.run('maintenance', signal)).toEqual(['node', 'maintenance', signal]);
    expect(participants[0]!.name).toBe('Node');
    expect(participants[0]!.after(participants[0]!.before())).toBe('node gets node');
  });

  it('go through the policies of their methods, above and below', async () => {
    let calls = 0;
    const fail = async (): Promise<never> => {
      calls += 1;
      throw Object.assign(new Error('no route'), { code: 'ECONNREFUSED' });
    };
    @Injectable()
    class Node {
      @Reconnect('peers')
      @CircuitBreaker({ failureThreshold: 1 })
      async connect(): Promise<void> {
        await fail();
      }

      @Retry({ maxAttempts: 2, delay: 0 })
      @Reconnect('bank')
      async call(): Promise<void> {
        await fail();
      }
    }
    const world = await boot({ bulwark: {}, providers: [Node] });
    const [peers, bank] = hooksIn(world).reconnects;
    await expect(peers!.run(signal)).rejects.toThrow('no route');
    await expect(peers!.run(signal)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(calls).toBe(1);
    const called = bank!.run(signal) as Promise<void>;
    called.catch(() => {});
    await world.clock.advance(0);
    expect(calls).toBe(3);
  });

  it('that answer an Observable are waited for, and fail with it', async () => {
    @Injectable()
    class Node {
      @Reconnect('good')
      @Retry()
      good(): Observable<number> {
        return of(1, 2);
      }

      @Reconnect('empty')
      empty(): Observable<number> {
        return EMPTY;
      }

      @Reconnect('bad')
      bad(): Observable<number> {
        return throwError(() => new Error('no route'));
      }
    }
    const { reconnects } = hooksIn(await boot({ bulwark: {}, providers: [Node] }));
    const [good, empty, bad] = reconnects.map(({ run }) => run(signal));
    expect([await good, await empty]).toEqual([2, undefined]);
    await expect(bad).rejects.toThrow('no route');
  });

  it('are inherited; what the child says of a method stands, and its method is called', async () => {
    @RecoveryParticipant()
    class Base {
      @IntegrityCheck('a')
      a(): string[] {
        return ['base'];
      }

      @IntegrityCheck('b')
      b(): string[] {
        return ['base'];
      }

      beforeRestore(): string {
        return 'base';
      }

      afterRestore(carried: string): string {
        return carried;
      }
    }
    @Injectable()
    class Child extends Base {
      override a(): string[] {
        return ['child'];
      }

      @IntegrityCheck('c')
      override b(): string[] {
        return ['child'];
      }

      override beforeRestore(): string {
        return 'child';
      }
    }
    const { checks, participants } = hooksIn(await boot({ bulwark: {}, providers: [Child] }));
    expect(checks.map(({ name, from, run }) => [name, from, run(signal)]).toSorted()).toEqual([
      ['a', 'Child.a', ['child']],
      ['c', 'Child.b', ['child']],
    ]);
    expect(participants.map(({ name, before }) => [name, before()])).toEqual([['Child', 'child']]);
  });

  it('are collected of values and of what factories make, and once under any number of tokens', async () => {
    const Value = withHook(IntegrityCheck('value'));
    const Made = withHook(IntegrityCheck('made'));
    const Twice = withHook(IntegrityCheck('twice'));
    Injectable()(Twice);
    const { checks } = hooksIn(
      await boot({
        bulwark: {},
        providers: [
          { provide: 'value', useValue: new Value() },
          { provide: 'made', useFactory: async () => new Made() },
          Twice,
          { provide: 'alias', useExisting: Twice },
        ],
      }),
    );
    expect(checks.map(({ name }) => name).toSorted()).toEqual(['made', 'twice', 'value']);
  });

  it('of two classes of one name both take part, and can be told from each other', async () => {
    const make = (): new () => object => {
      class Mempool {
        beforeRestore(): void {}
        afterRestore(): void {}
      }
      RecoveryParticipant()(Mempool);
      return Mempool;
    };
    const world = await boot({ bulwark: {}, providers: provide(make(), make(), make()) });
    expect(hooksIn(world).participants.map(({ name }) => name)).toEqual([
      'Mempool',
      'Mempool (2)',
      'Mempool (3)',
    ]);
  });

  it('names of prototypes are names like others', async () => {
    const names = ['__proto__', 'constructor', 'toString'];
    const providers = provide(...names.map((name) => withHook(Reconnect(name))));
    const { reconnects } = hooksIn(await boot({ bulwark: {}, providers }));
    expect(reconnects.map(({ name }) => name)).toEqual(names);
  });

  it('of two applications stay apart', async () => {
    const [one, two] = [
      await boot({ bulwark: {}, providers: provide(withHook(IntegrityCheck('one'))) }),
      await boot({ bulwark: {}, providers: provide(withHook(IntegrityCheck('two'))) }),
    ];
    expect([one, two].map((world) => hooksIn(world).checks.map(({ name }) => name))).toEqual([
      ['one'],
      ['two'],
    ]);
  });
});

describe('hooks of a module that is loaded later', () => {
  it('of a class that is no singleton are told once', async () => {
    const world = await boot({ bulwark: {} });
    const Node = withHook(IntegrityCheck('a'));
    Injectable({ scope: Scope.REQUEST })(Node);
    class LazyModule {}
    Module({ providers: [Node] })(LazyModule);
    const lazy = world.app.get(LazyModuleLoader).load(() => LazyModule);
    await expect(lazy).rejects.toThrow('is request-scoped or transient');
    await load(world, withHook(IntegrityCheck('b')));
    expect(names(world)).toEqual(['b']);
  });

  const load = async (world: World, ...types: (new () => object)[]): Promise<unknown> => {
    class LazyModule {}
    Module({ providers: provide(...types) })(LazyModule);
    return world.app.get(LazyModuleLoader).load(() => LazyModule);
  };
  const names = (world: World): string[] => hooksIn(world).checks.map(({ name }) => name);

  it('are there from then on', async () => {
    const world = await boot({ bulwark: {}, providers: provide(withHook(IntegrityCheck('a'))) });
    const { checks } = hooksIn(world);
    await load(world, withHook(IntegrityCheck('b')));
    expect(checks.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('with a mistake among them none counts, and the next module is not blamed for it', async () => {
    const world = await boot({ bulwark: {}, providers: provide(withHook(IntegrityCheck('a'))) });
    const bad = [withHook(IntegrityCheck('b')), withHook(IntegrityCheck('a'))];
    await expect(load(world, ...bad)).rejects.toThrow(
      '@IntegrityCheck name: got "a", which Node.run',
    );
    await expect(load(world, withHook(Remedy('weather' as never)))).rejects.toThrow(
      '@Remedy category',
    );
    expect(names(world)).toEqual(['a']);
    await load(world, withHook(IntegrityCheck('c')));
    expect(names(world)).toEqual(['a', 'c']);
  });
});

describe('the boot fails, with all mistakes at once,', () => {
  it.each<[string, unknown, string]>([
    [
      'a check without a name',
      IntegrityCheck(' '),
      'Node.run @IntegrityCheck name: got " ", expected a string that is not empty',
    ],
    [
      'a connection without a name',
      Reconnect(undefined as never),
      'Node.run @Reconnect name: got undefined, expected a string',
    ],
    [
      'no attempt',
      Reconnect('a', { attempts: 0 }),
      'Node.run @Reconnect attempts: got 0, expected a whole number from 1 to 1000',
    ],
    [
      'a negative delay',
      Reconnect('a', { delay: -1 }),
      'Node.run @Reconnect delay: got -1, expected a number of milliseconds',
    ],
    [
      'a cool-down in words',
      Reconnect('a', { coolDown: '5s' as never }),
      'Node.run @Reconnect coolDown: got "5s", expected a number of milliseconds',
    ],
    [
      'an interval of zero',
      Reconnect('a', { retryEvery: 0 }),
      'Node.run @Reconnect retryEvery: got 0, expected a number of milliseconds from 1 to 2147483647, or false',
    ],
    [
      'an interval of true',
      Reconnect('a', { retryEvery: true as never }),
      'Node.run @Reconnect retryEvery: got true',
    ],
    [
      'a timeout without end',
      Reconnect('a', { timeout: Infinity }),
      'Node.run @Reconnect timeout: got Infinity',
    ],
    [
      'an unknown option',
      Reconnect('a', { tries: 5 } as never),
      'Node.run @Reconnect tries: unknown option; known are attempts, delay, coolDown, retryEvery, timeout',
    ],
    [
      'no options',
      Reconnect('a', null as never),
      'Node.run @Reconnect: got null, expected an options object',
    ],
    ['an option that throws', Reconnect('a', { get delay(): number { throw new Error('no'); } }), 'Node.run @Reconnect delay: cannot be read: no'], // prettier-ignore
    [
      'a connection that nobody makes',
      Resync('peers'),
      'Node.run @Resync name: got "peers", expected the name of a @Reconnect; there is none',
    ],
    [
      'a category that is none',
      Remedy('toString' as never),
      'Node.run @Remedy category: got "toString", expected \'transient\' or',
    ],
    [
      'a kind that is none',
      OnInvalid('peer' as never, 'reject'),
      "Node.run @OnInvalid kind: got \"peer\", expected 'block' or 'transaction'",
    ],
    [
      'a step that is none',
      OnInvalid('block', 'eat' as never),
      "Node.run @OnInvalid step: got \"eat\", expected 'reject' or 'request'",
    ],
    [
      'a shutdown without a name',
      OnShutdown({ name: '' }),
      'Node.run @OnShutdown name: got "", expected a string',
    ],
    [
      'one name for a list',
      OnShutdown({ dependsOn: 'http' as never }),
      'Node.run @OnShutdown dependsOn: got "http", expected a list of names',
    ],
    [
      'names that are none',
      OnShutdown({ dependsOn: [5 as never] }),
      'Node.run @OnShutdown dependsOn: got an array of 1, expected a list of names',
    ],
    [
      'an unknown dependency',
      OnShutdown({ dependsOn: ['http'] }),
      'Node.run @OnShutdown dependsOn: got "http", expected the name of an @OnShutdown; known are "Node.run"',
    ],
    [
      'a dependency on itself',
      OnShutdown({ name: 'a', dependsOn: ['a'] }),
      'Node.run @OnShutdown dependsOn: goes round in a circle, "a" > "a"',
    ],
  ])('of %s', async (_, decorator, problem) => {
    const { name, message } = await bootError({
      bulwark: {},
      providers: provide(withHook(decorator)),
    });
    expect(name).toBe('ResilienceConfigError');
    expect(message).toContain(`  - ${problem}`);
  });

  it('of names given twice', async () => {
    const decorators = [
      IntegrityCheck('a'), IntegrityCheck('a'),
      Reconnect('b'), Reconnect('b'),
      OnShutdown({ name: 'c' }), OnShutdown({ name: 'c' }),
    ]; // prettier-ignore
    const providers = provide(...decorators.map((decorator) => withHook(decorator)));
    const { message } = await bootError({ bulwark: {}, providers });
    expect(message.split('\n').slice(1)).toEqual([
      '  - Node.run @IntegrityCheck name: got "a", which Node.run has already, expected a name of its own',
      '  - Node.run @Reconnect name: got "b", which Node.run has already, expected a name of its own',
      '  - Node.run @OnShutdown name: got "c", which Node.run has already, expected a name of its own',
    ]);
  });

  it('of an order that goes round, and not of one that only meets again', async () => {
    const chain = (names: string): unknown =>
      OnShutdown({ name: names[0]!, dependsOn: [...names.slice(1)] });
    const bad = ['ab', 'bc', 'ca', 'da'].map((names) => withHook(chain(names)));
    const { message } = await bootError({ bulwark: {}, providers: provide(...bad) });
    expect(message.split('\n').slice(1)).toEqual([
      '  - Node.run @OnShutdown dependsOn: goes round in a circle, "a" > "b" > "c" > "a"; expected an order in which to end',
    ]);
    const good = ['abc', 'bd', 'cd', 'd'].map((names) => withHook(chain(names)));
    expect(
      hooksIn(await boot({ bulwark: {}, providers: provide(...good) })).shutdowns,
    ).toHaveLength(4);
  });

  it('of what is no method of instances, and of a participant without its methods', async () => {
    class Node {
      static still(): string[] {
        return [];
      }

      get figure(): string[] {
        return [];
      }

      beforeRestore(): void {}
    }
    const describe = (type: object, key: string): never =>
      Object.getOwnPropertyDescriptor(type, key) as never;
    IntegrityCheck('a')(Node, 'still', describe(Node, 'still'));
    IntegrityCheck('b')(Node.prototype, 'figure', describe(Node.prototype, 'figure'));
    IntegrityCheck('c')(Node.prototype, 'field', undefined as never);
    RecoveryParticipant()(Node as never);
    const { message } = await bootError({ bulwark: {}, providers: [Node] });
    expect(message.split('\n').slice(1)).toEqual([
      '  - Node.still @IntegrityCheck: is static, expected a method of the instances',
      '  - Node.figure @IntegrityCheck: is no method, expected one',
      '  - Node.field @IntegrityCheck: is no method, expected one',
      '  - Node @RecoveryParticipant: has no method afterRestore, expected both',
    ]);
  });

  it.each([Scope.REQUEST, Scope.TRANSIENT])('of a provider of scope %s', async (scope) => {
    const Node = withHook(IntegrityCheck('a'));
    Injectable({ scope })(Node);
    const { message } = await bootError({ bulwark: {}, providers: [Node] });
    expect(message).toContain(
      '- Node with hooks of recovery: is request-scoped or transient, expected a singleton',
    );
  });

  it('together with those of policies and figures', async () => {
    class Node {
      @Reconnect('a', { attempts: 0 })
      @Retry({ maxAttempts: 0 })
      async run(): Promise<void> {}
    }
    const { message } = await bootError({ bulwark: {}, providers: [Node] });
    expect(message).toContain('Node.run @Retry maxAttempts');
    expect(message).toContain('Node.run @Reconnect attempts');
  });
});
