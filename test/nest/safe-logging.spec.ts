import { Injectable, Logger } from '@nestjs/common';
import { CircuitBreaker, Retry } from 'nestjs-bulwark';
import { FakeClock, settle } from 'nestjs-bulwark/testing';
import { logEvents } from '../../lib/nest/event-logger.js';
import { SafeLogger } from '../../lib/nest/safe-logger.js';
import { EventBus } from '../../lib/pipeline/event-bus.js';
import type { ResilienceEvent } from '../../lib/kernel/event.js';
import { boot, closeAll } from './support/app.js';
import { LogBook } from './support/log-book.js';

afterEach(closeAll);

const SECRET = 's3cret-canary';

@Injectable()
class Client {
  @CircuitBreaker({ failureThreshold: 1 })
  async call(): Promise<string> {
    throw new Error('down');
  }

  @Retry({
    maxAttempts: 2,
    delay: 0,
    retryOn: () => {
      const error = new Error(`postgres://u:${SECRET}@h\n{"level":"fatal"}\u202e`);
      throw Object.assign(error, { config: { headers: { Authorization: SECRET } } });
    },
  })
  async odd(): Promise<string> {
    throw new Error('down');
  }
}

function bench(logger: Logger) {
  const clock = new FakeClock();
  const bus = new EventBus(() => {});
  const stop = logEvents(bus, logger, clock);
  const fail = (target: string, error: unknown = new Error('disk')): void =>
    bus.emit({ type: 'checkpoint-failed', severity: 'warning', at: 0, target, error });
  return { clock, bus, stop, fail };
}

describe('the lines of the log', () => {
  it('#160 #167 are redacted and on one line, and so are the facts beside them', async () => {
    const { app, log } = await boot({ providers: [Client] });
    await app
      .get(Client)
      .odd()
      .catch(() => {});
    await settle();

    const [line] = log.ours;
    expect(line!.message).toBe(
      'Client.odd: the function given as retryOn threw Error: postgres://[redacted]@h\\u000a{"level":"fatal"}\\u202e',
    );
    expect(line!.rest).toEqual([
      {
        event: 'predicate-failed',
        target: 'Client.odd',
        option: 'retryOn',
        error: { name: 'Error', message: 'postgres://[redacted]@h\\u000a{"level":"fatal"}\\u202e' },
      },
    ]);
  });

  it('#169 of a flood are few, and say how many there would have been', async () => {
    const book = new LogBook();
    const { clock, stop, fail } = bench(book as unknown as Logger);
    for (let ms = 0; ms < 10_000; ms += 1) {
      for (let i = 0; i < 10; i += 1) fail('store');
      clock.jump(1);
    }
    await settle();
    for (let turn = 0; turn < 200; turn += 1) await new Promise((next) => setImmediate(next));
    stop();

    expect(book.lines.length).toBeLessThanOrEqual(100);
    const told = book.lines.map(({ message }) =>
      Number(/suppressed=(\d+)/.exec(message)?.[1] ?? 0),
    );
    const last = book.lines.at(-1)!;
    expect(last.message).toMatch(/^lines held back \(suppressed=\d+\)$/);
    expect(told.reduce((sum, n) => sum + n, 0) + book.lines.length - 1).toBe(100_000);
  });

  it('#169 say again what was once held back', async () => {
    const book = new LogBook();
    const { clock, fail } = bench(book as unknown as Logger);
    for (let i = 0; i < 7; i += 1) fail('store');
    await settle();
    clock.jump(2_000);
    fail('store');
    await settle();

    expect(book.lines).toHaveLength(6);
    expect(book.lines[5]).toMatchObject({
      level: 'warn',
      message: 'checkpoint: a save failed (Error: disk); the journal goes on (suppressed=2)',
    });
    expect([book.lines[5]!.context]).toEqual([
      {
        event: 'checkpoint-failed',
        target: 'store',
        error: { name: 'Error', message: 'disk' },
        suppressed: 2,
      },
    ]);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('logger');
      },
    ],
    ['rejects', () => Promise.reject(new Error('logger'))],
  ])('#171 harm nobody where the logger %s', async (_, write) => {
    let calls = 0;
    const bad = (): unknown => {
      calls += 1;
      return write();
    };
    const { app } = await boot({ providers: [Client] });
    Logger.overrideLogger({ log: bad, warn: bad, error: bad } as never);
    const error = await app
      .get(Client)
      .call()
      .catch((thrown: unknown) => thrown);
    await settle();

    expect(error).toMatchObject({ message: 'down' });
    expect(calls).toBe(1);
  });

  it('#171 of every level come to the logger of the application', () => {
    const book = new LogBook();
    Logger.overrideLogger(book);
    const logger = new SafeLogger('Bulwark');
    logger.log('a', { x: 1 });
    logger.warn('b');
    logger.error('c');

    expect(book.ours.map(({ level, message, rest }) => [level, message, rest])).toEqual([
      ['log', 'a', [{ x: 1 }]],
      ['warn', 'b', []],
      ['error', 'c', []],
    ]);
  });

  it('are of events only', async () => {
    const book = new LogBook();
    const { bus, stop } = bench(book as unknown as Logger);
    const event: ResilienceEvent = {
      type: 'late-result',
      severity: 'debug',
      at: 0,
      target: 'x',
      outcome: 'failure',
    };
    bus.emit(event);
    await settle();
    stop();

    expect(book.lines).toEqual([]);
  });
});
