import { Injectable, type Type } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  ResilienceService,
  Retry,
  TimeLimit,
} from 'nestjs-bulwark';
import { EventRecorder } from 'nestjs-bulwark/testing';
import { boot, closeAll } from './support/app.js';

afterEach(closeAll);

const OURS: Record<string, () => MethodDecorator> = {
  fallback: () => Fallback({ value: 'instead' }) as MethodDecorator,
  retry: () =>
    Retry({
      maxAttempts: 4,
      delay: 10,
      backoff: 'constant',
      jitter: 'none',
      retryOn: () => true,
    }) as MethodDecorator,
  breaker: () => CircuitBreaker({ failureThreshold: 3, openJitter: 0 }) as MethodDecorator,
  limit: () => TimeLimit(100) as MethodDecorator,
  bulkhead: () => Bulkhead({ maxConcurrent: 1, maxQueue: 0 }) as MethodDecorator,
};

function client(
  order: readonly string[],
  run: () => Promise<string>,
): Type<{ call(): Promise<string> }> {
  class Client {
    async call(): Promise<string> {
      return run();
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Client.prototype, 'call')!;
  for (const name of order) OURS[name]!()(Client.prototype, 'call', descriptor);
  Object.defineProperty(Client.prototype, 'call', descriptor);
  Injectable()(Client);
  return Client;
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) =>
    permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]),
  );
}

/** The events of one call that fails until nothing is left but the fallback. */
async function eventsOf(order: readonly string[]): Promise<{ golden: string; runs: number }> {
  let runs = 0;
  const Client = client(order, async () => {
    runs += 1;
    throw new Error('down');
  });
  const { app, clock } = await boot({ providers: [Client] });
  const recorder = new EventRecorder(app.get(ResilienceService).events$);
  const start = clock.now();

  const answer = app.get(Client).call();
  await clock.advance(1_000);
  expect(await answer).toBe('instead');

  const offset = clock.epoch() - (clock.now() - start);
  const golden = recorder.events
    .map(({ type, at, severity, target, ...rest }) => {
      const facts = Object.entries(rest).filter(([key]) => key !== 'error');
      return `${at - offset} ms ${type} ${severity} ${target} ${JSON.stringify(Object.fromEntries(facts))}`;
    })
    .join('\n');
  await app.close();
  return { golden, runs };
}

// three failures open the breaker; the fourth attempt is refused by it, and that ends the retries
const GOLDEN = `\
0 ms retry-scheduled debug Client.call {"attempt":1,"delay":10}
10 ms retry-scheduled debug Client.call {"attempt":2,"delay":10}
20 ms circuit-state-changed warning Client.call {"from":"closed","to":"open","reason":"3 failures in a row","retryAfter":5000}
20 ms retry-scheduled debug Client.call {"attempt":3,"delay":10}
30 ms call-rejected debug Client.call {"policy":"circuit-breaker","code":"CIRCUIT_OPEN","retryAfter":4990}
30 ms retry-exhausted info Client.call {"attempts":4}
30 ms fallback-used info Client.call {"kind":"value"}`;

describe('#19 the order of the policies is fixed', () => {
  it('#19 the events of a failing call are the published list', async () => {
    const { golden, runs } = await eventsOf(['bulkhead', 'limit', 'breaker', 'retry', 'fallback']);

    expect(golden).toBe(GOLDEN);
    expect(runs).toBe(3);
  });

  it('#19 all 120 orders of the decorators give the same events', async () => {
    const others = new Map<string, string[]>();
    for (const order of permutations(Object.keys(OURS))) {
      const { golden } = await eventsOf(order);
      if (golden !== GOLDEN) others.set(golden, order);
    }

    expect([...others]).toEqual([]);
  });

  it('#19 the breaker counts each attempt of a retry, not the call', async () => {
    const { runs } = await eventsOf(['retry', 'breaker', 'fallback', 'limit', 'bulkhead']);

    expect(runs).toBe(3);
  });

  it('#19 a full bulkhead is no failure of the breaker around it', async () => {
    const never = client(['breaker', 'bulkhead'], () => new Promise(() => {}));
    const { app } = await boot({ providers: [never] });
    void app.get(never).call();

    const refusals = await Promise.all(
      Array.from({ length: 9 }, () =>
        app
          .get(never)
          .call()
          .catch((error: { code: string }) => error.code),
      ),
    );

    expect(refusals).toEqual(Array.from({ length: 9 }, () => 'BULKHEAD_FULL'));
  });

  it('#19 the time limit counts the wait in the queue of the bulkhead', async () => {
    @Injectable()
    class Client {
      @TimeLimit(100)
      @Bulkhead({ maxConcurrent: 1, maxQueue: 5 })
      call(work: Promise<void>): Promise<void> {
        return work;
      }
    }
    const { app, clock } = await boot({ providers: [Client] });
    const first = app.get(Client).call(new Promise(() => {}));
    const second = app.get(Client).call(Promise.resolve());
    const both = Promise.allSettled([first, second]);
    await clock.advance(100);

    expect(await both).toMatchObject([
      { reason: { code: 'CALL_TIMEOUT', started: true } },
      { reason: { code: 'CALL_TIMEOUT', started: false } },
    ]);
  });
});
