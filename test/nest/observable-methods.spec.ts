import { Injectable } from '@nestjs/common';
import { Bulkhead, Fallback, ResilienceRegistry, Retry } from 'nestjs-bulwark';
import { lastValueFrom, Observable, of, Subject, throwError, toArray } from 'rxjs';
import { boot, closeAll } from './support/app.js';

afterEach(closeAll);

@Injectable()
class Feed {
  subscriptions = 0;
  calls = 0;
  readonly source = new Subject<number>();

  @Retry({ maxAttempts: 3, delay: 10, jitter: 'none' })
  quotes(failures: number): Observable<number> {
    this.calls += 1;
    return new Observable((subscriber) => {
      this.subscriptions += 1;
      if (this.subscriptions <= failures) {
        subscriber.error(new Error('down'));
        return;
      }
      subscriber.next(this.subscriptions);
      subscriber.complete();
    });
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 0 })
  bounded(): Observable<number> {
    return this.source;
  }

  @Fallback((_error, start: number) => of(start, start + 1))
  degraded(_start: number): Observable<number> {
    return throwError(() => new Error('down'));
  }
}

const feed = async (): Promise<{
  feed: Feed;
  advance: (by: number) => Promise<void>;
  running: () => number;
}> => {
  const { app, clock } = await boot({ providers: [Feed] });
  const reader = app.get(ResilienceRegistry).bulkheads.reader('Feed.bounded')!;
  return {
    feed: app.get(Feed),
    advance: (by) => clock.advance(by),
    running: () => reader.snapshot().running,
  };
};

describe('#11 a method that returns a stream', () => {
  it('#11 does nothing until somebody subscribes', async () => {
    const { feed: f } = await feed();

    f.quotes(0);

    expect([f.calls, f.subscriptions]).toEqual([0, 0]);
  });

  it('#11 is subscribed once per subscription', async () => {
    const { feed: f } = await feed();

    await expect(lastValueFrom(f.quotes(0))).resolves.toBe(1);

    expect([f.calls, f.subscriptions]).toEqual([1, 1]);
  });

  it('#11 is called and subscribed anew for each attempt', async () => {
    const { feed: f, advance } = await feed();

    const value = lastValueFrom(f.quotes(2));
    await advance(100);

    await expect(value).resolves.toBe(3);
    expect([f.calls, f.subscriptions]).toEqual([3, 3]);
  });

  it('#11 runs independently for two subscribers of one stream object', async () => {
    const { feed: f } = await feed();
    const stream = f.quotes(0);

    const values = [await lastValueFrom(stream), await lastValueFrom(stream)];

    expect(values).toEqual([1, 2]);
    expect(f.calls).toBe(2);
  });

  it('#11 is answered for by a fallback that returns a stream', async () => {
    const { feed: f } = await feed();

    await expect(lastValueFrom(f.degraded(5).pipe(toArray()))).resolves.toEqual([5, 6]);
  });
});

describe('#12 leaving a stream gives its place back exactly once', () => {
  it('#12 before the first value', async () => {
    const { feed: f, running } = await feed();
    const subscription = f.bounded().subscribe();
    expect(running()).toBe(1);

    subscription.unsubscribe();
    subscription.unsubscribe();

    expect([running(), f.source.observed]).toEqual([0, false]);
  });

  it('#12 after the first of several values', async () => {
    const { feed: f, running } = await feed();
    const values: number[] = [];
    const subscription = f.bounded().subscribe((value) => values.push(value));
    f.source.next(1);
    expect(running()).toBe(1);

    subscription.unsubscribe();
    f.source.next(2);

    expect([running(), values]).toEqual([0, [1]]);
  });

  it('#12 from inside the complete callback', async () => {
    const { feed: f, running } = await feed();
    const subscription = f.bounded().subscribe({ complete: () => subscription.unsubscribe() });

    f.source.complete();
    subscription.unsubscribe();

    expect(running()).toBe(0);
  });

  it('#12 from inside the first value, which arrives while subscribing', async () => {
    const { feed: f } = await feed();

    const first = await new Promise((resolve) => {
      const subscription = f.quotes(0).subscribe((value) => {
        queueMicrotask(() => subscription.unsubscribe());
        resolve(value);
      });
    });

    expect(first).toBe(1);
  });

  it('#12 and the next subscriber is let in', async () => {
    const { feed: f, running } = await feed();
    for (let i = 0; i < 10; i += 1) f.bounded().subscribe().unsubscribe();

    let refused: unknown;
    f.bounded().subscribe();
    f.bounded().subscribe({ error: (error: unknown) => (refused = error) });

    expect(running()).toBe(1);
    expect(refused).toMatchObject({ code: 'BULKHEAD_FULL' });
  });
});
