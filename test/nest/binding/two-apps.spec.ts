import { Injectable, Module, type OnModuleInit, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  CircuitBreaker,
  Fallback,
  ResilienceModule,
  ResilienceRegistry,
  ResilienceService,
} from 'nestjs-bulwark';
import { EventRecorder, settle } from 'nestjs-bulwark/testing';
import v8 from 'node:v8';
import vm from 'node:vm';
import { boot, bootError, closeAll, eventLoopTurns, type World } from '../support/app.js';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

afterEach(closeAll);

@Injectable()
class Client {
  @CircuitBreaker({ failureThreshold: 1 })
  async call(fail = false): Promise<string> {
    if (fail) throw new Error('down');
    return 'fine';
  }
}

@Injectable()
class Unbound {
  @Fallback({ value: 'protected' })
  async call(): Promise<string> {
    throw new Error('plain');
  }
}

@Module({ imports: [ResilienceModule.forRoot()], providers: [Client] })
class AppModule {}

const fromOneModule = (): Promise<World> => boot({ bulwark: 'none', imports: [AppModule] });
const stateIn = ({ app }: World): string =>
  app.get(ResilienceRegistry).breakers.reader('Client.call')!.state;

describe('#94 two applications in one process', () => {
  it('#94 share no state, also when they are made from the same module class', async () => {
    const [one, two] = [await fromOneModule(), await fromOneModule()];

    await one.app
      .get(Client)
      .call(true)
      .catch(() => {});

    expect([stateIn(one), stateIn(two)]).toEqual(['open', 'closed']);
    await expect(one.app.get(Client).call()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    await expect(two.app.get(Client).call()).resolves.toBe('fine');
  });

  it('#94 go on working when the other one closes, in either order', async () => {
    const [one, two, three] = [await fromOneModule(), await fromOneModule(), await fromOneModule()];
    await one.app.close();
    await three.app.close();

    await two.app
      .get(Client)
      .call(true)
      .catch(() => {});

    expect(stateIn(two)).toBe('open');
    await expect(two.app.get(Client).call()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  });

  it('#94 have their own events', async () => {
    const [one, two] = [await fromOneModule(), await fromOneModule()];
    const heard = [one, two].map(
      ({ app }) => new EventRecorder(app.get(ResilienceService).events$),
    );

    await one.app
      .get(Client)
      .call(true)
      .catch(() => {});
    await settle();

    expect(heard.map((r) => r.of('circuit-state-changed').length)).toEqual([1, 0]);
  });

  it('#94 the one that lives still reports unbound calls after a later one has closed', async () => {
    const one = await fromOneModule();
    const recorder = new EventRecorder(one.app.get(ResilienceService).events$);
    await (await fromOneModule()).app.close();

    await new Unbound().call().catch(() => {});
    await settle();

    expect(recorder.of('unbound-call')).toHaveLength(1);
  });

  it('a value given to two applications belongs to the first, and to the second when the first has closed', async () => {
    const shared = new Client();
    const withShared = (): Promise<World> =>
      boot({ providers: [{ provide: Client, useValue: shared }] });
    const [one, two] = [await withShared(), await withShared()];

    await shared.call(true).catch(() => {});
    expect([stateIn(one), stateIn(two)]).toEqual(['open', 'closed']);
    await one.app.close();

    await expect(shared.call()).resolves.toBe('fine');
    await shared.call(true).catch(() => {});
    expect(stateIn(two)).toBe('open');
  });

  it('a value used in one application after another is protected by each in turn', async () => {
    const shared = new Client();
    for (let i = 0; i < 3; i += 1) {
      const world = await boot({ providers: [{ provide: Client, useValue: shared }] });
      await expect(shared.call()).resolves.toBe('fine');
      await shared.call(true).catch(() => {});
      expect(stateIn(world)).toBe('open');
      await world.app.close();
    }
  });

  it('a value of an application that failed to start belongs to the one that starts', async () => {
    const shared = new Client();
    @Injectable()
    class Bad implements OnModuleInit {
      onModuleInit(): void {
        throw new Error('the database is away');
      }
    }
    const providers = [{ provide: Client, useValue: shared }];
    const failed = await bootError({ providers: [...providers, Bad] });
    expect(failed.message).toBe('the database is away');

    const world = await boot({ providers });
    await shared.call(true).catch(() => {});

    expect(stateIn(world)).toBe('open');
  });

  it('a value that one of them gives anew with each request is remembered once for the other', async () => {
    const shared = new Client();
    const one = await boot({ providers: [{ provide: Client, useValue: shared }] });
    const anew = { provide: Client, scope: Scope.REQUEST, useFactory: () => shared };
    const two = await boot({ providers: [anew] });
    for (let i = 0; i < 20; i += 1) await two.app.resolve(Client);

    const { heirs } = one.app.get<{ heirs: object[] }>(Symbol.for('bulwark:runtime'));
    expect(heirs).toHaveLength(1);
    await one.app.close();
    await shared.call(true).catch(() => {});
    expect(stateIn(two)).toBe('open');
  });

  it('a closed application is not kept in memory by the decorated classes', async () => {
    const registries: WeakRef<object>[] = [];
    for (let i = 0; i < 10; i += 1) {
      const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
      await app.get(Client).call();
      registries.push(new WeakRef(app.get(ResilienceRegistry)));
      await app.close();
    }

    for (let i = 0; i < 5; i += 1) {
      await eventLoopTurns();
      collectGarbage();
    }

    // the engine may still hold the last one on its stack
    expect(registries.slice(0, -1).filter((r) => r.deref() !== undefined)).toHaveLength(0);
  });
});
