import { Controller, type MessageEvent, Sse, type Type, UseInterceptors } from '@nestjs/common';
import {
  type PolicySet,
  ResilienceInterceptor,
  ResilienceRegistry,
  Resilient,
} from 'nestjs-bulwark';
import { Observable, Subject } from 'rxjs';
import { ADAPTERS, closeAll, eventLoopTurns, serve, type World } from './support/app.js';
import { SseClient } from './support/sse-client.js';

afterEach(closeAll);

/** What a handler was asked for: a stream that the test fills. */
class Source {
  readonly events = new Subject<MessageEvent>();
  left = 0;

  send(data: string): void {
    this.events.next({ data });
  }
}

/** The streams of one test, in the order in which they were subscribed. */
class Sources {
  readonly all: Source[] = [];
  /** How many of the first ones fail at once. */
  failing = 0;
  private readonly waiting: ((source: Source) => void)[] = [];

  stream(): Observable<MessageEvent> {
    return new Observable((subscriber) => {
      if (this.failing > 0) {
        this.failing -= 1;
        subscriber.error(new Error('down'));
        return undefined;
      }
      const source = new Source();
      this.all.push(source);
      this.waiting.shift()?.(source);
      const subscription = source.events.subscribe(subscriber);
      return () => {
        source.left += 1;
        subscription.unsubscribe();
      };
    });
  }

  /** The next that is subscribed. */
  next(): Promise<Source> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

const FACES = {
  interceptor(policies: PolicySet, sources: Sources): Type {
    @Controller()
    class Feed {
      @Sse('feed')
      @UseInterceptors(ResilienceInterceptor.with(policies))
      feed(): Observable<MessageEvent> {
        return sources.stream();
      }
    }
    return Feed;
  },
  decorator(policies: PolicySet, sources: Sources): Type {
    @Controller()
    class Feed {
      @Sse('feed')
      @Resilient(policies, { returns: 'observable' })
      feed(): Observable<MessageEvent> {
        return sources.stream();
      }
    }
    return Feed;
  },
};

const POLICIES: [string, PolicySet][] = [
  ['a fallback', { fallback: { value: { data: 'instead' } } }],
  ['a retry', { retry: { delay: 10, jitter: 'none' } }],
  ['a circuit breaker', { circuitBreaker: {} }],
  ['a rate limit', { rateLimit: { limit: 10 } }],
  ['a time limit', { timeLimit: { ms: 1_000, idle: 500 } }],
  ['a bulkhead', { bulkhead: { maxConcurrent: 1, queueTimeout: 100 } }],
  [
    'all of them',
    {
      fallback: { value: { data: 'instead' } },
      retry: { delay: 10, jitter: 'none', totalTimeout: 9_000 },
      circuitBreaker: {},
      rateLimit: { limit: 10 },
      timeLimit: 1_000,
      bulkhead: {},
    },
  ],
];

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await eventLoopTurns();
}

describe.each(ADAPTERS)('server-sent events on %s', (_, adapter) => {
  describe.each(['interceptor', 'decorator'] as const)('under policies by %s', (face) => {
    const open = async (policies: PolicySet): Promise<[World, Sources]> => {
      const sources = new Sources();
      const controllers = [FACES[face](policies, sources)];
      return [await serve(adapter, { controllers }), sources];
    };

    it.each(POLICIES)('of %s are sent as they come, up to the end', async (_name, policies) => {
      const [world, sources] = await open(policies);
      const begun = sources.next();
      const connecting = SseClient.connect(world, '/feed');
      const source = await begun;
      source.send('one');
      const client = await connecting;

      expect(await client.next()).toBe('one');
      source.send('two');
      expect(await client.next()).toBe('two');
      source.events.complete();
      expect(await client.next()).toBeUndefined();
      expect(source.left).toBe(1);
      expect(sources.all).toHaveLength(1);
    });

    it.each(POLICIES)('of %s end with the client who leaves', async (_name, policies) => {
      const [world, sources] = await open(policies);
      const begun = sources.next();
      const connecting = SseClient.connect(world, '/feed');
      const source = await begun;
      source.send('one');
      const client = await connecting;
      await client.next();

      client.leave();
      await until(() => source.left > 0);

      expect([source.left, sources.all.length]).toEqual([1, 1]);
      const { breakers, bulkheads } = world.app.get(ResilienceRegistry);
      for (const { snapshot } of breakers.list()) {
        expect(snapshot().counters).toMatchObject({ success: 1, failure: 0, stale: 0 });
      }
      for (const { snapshot } of bulkheads.list()) expect(snapshot()).toMatchObject({ running: 0 });
    });

    it('are retried before the first of them, and not after it', async () => {
      const [world, sources] = await open({ retry: { delay: 10, jitter: 'none' } });
      sources.failing = 2;
      const begun = sources.next();
      const connecting = SseClient.connect(world, '/feed');
      for (let attempt = 1; attempt <= 2; attempt += 1) {
        await until(() => world.clock.pending > 0);
        await world.clock.advance(20);
      }
      const source = await begun;
      source.send('one');
      const client = await connecting;
      expect([client.status, await client.next()]).toEqual([200, 'one']);

      source.events.error(new Error('broken off'));

      expect(await client.next()).toBe('Internal server error');
      expect(await client.next()).toBeUndefined();
      expect(sources.all).toHaveLength(1);
    });

    it('are the one of the fallback where none came', async () => {
      const [world, sources] = await open({ fallback: { value: { data: 'instead' } } });
      sources.failing = 1;
      const client = await SseClient.connect(world, '/feed');

      expect([await client.next(), await client.next()]).toEqual(['instead', undefined]);
    });

    it('hold their place in the bulkhead to the end', async () => {
      const [world, sources] = await open({ bulkhead: { maxConcurrent: 1, maxQueue: 0 } });
      const begun = sources.next();
      const connecting = SseClient.connect(world, '/feed');
      (await begun).send('one');
      const client = await connecting;

      const other = await SseClient.connect(world, '/feed');
      expect([other.status, sources.all.length]).toEqual([503, 1]);

      client.leave();
      await until(() => sources.all[0]!.left > 0);
      const again = sources.next();
      const third = SseClient.connect(world, '/feed');
      (await again).send('two');
      expect(await (await third).next()).toBe('two');
      (await third).leave();
    });

    it('that do not begin in time are a timeout, and the stream is left', async () => {
      const [world, sources] = await open({ timeLimit: 1_000 });
      const begun = sources.next();
      const connecting = SseClient.connect(world, '/feed');
      const source = await begun;

      await world.clock.advance(1_000);

      const client = await connecting;
      expect(client.status).toBe(504);
      expect(source.left).toBe(1);
    });

    it('that fall silent end with an error, and the stream is left', async () => {
      const [world, sources] = await open({ timeLimit: { ms: 1_000, idle: 100 } });
      const begun = sources.next();
      const connecting = SseClient.connect(world, '/feed');
      const source = await begun;
      source.send('one');
      const client = await connecting;
      await client.next();

      await world.clock.advance(100);

      expect(await client.next()).toBe('Gateway Timeout');
      expect(source.left).toBe(1);
    });

    it('are refused beyond the rate, and by an open breaker', async () => {
      const [world, sources] = await open({
        rateLimit: { limit: 1, per: 60_000 },
        circuitBreaker: { failureThreshold: 1 },
      });
      sources.failing = 1;

      const first = await SseClient.connect(world, '/feed');
      const second = await SseClient.connect(world, '/feed');
      world.app.get(ResilienceRegistry).breakers.control('Feed.feed')!.reset();
      const third = await SseClient.connect(world, '/feed');

      expect([first.status, second.status, third.status]).toEqual([500, 503, 429]);
    });
  });
});
