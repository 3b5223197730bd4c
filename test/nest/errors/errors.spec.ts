import {
  Controller,
  Get,
  HttpException,
  Injectable,
  Req,
  type Type,
  UseInterceptors,
} from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  type ResilienceConfig,
  ResilienceErrors,
  Retry,
  RetryInterceptor,
} from 'nestjs-bulwark';
import { EventRecorder, settle } from 'nestjs-bulwark/testing';
import { ADAPTERS, boot, closeAll, serve } from '../support/app.js';

afterEach(closeAll);

const still = { delay: 0, jitter: 'none' } as const;
const refused = (): Error =>
  Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });

@Injectable()
class Bank {
  error: () => unknown = refused;

  @Retry({ maxAttempts: 2, ...still })
  @CircuitBreaker({ name: 'bank-db', failureThreshold: 100 })
  async pay(_amount: number): Promise<void> {
    const error = this.error();
    if (error !== undefined) throw error;
  }
}

@Injectable()
class Shop {
  constructor(private readonly bank: Bank) {}

  @Fallback({ value: 'later' })
  async order(): Promise<string> {
    await this.bank.pay(5);
    return 'done';
  }
}

describe('the errors of an application', () => {
  it('each failed attempt, where it came up, and not again on its way out', async () => {
    const { app, clock } = await boot({ providers: [Bank, Shop] });
    const answer = app.get(Shop).order();
    await clock.advance(1);
    expect(await answer).toBe('later');

    const errors = app.get(ResilienceErrors);
    expect(errors.list()).toMatchObject([
      {
        component: 'Bank.pay',
        method: 'pay',
        port: 'bank-db',
        category: 'communication',
        severity: 'medium',
        rule: 'node-code ECONNREFUSED',
        recoveryAttempts: 1,
        occurrences: 2,
      },
      { component: 'Bank.pay', recoveryAttempts: 0, occurrences: 1 },
    ]);
    expect(errors.groups()).toMatchObject([{ component: 'Bank.pay', count: 2 }]);
    expect(errors.totals()).toMatchObject({ recorded: 2 });
    expect(errors.analyse()).toMatchObject({ kind: 'pattern', type: 'communication', total: 2 });

    errors.reset();
    expect(errors.list()).toEqual([]);
    expect(errors.analyse()).toEqual({ kind: 'no-errors' });
  });

  it('#162 arguments are kept only by a function that says what of them', async () => {
    const capture = ([amount]: readonly unknown[]) => ({ amount: String(amount) });
    for (const log of [{}, { capture }]) {
      const { app, clock } = await boot({ providers: [Bank], bulwark: { errors: { log } } });
      const call = expect(app.get(Bank).pay(777)).rejects.toThrow('connect');
      await clock.advance(1);
      await call;
      const kept = JSON.stringify(app.get(ResilienceErrors).list());
      if ('capture' in log) expect(kept).toContain('"amount":"777"');
      else expect(kept).not.toContain('777');
    }
  });

  it('rules of the application say what an error is', async () => {
    const { app, clock } = await boot({
      providers: [Bank],
      bulwark: {
        errors: {
          classify: [{ match: 'ECONNREFUSED', category: 'permanent', name: 'no bank' }],
        },
      },
    });
    const call = expect(app.get(Bank).pay(1)).rejects.toThrow('connect');
    await clock.advance(1);
    await call;
    expect(app.get(ResilienceErrors).list()).toMatchObject([
      { category: 'permanent', rule: 'user rule no bank', severity: 'high' },
    ]); // and it was not retried
  });

  it('a rule that throws is reported, and passed over', async () => {
    const broken = (): never => {
      throw new Error('no rule');
    };
    const { app, clock } = await boot({
      providers: [Bank],
      bulwark: { errors: { classify: [broken] } },
    });
    const recorder = EventRecorder.on(app);
    const call = expect(app.get(Bank).pay(1)).rejects.toThrow('connect');
    await clock.advance(1);
    await call;
    expect(app.get(ResilienceErrors).list()).toHaveLength(2);
    expect(recorder.events).toContainEqual(
      expect.objectContaining({
        type: 'predicate-failed',
        option: 'errors.classify user rule broken',
      }),
    );
  });

  it('an error of a job of yours, by hand', async () => {
    const { app } = await boot({});
    const errors = app.get(ResilienceErrors);
    const entry = errors.record(new Error('bad line'), { component: 'Importer.run' });
    expect(entry).toMatchObject({
      component: 'Importer.run',
      method: 'run',
      category: 'transient',
    });
    expect(errors.get(entry.id)).toEqual(entry);
  });

  it('#163 an error that cannot be read changes nothing for the caller', async () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('get');
        },
        has() {
          throw new Error('has');
        },
        getPrototypeOf() {
          throw new Error('prototype');
        },
      },
    );
    const { app, clock } = await boot({ providers: [Bank] });
    const bank = app.get(Bank);
    bank.error = () => hostile;
    const outcome = bank.pay(1).then(
      () => undefined,
      (error: unknown) => ({ error }), // as it is, it would be asked for a `then`
    );
    await clock.advance(1);
    expect((await outcome)?.error === hostile).toBe(true);
    expect(app.get(ResilienceErrors).list().length).toBeGreaterThan(0);
  });

  it('which errors belong together, by what is injected where', async () => {
    const { app, clock } = await boot({ providers: [Bank, Shop] });
    const shop = app.get(Shop);
    const answer = shop.order();
    await clock.advance(1);
    await answer;
    const errors = app.get(ResilienceErrors);
    errors.record(new Error('no order'), { component: 'Shop.order' });
    expect(errors.incidents()).toMatchObject([
      { root: 'bank-db', symptoms: [{ component: 'Bank.pay' }, { component: 'Shop.order' }] },
    ]);
    const [newest, older] = errors.list();
    expect(newest!.component).toBe('Shop.order');
    expect(errors.related(older!.id)).toMatchObject([{ entry: { component: 'Bank.pay' } }]);
  });
});

describe('patterns among the errors', () => {
  it('an event when one begins, and when it is over', async () => {
    const { app, clock, log } = await boot({
      providers: [Bank],
      bulwark: { errors: { patterns: { persistentFailures: 4 } } },
    });
    const recorder = EventRecorder.on(app);
    for (let i = 0; i < 2; i += 1) {
      const call = app
        .get(Bank)
        .pay(1)
        .catch(() => {});
      await clock.advance(1);
      await call;
    }
    await clock.advance(1_000);
    expect(app.get(ResilienceErrors).patterns()).toMatchObject([{ kind: 'persistent' }]);
    await settle();
    const persistent = { type: 'error-pattern', pattern: 'persistent', target: 'Bank.pay' };
    expect(recorder.events).toContainEqual(
      expect.objectContaining({
        ...persistent,
        ended: false,
        severity: 'warning',
        port: 'bank-db',
      }),
    );
    expect(log.ours.map(({ message }) => message).join('\n')).toMatch(/Bank\.pay.*persistent/);

    app.get(Bank).error = () => undefined;
    await app.get(Bank).pay(1);
    await clock.advance(1_000);
    expect(app.get(ResilienceErrors).patterns()).toEqual([]);
    await settle();
    expect(recorder.events).toContainEqual(
      expect.objectContaining({ ...persistent, ended: true, severity: 'info' }),
    );
    expect(clock.pending).toBe(1); // the health sampler's: a test's clock gets no other
  });

  it.each([
    [{ patterns: { share: 2 } }, /errors patterns.*share/],
    [{ log: { limit: 0 } }, /errors log.*limit/],
    [{ classify: {} }, /errors classify: got/],
    [{ correlation: 'x-id' }, /errors correlation: got "x-id", expected a function/],
    [{ context: 'yes' }, /errors context: got "yes", expected true or false/],
    [{ logs: {} }, /errors logs/],
  ])('a mistake in %j is named', async (errors, message) => {
    await expect(boot({ bulwark: { errors: errors as never } })).rejects.toThrow(message);
  });
});

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const headers = { 'x-correlation-id': 'order-17', traceparent };

describe.each(ADAPTERS)('the request that an error belongs to, on %s', (_name, adapter) => {
  @Injectable()
  class Deep {
    @Retry({ maxAttempts: 1 })
    async fail(): Promise<void> {
      await settle();
      throw new Error('deep');
    }
  }

  @Controller()
  class Orders {
    constructor(private readonly deep: Deep) {}

    @Get('intercepted')
    @UseInterceptors(RetryInterceptor.with({ maxAttempts: 1 }))
    intercepted(): never {
      throw new HttpException('no', 502);
    }

    @Get('decorated')
    @Retry({ maxAttempts: 1 })
    async decorated(@Req() _request: unknown): Promise<void> {
      throw new HttpException('no', 502);
    }

    @Get('deep')
    async further(): Promise<void> {
      await this.deep.fail();
    }
  }

  async function entryOf(path: string, errors: ResilienceConfig['errors']) {
    const { app } = await serve(adapter, {
      providers: [Deep],
      controllers: [Orders as Type],
      bulwark: { errors: errors! },
    });
    await fetch(`${await app.getUrl()}/${path}`, { headers });
    return app.get(ResilienceErrors).list()[0]!;
  }

  it.each(['intercepted', 'decorated'])('by its headers: %s', async (path) => {
    expect(await entryOf(path, {})).toMatchObject({
      correlationId: 'order-17',
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    });
  });

  it('further in only by an async context, which has to be asked for', async () => {
    expect(await entryOf('deep', {})).not.toHaveProperty('correlationId');
    expect(await entryOf('deep', { context: true })).toMatchObject({ correlationId: 'order-17' });
  });

  it('what the application says itself goes first', async () => {
    const said = { correlationId: 'mine', sessionId: 's-1' };
    expect(await entryOf('intercepted', { correlation: () => said })).toMatchObject({
      ...said,
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    });
    expect(await entryOf('intercepted', { correlation: () => 'plain' })).toMatchObject({
      correlationId: 'plain',
    });
  });

  it('what it says is no way into a log line', async () => {
    const entry = await entryOf('deep', { correlation: () => 'x\n{"level":"fatal"}' });
    expect(entry).not.toHaveProperty('correlationId');
  });

  it('a function that throws is no trouble', async () => {
    const entry = await entryOf('intercepted', {
      correlation: () => {
        throw new Error('no store');
      },
    });
    expect(entry).toMatchObject({ correlationId: 'order-17' });
  });
});

describe('a message that keeps failing', () => {
  @Injectable()
  class Consumer {
    @Retry({ maxAttempts: 1, messageId: ({ id }: { id: string }) => id })
    async handle(_message: { id: string }): Promise<void> {
      throw new Error('bad data');
    }
  }

  it('is poison from the third failure on: in the log, as an event, and in one log line', async () => {
    const { app, log } = await boot({ providers: [Consumer] });
    const recorder = EventRecorder.on(app);
    for (let i = 0; i < 3; i += 1)
      await expect(app.get(Consumer).handle({ id: 'm-17' })).rejects.toThrow('bad data');
    await settle();

    const kept = app.get(ResilienceErrors).list();
    expect(kept.map(({ messageId }) => messageId)).toEqual(['m-17', 'm-17', 'm-17']);
    expect(kept.map(({ category }) => category)).toEqual(['poison', 'transient', 'transient']);
    expect(kept[0]).toMatchObject({ rule: 'poison message', severity: 'high' });
    expect(recorder.events.filter(({ type }) => type === 'poison-message')).toMatchObject([
      { target: 'Consumer.handle', messageId: 'm-17', severity: 'error' },
    ]);
    expect(log.ours.filter(({ message }) => message.includes('message m-17'))).toHaveLength(1);
  });
});
