import { forwardRef, Inject, Injectable, type Provider, Scope } from '@nestjs/common';
import { ContextIdFactory, ModuleRef } from '@nestjs/core';
import {
  CircuitBreaker,
  Fallback,
  ResilienceConfigError,
  ResilienceRegistry,
  ResilienceService,
  Retry,
} from 'nestjs-bulwark';
import { EventRecorder } from 'nestjs-bulwark/testing';
import { lastValueFrom, Observable, of } from 'rxjs';
import { boot, closeAll } from '../support/app.js';

afterEach(closeAll);

/** Answers 'protected' if the decorators work, and rejects if the method runs plain. */
class Client {
  @Fallback({ value: 'protected' })
  @CircuitBreaker()
  async call(): Promise<string> {
    throw new Error('plain');
  }
}

abstract class Port {
  abstract call(): Promise<string>;
}

class Frozen extends Client {
  constructor() {
    super();
    Object.freeze(this);
  }
}

class Sealed extends Client {
  constructor() {
    super();
    Object.preventExtensions(this);
  }
}

describe('an instance is protected when it is', () => {
  const ways: [string, Provider][] = [
    ['a class', Client],
    ['useClass behind an abstract class', { provide: Port, useClass: Client }],
    ['useValue', { provide: Port, useValue: new Client() }],
    ['useFactory', { provide: Port, useFactory: () => new Client() }],
    ['an asynchronous useFactory', { provide: Port, useFactory: async () => new Client() }],
    ['useValue, frozen', { provide: Port, useValue: Object.freeze(new Client()) }],
    ['frozen by its own constructor', { provide: Port, useClass: Frozen }],
    ['not extensible', { provide: Port, useClass: Sealed }],
    ['made by a factory and frozen', { provide: Port, useFactory: () => new Frozen() }],
    ['a subclass in useValue', { provide: Port, useValue: new (class Sub extends Client {})() }],
    [
      'an object made from the prototype',
      { provide: Port, useValue: Object.create(Client.prototype) as Client },
    ],
    ['provided under a string', { provide: 'client', useValue: new Client() }],
  ];

  it.each(ways)('%s', async (_, provider) => {
    const { app } = await boot({ providers: [provider] });
    const token = typeof provider === 'function' ? provider : provider.provide;

    await expect(app.get<Client>(token).call()).resolves.toBe('protected');
  });

  it('an alias of another provider, with one state behind both names', async () => {
    const { app } = await boot({ providers: [Client, { provide: Port, useExisting: Client }] });

    await expect(app.get(Port).call()).resolves.toBe('protected');
    expect(app.get(ResilienceRegistry).breakers.list()).toHaveLength(1);
  });

  it.each([
    ['transient', Scope.TRANSIENT, false],
    ['request-scoped', Scope.REQUEST, false],
    ['durable', Scope.REQUEST, true],
  ])('%s, with one state for all instances', async (_, scope, durable) => {
    @Injectable({ scope, durable })
    class Scoped extends Client {}
    const { app } = await boot({ providers: [Scoped] });

    const instances = await Promise.all(
      [1, 2].map(() => app.resolve(Scoped, ContextIdFactory.create())),
    );

    expect(instances[0]).not.toBe(instances[1]);
    for (const instance of instances) await expect(instance.call()).resolves.toBe('protected');
    const { counters } = app.get(ResilienceRegistry).breakers.reader('Scoped.call')!.snapshot();
    expect(counters.failure).toBe(2);
  });

  it('constructed by ModuleRef.create, reject a call if their options are bad', async () => {
    @Injectable()
    class Bad {
      @Retry({ maxAttempts: 0 })
      async promised(): Promise<void> {}

      @Retry({ maxAttempts: 0 })
      streamed(): Observable<number> {
        return of(1);
      }
    }
    const { app } = await boot({});
    const bad = await app.get(ModuleRef).create(Bad);

    const answers = [bad.promised(), bad.promised(), lastValueFrom(bad.streamed())];

    for (const answer of answers) {
      await expect(answer).rejects.toBeInstanceOf(ResilienceConfigError);
      await expect(answer).rejects.toThrow('@Retry maxAttempts: got 0');
    }
  });

  it('constructed by ModuleRef.create, also where the class is no provider', async () => {
    class Unlisted extends Client {}
    Injectable()(Unlisted);
    const { app } = await boot({});

    const instance = await app.get(ModuleRef).create(Unlisted);

    await expect(instance.call()).resolves.toBe('protected');
    expect(app.get(ResilienceRegistry).breakers.reader('Unlisted.call')).toBeDefined();
  });

  it('in a circle of forwardRef', async () => {
    @Injectable()
    class Hen extends Client {
      constructor(@Inject(forwardRef(() => Egg)) readonly egg: { call(): Promise<string> }) {
        super();
      }
    }
    @Injectable()
    class Egg extends Client {
      constructor(@Inject(forwardRef(() => Hen)) readonly hen: { call(): Promise<string> }) {
        super();
      }
    }
    const { app } = await boot({ providers: [Hen, Egg] });

    await expect(app.get(Hen).egg.call()).resolves.toBe('protected');
    await expect(app.get(Egg).hen.call()).resolves.toBe('protected');
  });

  it('bound by hand, because Nest did not construct it', async () => {
    const { app } = await boot({});
    const service = app.get(ResilienceService);

    const instance = service.bind(new Client());

    await expect(instance.call()).resolves.toBe('protected');
  });
});

describe('an instance that nobody bound', () => {
  it('runs plain, and that is reported once', async () => {
    const { app, log, clock } = await boot({ providers: [Client] });
    const recorder = new EventRecorder(app.get(ResilienceService).events$);

    await expect(new Client().call()).rejects.toThrow('plain');
    await expect(new Client().call()).rejects.toThrow('plain');
    await clock.advance(0);

    expect(recorder.of('unbound-call')).toHaveLength(1);
    expect(log.ours.filter(({ message }) => message.includes('ran without its policies'))).toEqual([
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('Client.call') }),
    ]);
  });

  it('runs plain and in silence where there is no application', async () => {
    await expect(new Client().call()).rejects.toThrow('plain');
  });

  it('may have no instance at all: a detached method runs plain', async () => {
    const { call } = new Client();

    await expect(call()).rejects.toThrow('plain');
    await expect(Reflect.apply(call, null, [])).rejects.toThrow('plain');
    await expect(Reflect.apply(call, 5, [])).rejects.toThrow('plain');
  });

  it('may be given to bind whatever it is', async () => {
    const { app } = await boot({});
    const service = app.get(ResilienceService);

    for (const odd of [Object.create(null) as object, [], {}, () => {}, new Map()]) {
      expect(service.bind(odd)).toBe(odd);
    }
  });
});
