// Instances that Nest did not construct are seen by our walk at the start; this is about before and after it.
import {
  Injectable,
  type InjectionToken,
  Module,
  type OnModuleInit,
  type Provider,
  Scope,
} from '@nestjs/common';
import { ContextIdFactory, LazyModuleLoader, ModuleRef } from '@nestjs/core';
import {
  CircuitBreaker,
  CLOCK,
  Fallback,
  ResilienceModule,
  ResilienceRegistry,
  ResilienceService,
} from 'nestjs-bulwark';
import { EventRecorder, FakeClock, settle } from 'nestjs-bulwark/testing';
import { boot, closeAll, deferred, type World } from '../support/app.js';

afterEach(closeAll);

/** Answers 'protected' if the decorators work, and rejects if the method runs plain. */
class Client {
  @Fallback({ value: 'protected' })
  @CircuitBreaker()
  async call(): Promise<string> {
    throw new Error('plain');
  }
}
Injectable()(Client);

class Port extends Client {}

const WAYS: [string, () => Provider][] = [
  ['a class', () => ({ provide: Port, useClass: Client })],
  ['a value', () => ({ provide: Port, useValue: new Client() })],
  ['a frozen value', () => ({ provide: Port, useValue: Object.freeze(new Client()) })],
  ['a factory', () => ({ provide: Port, useFactory: () => new Client() })],
  ['an asynchronous factory', () => ({ provide: Port, useFactory: async () => new Client() })],
];

const warnings = ({ log }: World): string[] =>
  log.ours.map(({ message }) => message).filter((line) => line.includes('without its policies'));

const tell = (call: Promise<string>): Promise<string> => call.catch((e: Error) => e.message);

describe.each(WAYS)('an instance from %s', (way, provider) => {
  const caller = (...more: InjectionToken[]): Provider => ({
    provide: 'caller',
    useFactory: async (port: Port) => tell(port.call()),
    inject: [Port, ...more],
  });

  it('is protected in a factory that asks for the service too', async () => {
    const world = await boot({ providers: [caller(ResilienceService), provider()] });
    await settle();

    expect(world.app.get('caller')).toBe('protected');
    expect(world.app.get(ResilienceRegistry).breakers.list()).toHaveLength(1);
    expect(warnings(world)).toEqual([]);
  });

  it('is protected in a factory that does not, or that is reported', async () => {
    const world = await boot({ providers: [caller(), provider()] });
    await settle();

    expect(warnings(world)).toHaveLength(world.app.get('caller') === 'protected' ? 0 : 1);
    if (way === 'a class') expect(world.app.get('caller')).toBe('protected');
  });

  it('of a module that is loaded late is protected, when it is there and while it loads', async () => {
    let early: string | undefined;
    const caller = {
      provide: 'caller',
      useFactory: async (port: Port) => (early = await tell(port.call())),
      inject: [Port],
    };
    @Module({ providers: [caller, provider()] })
    class Late {}
    const world = await boot({});

    const late = await world.app.get(LazyModuleLoader).load(() => Late);

    expect(early).toBe('protected');
    expect(await tell(late.get(Port).call())).toBe('protected');
    expect(warnings(world)).toEqual([]);
  });
});

it('nothing that Nest constructs is there before the runtime, however long that takes', async () => {
  @Injectable()
  class Caller {
    readonly said: Promise<string>;

    constructor(client: Client) {
      this.said = tell(client.call());
    }
  }
  const slowly = async (): Promise<FakeClock> => {
    await new Promise((resolve) => setImmediate(resolve));
    return new FakeClock();
  };
  const { app } = await boot({
    providers: [Caller, Client],
    build: (builder) => builder.overrideProvider(CLOCK).useFactory({ factory: slowly }),
  });

  expect(await app.get(Caller).said).toBe('protected');
});

it.each([
  ['request-scoped', Scope.REQUEST],
  ['transient', Scope.TRANSIENT],
])(
  'instances from a %s factory of a module that is loaded late are protected',
  async (_, scope) => {
    @Module({ providers: [{ provide: Port, useFactory: () => new Client(), scope }] })
    class Late {}
    const world = await boot({});
    const late: ModuleRef = await world.app.get(LazyModuleLoader).load(() => Late);

    for (let i = 0; i < 2; i += 1) {
      const port = await late.resolve(Port, ContextIdFactory.create());
      expect(await tell(port.call())).toBe('protected');
    }
    expect(warnings(world)).toEqual([]);
  },
);

it('a module that cannot be loaded leaves everything as it was', async () => {
  @Module({ providers: [{ provide: Port, useFactory: () => Promise.reject(new Error('no')) }] })
  class Broken {}
  const { app } = await boot({ providers: [Client] });

  await expect(app.get(LazyModuleLoader).load(() => Broken)).rejects.toThrow('no');

  expect(await tell(app.get(Client).call())).toBe('protected');
  expect(await tell(new Client().call())).toBe('plain');
});

describe('a call that runs plain while the application starts', () => {
  const impatient = {
    provide: Port,
    useFactory: async () => {
      const made = new Client();
      await tell(made.call()); // Nest does not know it yet
      await tell(made.call());
      return made;
    },
  };

  it('is reported once when somebody can hear it, and once more if it happens later', async () => {
    const recorders: EventRecorder[] = [];
    @Injectable()
    class Listener implements OnModuleInit {
      constructor(private readonly service: ResilienceService) {}

      onModuleInit(): void {
        recorders.push(new EventRecorder(this.service.events$));
      }
    }
    const world = await boot({ providers: [impatient, Listener] });
    await settle();

    expect(warnings(world)).toEqual([expect.stringContaining('Client.call ran without')]);
    expect(recorders[0]!.of('unbound-call')).toHaveLength(1);
    expect(await tell(world.app.get(Port).call())).toBe('protected');

    await tell(new Client().call());
    await tell(new Client().call());
    await settle();
    expect(warnings(world)).toHaveLength(2);
  });

  it('because the configuration is not there yet is reported too', async () => {
    const config = deferred<object>();
    const early = {
      provide: 'early',
      useFactory: async (client: Client) => {
        const said = await tell(client.call());
        config.resolve({ health: false });
        return said;
      },
      inject: [Client],
    };
    const bulwark = ResilienceModule.forRootAsync({ useFactory: () => config.promise });

    const world = await boot({ bulwark, providers: [Client, early] });
    await settle();

    expect(world.app.get('early')).toBe('plain');
    expect(warnings(world)).toHaveLength(1);
    expect(await tell(world.app.get(Client).call())).toBe('protected');
  });

  it('is none of the next application, where this one has closed', async () => {
    await boot({ bulwark: { health: false } });
    await closeAll();
    await tell(new Client().call());

    const world = await boot({});
    await settle();

    expect(warnings(world)).toEqual([]);
  });
});
