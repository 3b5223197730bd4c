// Through the decorators, where users are: what the policies around a kept call may do, and may not.
import { Controller, Get, Inject, Injectable, Scope } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  Bulkhead,
  Checkpoint,
  CheckpointComponent,
  CheckpointService,
  CircuitBreaker,
  Durable,
  DurableMap,
  Fallback,
  type ResilienceEvent,
  ResilienceModule,
  ResilienceRegistry,
  ResilienceService,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { FakeClock, settle } from 'nestjs-bulwark/testing';
import { CLOCK } from '../../../lib/nest/tokens.js';
import { Disk, StagedStore } from '../../unit/checkpoint/staged-store.js';

const clock = new FakeClock();

@Injectable()
@CheckpointComponent({ name: 'till' })
class Till {
  @Durable() readonly sums = new DurableMap<string, number>();
  times = 0;
  gate: Promise<void> = Promise.resolve();

  private put(to: string): number {
    this.times += 1;
    return this.sums.update(to, (sum) => (sum ?? 0) + 1);
  }

  @Fallback({ value: -1, on: [() => true] })
  @Retry({ retryOn: () => true, idempotent: true, delay: 1, totalTimeout: 100 })
  @CircuitBreaker({ failureThreshold: 2 })
  @TimeLimit(50)
  @Checkpoint()
  async pay(to: string): Promise<number> {
    await this.gate;
    return this.put(to);
  }

  @Retry({ delay: 1 })
  @Checkpoint()
  async flaky(to: string): Promise<number> {
    this.put(to);
    if (this.times < 3) throw new Error('not yet');
    return this.times;
  }

  @TimeLimit(10)
  @Checkpoint()
  async slow(to: string): Promise<number> {
    this.put(to);
    return new Promise(() => {});
  }

  @Checkpoint()
  async outer(): Promise<string> {
    this.sums.set('outer', 1);
    const late = await this.slow('slow').catch((error: { code: string }) => error.code);
    const count = await this.flaky('flaky');
    return `${late} ${count}`;
  }
}

@Injectable()
class Shop {
  constructor(@Inject(Till) private readonly till: Till) {}

  @Fallback({ value: -2, on: [() => true] })
  @Retry({ retryOn: () => true, delay: 1 })
  @Bulkhead({ maxConcurrent: 5 })
  async buy(): Promise<number> {
    return this.till.pay('shop');
  }
}

let store: StagedStore;
let app: TestingModule;
let events: ResilienceEvent[];

beforeEach(async () => {
  store = new StagedStore(new Disk());
  app = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ checkpoint: { store, verify: true }, health: false })],
    providers: [Till, Shop],
  })
    .overrideProvider(CLOCK)
    .useValue(clock)
    .compile();
  events = [];
  app.get(ResilienceService).events$.subscribe((event) => events.push(event));
  await app.init();
});

afterEach(() => app.close());

const breakerState = (): string => app.get(ResilienceRegistry).breakers.reader('Till.pay')!.state;

describe.each([
  ['the method itself', () => app.get(Till).pay('a')],
  ['a method around it', () => app.get(Shop).buy()],
])('CommitUnknownError out of %s', (_, call) => {
  it('is neither retried nor hidden, whatever retryOn and on say', async () => {
    const till = app.get(Till);
    store.syncs = false;
    const result = call();
    const settled = expect(result).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN' });
    await settle();
    store.fail();
    await settled;
    await clock.advance(1_000);
    expect(till.times).toBe(1);
    expect(breakerState()).toBe('closed');
    expect(events.map(({ type }) => type)).not.toContain('fallback-used');
  });
});

it('no limit ends a call that is in the journal', async () => {
  store.syncs = false;
  const paid = app.get(Till).pay('a');
  await clock.advance(5_000);
  store.sync();
  expect(await paid).toBe(1);
});

it('a limit in the very moment before the append voids the attempt, and its retry counts once', async () => {
  const till = app.get(Till);
  let open!: () => void;
  till.gate = new Promise<void>((resolve) => (open = resolve));
  const paid = till.pay('a');
  await clock.advance(50);
  open();
  await clock.advance(10);
  await paid;
  expect([...till.sums.values()].reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(1);
  expect(await till.pay('b')).toBe(1);
});

it('our refusals are no failures for the breaker', async () => {
  store.breaksOpen = new Error('ENOSPC');
  store.fail();
  await settle();
  const refused = [app.get(Till).pay('a'), app.get(Till).pay('a'), app.get(Till).pay('a')];
  await clock.advance(100);
  expect(await Promise.all(refused)).toEqual([-1, -1, -1]);
  expect(breakerState()).toBe('closed');
  store.breaksOpen = undefined;
  await clock.advance(2_000);
  expect(await app.get(Till).pay('a')).toBe(1);
});

it('joined calls keep their own limits and retries', async () => {
  const till = app.get(Till);
  const done = till.outer();
  for (let i = 0; i < 30; i += 1) await clock.advance(10);
  expect(await done).toBe('CALL_TIMEOUT 3');
  expect([...till.sums]).toEqual([
    ['outer', 1],
    ['flaky', 1],
  ]);
});

it('one user’s call does not run as another’s, and leaves no timer', async () => {
  const till = app.get(Till);
  const before = clock.pending;
  await Promise.all(Array.from({ length: 50 }, (_, i) => till.pay(`u${i % 7}`)));
  expect([...till.sums.values()].reduce((a, b) => a + b, 0)).toBe(50);
  await clock.advance(51); // the look for calls that hang, one for all
  expect(clock.pending).toBe(before);
});

describe('the boot', () => {
  const boot = async (...providers: object[]): Promise<void> => {
    const other = await Test.createTestingModule({
      imports: [
        ResilienceModule.forRoot({ checkpoint: { store: new StagedStore() }, health: false }),
      ],
      providers: providers as never,
    }).compile();
    await other.init();
    await other.close();
  };

  it('refuses options that a component cannot carry out', async () => {
    @Injectable()
    @CheckpointComponent({ name: 'loose', serial: false })
    class Loose {
      captureState(): number {
        return 1;
      }
      restoreState(): void {}
      @Checkpoint({ rollback: true, journal: () => 1, idempotencyKey: () => 'k' })
      async work(): Promise<void> {}
    }
    const refused = boot(Loose);
    await expect(refused).rejects.toThrow(
      /Loose\.work @Checkpoint rollback: given with serial: false/,
    );
    await expect(refused).rejects.toThrow(/@Checkpoint idempotencyKey: given with serial: false/);
    await expect(refused).rejects.toThrow(/@Checkpoint journal: given without a method applyEntry/);
  });

  it('refuses a journal beside durable fields', async () => {
    @Injectable()
    @CheckpointComponent({ name: 'both' })
    class Both {
      @Durable() readonly values = new DurableMap<string, number>();
      @Checkpoint({ rollback: true, journal: () => 1 })
      async work(): Promise<void> {}
    }
    await expect(boot(Both)).rejects.toThrow(/journal: given with @Durable\(\) fields/);
  });

  it('a subclass beside its parent is one name twice', async () => {
    @Injectable()
    class Branch extends Till {}
    await expect(boot(Till, Branch)).rejects.toThrow(/"till" a second time/);
  });

  it('a subclass has the fields of its parent, under its own name', async () => {
    @Injectable()
    @CheckpointComponent({ name: 'branch' })
    class Branch extends Till {
      @Durable() readonly more = new DurableMap<string, number>();

      @Checkpoint()
      async both(): Promise<void> {
        this.sums.set('a', 1);
        this.more.set('a', 1);
      }
    }
    const staged = new StagedStore();
    const other = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ checkpoint: { store: staged }, health: false })],
      providers: [Till, Branch],
    }).compile();
    await other.init();
    await other.get(Branch).both();
    expect([other.get(Branch).sums.size, other.get(Till).sums.size]).toEqual([1, 0]);
    await other.close();
  });

  it('request-scoped consumers and controllers reach the one component', async () => {
    @Controller()
    class Pays {
      constructor(@Inject(Till) readonly till: Till) {}
      @Get() pay(): Promise<number> {
        return this.till.pay('web');
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      constructor(@Inject(Till) readonly till: Till) {}
    }
    const other = await Test.createTestingModule({
      imports: [
        ResilienceModule.forRoot({ checkpoint: { store: new StagedStore() }, health: false }),
      ],
      controllers: [Pays],
      providers: [Till, PerRequest],
    }).compile();
    await other.init();
    const [one, two] = [await other.resolve(PerRequest), await other.resolve(PerRequest)];
    expect(one).not.toBe(two);
    await one.till.pay('web');
    expect(await two.till.pay('web')).toBe(2);
    expect(await other.get(Pays).pay()).toBe(3);
    await other.close();
  });

  it('without the module, automatic mocks leave a component a plain instance', async () => {
    const mocked = await Test.createTestingModule({ providers: [Till] })
      .useMocker(() => ({}))
      .compile();
    expect(await mocked.get(Till).pay('a')).toBe(1);
    await mocked.close();
  });
});

it('the service answers clearly without a store', async () => {
  const other = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ health: false })],
  }).compile();
  await other.init();
  await expect(other.get(CheckpointService).save()).rejects.toThrow(/got nothing, expected/);
  await other.close();
});
