import { Injectable, Module, type OnModuleInit, Scope } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  Checkpoint,
  CheckpointComponent,
  CheckpointService,
  currentCall,
  Durable,
  DurableMap,
  Fallback,
  ResilienceModule,
  ResilienceService,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { FakeClock } from 'nestjs-bulwark/testing';
import { HealthReport } from '../../../lib/nest/health/health-report.js';
import { CLOCK } from '../../../lib/nest/tokens.js';
import { Disk, StagedStore } from '../../unit/checkpoint/staged-store.js';

@Injectable()
@CheckpointComponent({ name: 'ledger' })
class Ledger {
  @Durable() readonly balances = new DurableMap<string, number>();
  fails = 0;
  attempts = 0;

  @Checkpoint()
  async add(to: string, amount: number): Promise<number> {
    return this.balances.update(to, (balance) => (balance ?? 0) + amount);
  }

  @Retry({ delay: 1 })
  @Checkpoint()
  async flaky(to: string): Promise<number> {
    this.attempts += 1;
    this.balances.set(to, this.attempts);
    await Promise.resolve();
    if (this.fails-- > 0) throw new Error('not yet');
    return currentCall().attempt;
  }

  @Fallback({ value: -1 })
  @TimeLimit(100)
  @Checkpoint()
  async slow(to: string): Promise<number> {
    this.balances.set(to, 1);
    await new Promise(() => {});
    return 1;
  }
}

@Injectable()
class Reader implements OnModuleInit {
  seen: unknown;

  constructor(private readonly ledger: Ledger) {
    this.seen = this.ledger.balances.get('a');
  }

  onModuleInit(): void {
    this.seen = [this.seen, this.ledger.balances.get('a')];
  }
}

@Module({ providers: [Ledger, Reader] })
class LedgerModule {}

const clock = new FakeClock();
let apps: TestingModule[] = [];

async function start(disk: Disk, providers: object[] = []): Promise<TestingModule> {
  const store = new StagedStore(disk);
  const app = await Test.createTestingModule({
    imports: [
      ResilienceModule.forRoot({ checkpoint: { store, verify: true }, health: false }),
      LedgerModule,
    ],
    providers: providers as never,
  })
    .overrideProvider(CLOCK)
    .useValue(clock)
    .compile();
  apps.push(app);
  await app.init();
  return app;
}

afterEach(async () => {
  for (const app of apps) await app.close();
  apps = [];
});

it('state is there after a restart, in constructors already', async () => {
  const disk = new Disk();
  const first = await start(disk);
  expect(await first.get(Ledger).add('a', 5)).toBe(5);
  const second = await start(disk);
  expect(second.get(Reader).seen).toEqual([5, 5]);
  expect(await second.get(Ledger).add('a', 1)).toBe(6);
});

it('an attempt that failed leaves nothing to the next', async () => {
  const app = await start(new Disk());
  const ledger = app.get(Ledger);
  ledger.fails = 2;
  const call = ledger.flaky('a');
  await clock.advance(1_000);
  expect(await call).toBe(3);
  expect([...ledger.balances]).toEqual([['a', 3]]);
});

it('a timed-out attempt keeps nothing, and its fallback answers', async () => {
  const app = await start(new Disk());
  const ledger = app.get(Ledger);
  const call = ledger.slow('a');
  await clock.advance(100);
  expect(await call).toBe(-1);
  expect(ledger.balances.size).toBe(0);
  expect(await ledger.add('b', 1)).toBe(1);
});

it('keeps what it does with the kill switch on', async () => {
  const disk = new Disk();
  const app = await start(disk);
  app.get(ResilienceService).enabled = false;
  await app.get(Ledger).add('a', 5);
  expect((await start(disk)).get(Ledger).balances.get('a')).toBe(5);
});

it('the service saves, names, restores', async () => {
  const app = await start(new Disk());
  const ledger = app.get(Ledger);
  const checkpoints = app.get(CheckpointService);
  await ledger.add('a', 1);
  await checkpoints.create('before');
  await ledger.add('a', 1);
  await checkpoints.save();
  await checkpoints.restore('before');
  expect(ledger.balances.get('a')).toBe(1);
  expect((await checkpoints.list()).map(({ id }) => id)).toContain('before');
  expect((await checkpoints.verify()).ok).toBe(true);
});

it('an application saves when it closes', async () => {
  const disk = new Disk();
  const app = await start(disk);
  await app.get(Ledger).add('a', 5);
  await app.close();
  expect(disk.generations).toHaveLength(1);
});

describe('the boot refuses', () => {
  const boot = (config: object, ...providers: object[]): Promise<TestingModule> =>
    Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ health: false, ...config })],
      providers: providers as never,
    })
      .compile()
      .then((app) => app.init())
      .then((app) => app as TestingModule);

  it('a component without a store', async () => {
    await expect(boot({}, Ledger)).rejects.toThrow(
      /Ledger: is a component, and the module has no store; expected `checkpoint: \{ directory \}`/,
    );
  });

  it('a component without the module', async () => {
    const alone = Test.createTestingModule({ providers: [Ledger] }).compile();
    await expect(alone).rejects.toThrow(/bulwark:checkpoints/);
  });

  it('@Checkpoint on what is no component', async () => {
    @Injectable()
    class Plain {
      @Checkpoint() async work(): Promise<void> {}
    }
    await expect(boot({}, Plain)).rejects.toThrow(/Plain\.work @Checkpoint: Plain is no component/);
  });

  it('a component that is not a singleton', async () => {
    @Injectable({ scope: Scope.REQUEST })
    @CheckpointComponent({ name: 'scoped' })
    class Scoped {
      @Durable() readonly values = new DurableMap<string, number>();
    }
    const checkpoint = { store: new StagedStore() };
    await expect(boot({ checkpoint }, Scoped)).rejects.toThrow(/expected a singleton/);
  });

  it('a component that a factory makes', async () => {
    const checkpoint = { store: new StagedStore() };
    const provider = { provide: Ledger, useFactory: () => new Ledger() };
    await expect(boot({ checkpoint }, provider)).rejects.toThrow(
      /expected a class that Nest constructs/,
    );
  });

  it('bad options, all of them at once', async () => {
    @Injectable()
    @CheckpointComponent({ name: '../etc', version: 0, snapshot: { calls: 0 } } as never)
    class Bad {
      @Durable() values = 5;
      @Checkpoint({ journal: () => 1 }) async work(): Promise<void> {}
    }
    const checkpoint = { store: new StagedStore() };
    const refused = boot({ checkpoint }, Bad);
    await expect(refused).rejects.toThrow(/name: got "\.\.\/etc", expected a name of letters/);
    await expect(refused).rejects.toThrow(/version: got 0/);
    await expect(refused).rejects.toThrow(/snapshot calls: got 0/);
    await expect(refused).rejects.toThrow(/Bad\.values @Durable: expected a DurableMap/);
    await expect(refused).rejects.toThrow(/journal: given without rollback: true/);
  });

  it('a configuration of two stores, or none', async () => {
    const store = new StagedStore();
    await expect(boot({ checkpoint: { store, directory: 'x' } })).rejects.toThrow(/got both/);
    await expect(boot({ checkpoint: {} })).rejects.toThrow(/got neither, expected either/);
    await expect(boot({ checkpoint: { dir: 'x' } })).rejects.toThrow(/unknown option/);
  });

  it('@Checkpoint in a preset, and in execute()', async () => {
    await expect(boot({ presets: { x: { checkpoint: {} } } })).rejects.toThrow(/unknown policy/);
    const app = await boot({});
    const service = app.get(ResilienceService);
    const odd = service.execute('x', async () => 1, { checkpoint: {} } as never);
    await expect(odd).rejects.toThrow(/unknown policy/);
    await app.close();
  });
});

it('a plain instance in a unit test just works', async () => {
  const ledger = new Ledger();
  expect(await ledger.add('a', 1)).toBe(1);
  expect(ledger.balances.get('a')).toBe(1);
});

describe('health', () => {
  it('tells how the store is doing, and is degraded while it is fenced', async () => {
    const store = new StagedStore();
    const app = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ checkpoint: { store }, health: { details: 'always' } })],
      providers: [Ledger],
    })
      .overrideProvider(CLOCK)
      .useValue(clock)
      .compile();
    apps.push(app);
    await app.init();
    const health = app.get(HealthReport);
    await app.get(Ledger).add('a', 1);
    expect(await health.all()).toMatchObject({
      status: 'ok',
      details: {
        checkpoints: {
          status: 'up',
          store: 'open',
          components: { ledger: { pending: 0, unsaved: 2 } },
        },
      },
    });
    store.breaksOpen = new Error('ENOSPC');
    store.fail();
    await clock.advance(0);
    expect(await health.all()).toMatchObject({ status: 'degraded' });
    store.breaksOpen = undefined;
    await clock.advance(1_000);
    expect(await health.all()).toMatchObject({ status: 'ok' });
  });
});
