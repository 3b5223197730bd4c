// Bugs of peers: which instances are protected, and what they share.
import { Injectable, Module } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, ResilienceRegistry, Retry } from 'nestjs-bulwark';
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

// https://github.com/resilience4j/resilience4j/issues/770
it('resilience4j #770: a method that is called through `this` is protected as well', async () => {
  const world = await boot({ providers: [Mailer] });

  expect(await answered(world, world.app.get(Mailer).sendAll())).toEqual(['sent']);
  expect(attempts).toBe(3);
});

// https://github.com/nestjs/nest/issues/17617
it.each([
  ['useValue', { provide: 'MAILER', useValue: new Mailer() }],
  ['useFactory', { provide: 'MAILER', useFactory: () => new Mailer() }],
])('nest #17617: providers by %s are found, and protected', async (_, provider) => {
  const world = await boot({ providers: [provider] });

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

// https://github.com/SocketSomeone/nestjs-resilience/pull/320
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
class Nested {
  runs = 0;

  @Bulkhead({ maxConcurrent: 1, maxQueue: 5 })
  async outer(): Promise<string> {
    return this.inner();
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 5 })
  async inner(): Promise<string> {
    this.runs += 1;
    return 'inner';
  }
}

// https://github.com/resilience4j/resilience4j/issues/1106
it('resilience4j #1106: of two decorated methods, one calling the other, both policies apply', async () => {
  const { app } = await boot({ providers: [Nested] });

  expect(await app.get(Nested).outer()).toBe('inner');

  const { bulkheads } = app.get(ResilienceRegistry);
  expect(bulkheads.list().map(({ name, snapshot }) => [name, snapshot().peak])).toEqual([
    ['Nested.outer', 1],
    ['Nested.inner', 1],
  ]);
});
