import { jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  RateLimit,
  ResilienceModule,
  ResilienceRegistry,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { EventRecorder } from 'nestjs-bulwark/testing';
import { LogBook } from './support/log-book.js';

const down = async (): Promise<never> => {
  throw new Error('down');
};

@Injectable()
class Client {
  @Retry({ maxAttempts: 3, delay: 60_000, jitter: 'none' })
  async retried(): Promise<void> {
    return down();
  }

  @TimeLimit(60_000)
  hang(): Promise<void> {
    return new Promise(() => {});
  }

  @Bulkhead({ maxConcurrent: 1, queueTimeout: 60_000 })
  place(): Promise<void> {
    return new Promise(() => {});
  }

  @RateLimit({ limit: 1, per: 60_000, maxWait: 60_000 })
  async limited(): Promise<string> {
    return 'my turn';
  }

  @CircuitBreaker({ failureThreshold: 1, openFor: 60_000, openJitter: 0 })
  async broken(fail = false): Promise<string> {
    return fail ? down() : 'fine';
  }

  @Fallback({ cache: { ttl: 60_000, key: () => 'all' } })
  async cached(fail = false): Promise<string> {
    return fail ? down() : 'good';
  }
}

let module: TestingModule;
const start = async (): Promise<Client> => {
  module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ health: false, lint: false })],
    providers: [Client],
  })
    .setLogger(new LogBook())
    .compile();
  await module.init();
  return module.get(Client);
};

afterEach(async () => {
  jest.useRealTimers();
  await module.close();
});

const over = async (call: Promise<unknown>): Promise<unknown> =>
  call.catch((error: { code?: string; message: string }) => error.code ?? error.message);

/** What users fake: everything that jest can, or what does not stop promises and streams of Node. */
const FAKES = [
  ['all', {}],
  ['all but microtasks', { doNotFake: ['queueMicrotask', 'nextTick'] as const }],
] as const;

describe.each(FAKES)('#96 under jest’s fake timers (%s)', (_, options) => {
  describe.each(['before', 'after'])('that come %s the application', (when) => {
    let client: Client;
    beforeEach(async () => {
      if (when === 'before') jest.useFakeTimers(options as never);
      client = await start();
      if (when === 'after') jest.useFakeTimers(options as never);
    });
    const advance = async (ms: number): Promise<void> => {
      for (let i = 0; i < 20; i += 1) await Promise.resolve();
      jest.advanceTimersByTime(ms);
      for (let i = 0; i < 20; i += 1) await Promise.resolve();
    };

    it('#96 every wait ends by their time alone', async () => {
      void client.place();
      await client.limited();
      const calls = Promise.all(
        [client.hang(), client.place(), client.limited(), client.retried()].map(over),
      );
      for (let i = 0; i < 4; i += 1) await advance(60_000);

      expect(await calls).toEqual(['CALL_TIMEOUT', 'BULKHEAD_QUEUE_TIMEOUT', 'my turn', 'down']);
    });

    it('#96 open breakers and kept answers grow old by it', async () => {
      await over(client.broken(true));
      await client.cached();
      await advance(59_999);
      expect([await over(client.broken()), await over(client.cached(true))]).toEqual([
        'CIRCUIT_OPEN',
        'good',
      ]);

      await advance(2);

      expect([await over(client.broken()), await over(client.cached(true))]).toEqual([
        'fine',
        'down',
      ]);
    });

    it('#96 events arrive, also when the real timers are back', async () => {
      const recorder = EventRecorder.on(module);
      await over(client.broken(true));
      await advance(1);
      expect(recorder.of('circuit-state-changed')).toHaveLength(1);

      module.get(ResilienceRegistry).breakers.control('Client.broken')!.reset();
      jest.useRealTimers();
      module.get(ResilienceRegistry).breakers.control('Client.broken')!.isolate();
      await Promise.resolve();
      await Promise.resolve();

      expect(recorder.of('circuit-state-changed').map(({ to }) => to)).toEqual([
        'open',
        'closed',
        'isolated',
      ]);
    });
  });
});
