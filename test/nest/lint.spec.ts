import { Controller, Get, Injectable, type OnModuleInit, UseInterceptors } from '@nestjs/common';
import {
  Bulkhead,
  BulkheadInterceptor,
  type LintCode,
  type ResilienceConfig,
  type ResilienceConfigError,
  ResilienceService,
  Resilient,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { NoOpResilienceModule } from 'nestjs-bulwark/testing';
import { boot, bootError, closeAll, type World } from './support/app.js';

afterEach(closeAll);

@Injectable()
class Orders {
  @Retry({ maxAttempts: 2 })
  @TimeLimit(100)
  async create(): Promise<void> {}

  @Bulkhead()
  async find(): Promise<void> {}
}

const booted = (lint?: ResilienceConfig['lint'], more: ResilienceConfig = {}): Promise<World> =>
  boot({ providers: [Orders], bulwark: { health: false, lint, ...more } });
const warnings = ({ log }: World): string[] =>
  log.ours.filter(({ level }) => level === 'warn').map(({ message }) => message);
const codes = ({ app }: World): [LintCode, string][] =>
  app.get(ResilienceService).lint.map(({ code, target }) => [code, target]);

describe('the lint at the start', () => {
  it('warns of each finding in one line, and keeps it readable', async () => {
    const world = await booted();

    expect(warnings(world)).toEqual([
      expect.stringMatching(
        /^Orders.create: is retried, and "create" sounds like a write .* \[WRITE_WITHOUT_IDEMPOTENT\]$/,
      ),
      expect.stringMatching(/^Orders.find: up to 10 calls wait .* \[QUEUE_WITHOUT_LIMIT\]$/),
    ]);
    expect(codes(world)).toEqual([
      ['WRITE_WITHOUT_IDEMPOTENT', 'Orders.create'],
      ['QUEUE_WITHOUT_LIMIT', 'Orders.find'],
    ]);
  });

  it('leaves out what is said to be meant', async () => {
    const world = await booted({
      suppress: [
        { code: 'QUEUE_WITHOUT_LIMIT', reason: 'who waits here has all day' },
        { code: 'WRITE_WITHOUT_IDEMPOTENT', target: 'Orders.update', reason: 'a set' },
      ],
    });

    expect(codes(world)).toEqual([['WRITE_WITHOUT_IDEMPOTENT', 'Orders.create']]);
    expect(warnings(world)).toHaveLength(1);
  });

  it('is silent with `lint: false`, and in the no-op module', async () => {
    const off = await booted(false);
    const noOp = await boot({ providers: [Orders], bulwark: NoOpResilienceModule.forRoot() });

    expect([warnings(off), codes(off), warnings(noOp), codes(noOp)]).toEqual([[], [], [], []]);
  });

  it('says nothing of policies that are switched off', async () => {
    expect(warnings(await booted({}, { enabled: false }))).toEqual([]);
  });

  it('knows interceptors, names of hooks, defaults and overrides', async () => {
    @Injectable()
    class Early implements OnModuleInit {
      constructor(private readonly resilience: ResilienceService) {}

      async onModuleInit(): Promise<void> {
        await this.resilience.execute('early', async () => {}, 'pool');
      }
    }
    @Controller()
    class Pages {
      @Get()
      @UseInterceptors(BulkheadInterceptor)
      read(): void {}
    }
    const world = await boot({
      providers: [Early, Orders],
      controllers: [Pages],
      bulwark: {
        health: false,
        presets: { pool: { bulkhead: {} }, unused: {} },
        defaults: { retry: { idempotent: false } },
        policies: { 'Orders.find': { timeLimit: 5 }, 'Order.find': {}, early: { retry: {} } },
      },
    });

    expect(codes(world)).toEqual([
      ['QUEUE_WITHOUT_LIMIT', 'Pages.read'],
      ['QUEUE_WITHOUT_LIMIT', 'early'],
      ['UNUSED_OVERRIDE', 'Order.find'],
      ['UNUSED_PRESET', 'unused'],
    ]);
    expect(warnings(world)).toHaveLength(4);
    expect(warnings(world)[2]).toContain('near to it are "Orders.find"');
  });

  it('does not blame a preset that a decorator asks for', async () => {
    @Injectable()
    class Client {
      @Resilient('rpc')
      async call(): Promise<void> {}
    }
    const world = await boot({
      providers: [Client],
      bulwark: { health: false, presets: { rpc: { retry: {} } } },
    });

    expect(codes(world)).toEqual([]);
  });
});

describe('after the start', () => {
  it('a name that comes tells the first finding of each code, and settles what waited for it', async () => {
    const world = await booted(
      {},
      {
        presets: { pool: { bulkhead: {} } },
        policies: { rates: { bulkhead: { maxQueue: 5 } } },
      },
    );
    const service = world.app.get(ResilienceService);
    expect(codes(world).map(([code]) => code)).toContain('UNUSED_OVERRIDE');
    const before = warnings(world).length;

    for (const name of ['rates', 'more', 'again'])
      await service.execute(name, async () => {}, 'pool');

    expect(warnings(world).slice(before)).toEqual([
      expect.stringMatching(/^rates: up to 5 calls wait .*QUEUE_WITHOUT_LIMIT/),
    ]);
    expect(codes(world)).toEqual([
      ['WRITE_WITHOUT_IDEMPOTENT', 'Orders.create'],
      ...['Orders.find', 'rates', 'more', 'again'].map((name) => ['QUEUE_WITHOUT_LIMIT', name]),
    ]);
  });

  it('reconfigured policies are read as they are', async () => {
    const world = await booted();
    const service = world.app.get(ResilienceService);
    service.reconfigure('Orders.find', { bulkhead: { queueTimeout: 5 } });
    service.reconfigure('Orders.create', { retry: false });

    expect(codes(world)).toEqual([]);
  });

  it('a retry that is declined for another reason is no matter for the log', async () => {
    @Injectable()
    class Slow {
      @Retry({ totalTimeout: 200, delay: 150, jitter: 'none', maxAttempts: 2 })
      @TimeLimit(50)
      hang(): Promise<void> {
        return new Promise(() => {});
      }
    }
    const world = await boot({ providers: [Slow] });
    const refused = expect(world.app.get(Slow).hang()).rejects.toMatchObject({
      code: 'CALL_TIMEOUT',
    });
    await world.clock.advance(1_000);
    await refused;

    expect(world.log.ours.filter(({ message }) => !message.includes('TOTAL_TIMEOUT'))).toEqual([]);
  });

  it('#52 a retry that one further in has used up is said once for each method', async () => {
    @Injectable()
    class Nested {
      runs = 0;

      @Retry({ delay: 0, jitter: 'none' })
      async inner(): Promise<void> {
        this.runs += 1;
        throw new Error('down');
      }

      @Retry({ delay: 0, jitter: 'none' })
      async outer(): Promise<void> {
        return this.inner();
      }
    }
    const world = await boot({ providers: [Nested] });
    const nested = world.app.get(Nested);
    for (let i = 0; i < 2; i += 1) {
      const refused = expect(nested.outer()).rejects.toThrow('down');
      await world.clock.advance(10);
      await refused;
    }

    expect(nested.runs).toBe(6);
    expect(world.log.ours.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Nested.outer: not retried, for a retry further in has used up/),
    ]);
  });
});

it.each<[string, unknown, string]>([
  ['a word', 'off', 'lint: got "off", expected an options object'],
  ['true', true, 'lint: got true'],
  ['an unknown option', { ignore: [] }, 'lint ignore: unknown option; known are suppress'],
  ['no list', { suppress: {} }, 'lint suppress: got an object, expected a list'],
  ['no reason', { suppress: [{ code: 'NESTED_RETRY' }] }, 'suppress[0] reason: got nothing'],
  ['an empty reason', { suppress: [{ code: 'NESTED_RETRY', reason: ' ' }] }, 'suppress[0] reason'],
  ['no code', { suppress: [{ reason: 'x' }] }, "suppress[0] code: got nothing, expected 'TOTAL"],
  ['a code that is none', { suppress: [{ code: 'A', reason: 'x' }] }, 'suppress[0] code: got "A"'],
  ['a bare code', { suppress: ['NESTED_RETRY'] }, 'suppress[0]: got "NESTED_RETRY"'],
])('a configuration of %s is a mistake', async (_, lint, expected) => {
  const { mistakes } = (await bootError({
    bulwark: { health: false, lint: lint as never },
  })) as ResilienceConfigError;

  expect(mistakes.map(({ at, problem }) => `${at}: ${problem}`)).toEqual([
    expect.stringContaining(expected),
  ]);
});
