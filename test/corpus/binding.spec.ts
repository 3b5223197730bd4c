// Bugs of peers: which instances are protected, and what they share.
import { Injectable, Module } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  RateLimit,
  RateLimitedError,
  ResilienceRegistry,
  Retry,
} from 'nestjs-bulwark';
import { boot, closeAll } from '../nest/support/app.js';

afterEach(closeAll);

let attempts = 0;

@Injectable()
class Mailer {
  @Retry({ maxAttempts: 3, delay: 0, jitter: 'none' })
  async send(): Promise<string> {
    attempts += 1;
    if (attempts < 3) throw new Error('down');
    return 'sent';
  }

  /** Calls its own decorated method, as any method does. */
  async sendAll(): Promise<string[]> {
    return [await this.send()];
  }
}

beforeEach(() => (attempts = 0));

/** The answer, once the delays of the retries have passed. */
async function answered<T>(
  { clock }: Awaited<ReturnType<typeof boot>>,
  call: Promise<T>,
): Promise<T> {
  await clock.advance(100);
  return await call;
}

// https://github.com/resilience4j/resilience4j/issues/1257
it('resilience4j #1257: a method that is called by another of its class is retried as well', async () => {
  const world = await boot({ providers: [Mailer] });

  expect(await answered(world, world.app.get(Mailer).sendAll())).toEqual(['sent']);
  expect(attempts).toBe(3);
});

// https://github.com/nestjs/nest/issues/17617
it('nest #17617: an instance given by useValue is found, and protected', async () => {
  const world = await boot({ providers: [{ provide: 'MAILER', useValue: new Mailer() }] });

  expect(await answered(world, world.app.get<Mailer>('MAILER').send())).toBe('sent');
});

// https://github.com/nestjs/nest/pull/17667
it('nest #17667: and one that a factory makes', async () => {
  const world = await boot({ providers: [{ provide: 'MAILER', useFactory: () => new Mailer() }] });

  expect(await answered(world, world.app.get<Mailer>('MAILER').send())).toBe('sent');
});

@Injectable()
class Labels {
  readonly ran: string[] = [];

  @CircuitBreaker({ name: 'anonymous', failureThreshold: 2 })
  async apply(label: string): Promise<string> {
    this.ran.push(`apply ${label}`);
    return `applied ${label}`;
  }

  @CircuitBreaker({ name: 'anonymous', failureThreshold: 2 })
  async remove(label: string): Promise<string> {
    this.ran.push(`remove ${label}`);
    if (label === 'bad') throw new Error('down');
    return `removed ${label}`;
  }
}

// https://github.com/democratize-technology/vikunja-mcp/pull/90
it('vikunja-mcp #90: a shared breaker shares its state, and never replays the first operation', async () => {
  const { app } = await boot({ providers: [Labels] });
  const labels = app.get(Labels);

  const answers = [await labels.apply('a'), await labels.remove('b'), await labels.remove('c')];

  expect(answers).toEqual(['applied a', 'removed b', 'removed c']);
  expect(labels.ran).toEqual(['apply a', 'remove b', 'remove c']);
  for (let i = 0; i < 2; i += 1) await labels.remove('bad').catch(() => {});
  await expect(labels.apply('d')).rejects.toMatchObject({
    code: 'CIRCUIT_OPEN',
    target: 'anonymous',
  });
});

@Module({ providers: [Labels] })
class LabelsModule {}

// https://github.com/SocketSomeone/nestjs-resilience/pull/320 (not read)
it('nestjs-resilience #320: an earlier test, that is another application, does not affect the next', async () => {
  const first = await boot({ imports: [LabelsModule] });
  for (let i = 0; i < 2; i += 1) {
    await first.app
      .get(Labels)
      .remove('bad')
      .catch(() => {});
  }
  await closeAll();

  const { app } = await boot({ imports: [LabelsModule] });

  expect(app.get(ResilienceRegistry).breakers.reader('anonymous')!.state).toBe('closed');
  expect(await app.get(Labels).apply('a')).toBe('applied a');
});

@Injectable()
class Inner {
  runs: string[] = [];

  /** Not decorated: what it calls is. */
  async consume(): Promise<string[]> {
    return [await this.limited(), await this.limited()];
  }

  @RateLimit({ limit: 1, per: 1_000 })
  async limited(): Promise<string> {
    this.runs.push('limited');
    return 'flux';
  }

  async hello(): Promise<string> {
    return this.failing();
  }

  @CircuitBreaker()
  @Fallback((error: unknown) => `instead of ${(error as Error).message}`)
  async failing(): Promise<string> {
    throw new Error('an error');
  }

  async both(): Promise<void> {
    await this.first().catch(() => {});
    await this.second();
  }

  @CircuitBreaker({ failureThreshold: 1 })
  async first(): Promise<void> {
    throw new Error('down');
  }

  @CircuitBreaker({ failureThreshold: 1 })
  async second(): Promise<void> {
    this.runs.push('second');
  }
}

// https://github.com/resilience4j/resilience4j/issues/770
it('resilience4j #770: an inner call is limited', async () => {
  const { app } = await boot({ providers: [Inner] });
  const inner = app.get(Inner);

  await expect(inner.consume()).rejects.toBeInstanceOf(RateLimitedError);
  expect(inner.runs).toEqual(['limited']);
});

// https://github.com/resilience4j/resilience4j/issues/1106
it('resilience4j #1106: the fallback of a method answers whoever calls it', async () => {
  const { app } = await boot({ providers: [Inner] });

  expect(await app.get(Inner).hello()).toBe('instead of an error');
});

// https://github.com/resilience4j/resilience4j/issues/1844
it('resilience4j #1844: two decorated methods behind one that is not each have their breaker', async () => {
  const { app } = await boot({ providers: [Inner] });
  const inner = app.get(Inner);

  await inner.both();
  await inner.both();

  const { breakers } = app.get(ResilienceRegistry);
  expect(breakers.reader('Inner.first')!.snapshot().counters).toMatchObject({
    failure: 1,
    notPermitted: 1,
  });
  expect(breakers.reader('Inner.second')!.snapshot().counters).toMatchObject({ success: 2 });
});
