import {
  combineLatest,
  config,
  delay,
  filter,
  from,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  share,
  Subject,
  Subscriber,
  switchMap,
  take,
} from 'rxjs';
import type { ResilienceEvent } from '../../../lib/kernel/event.js';
import { EventBus, EventStream } from '../../../lib/pipeline/event-bus.js';
import { settle } from '../../../lib/testing/index.js';
import { eventLoopTurns } from '../../nest/support/app.js';

const event = (target: string): ResilienceEvent => ({
  type: 'unbound-call',
  severity: 'warning',
  at: 0,
  target,
});

function make(): { bus: EventBus; reported: unknown[] } {
  const reported: unknown[] = [];
  return { bus: new EventBus((error) => reported.push(error)), reported };
}

it('delivers in order, after the step that emitted', async () => {
  const { bus } = make();
  const heard: string[] = [];
  bus.listen(({ target }) => {
    heard.push(target);
    if (target === 'a') bus.emit(event('c'));
  });

  bus.emit(event('a'));
  bus.emit(event('b'));
  expect(heard).toEqual([]);
  await settle();

  expect(heard).toEqual(['a', 'b', 'c']);
});

it('wants a type only while somebody listens to it', () => {
  const { bus } = make();
  expect(bus.wants('unbound-call')).toBe(false);
  const stop = bus.listen(() => {}, new Set(['probe-lost']));
  expect([bus.wants('unbound-call'), bus.wants('probe-lost')]).toEqual([false, true]);

  bus.listen(() => {});
  expect(bus.wants('unbound-call')).toBe(true);
  stop();
  expect(bus.wants('probe-lost')).toBe(true);
});

it('#40 a listener that throws or rejects is reported once, stays, and harms no other', async () => {
  const { bus, reported } = make();
  const heard: string[] = [];
  bus.listen(() => {
    throw new Error('throws');
  });
  bus.listen(() => Promise.reject(new Error('rejects')));
  bus.listen(({ target }) => heard.push(target));

  bus.emit(event('a'));
  bus.emit(event('b'));
  await settle();

  expect(heard).toEqual(['a', 'b']);
  expect(reported).toEqual([new Error('throws'), new Error('rejects')]);
});

/** The event loop goes round, however slow the machine is. */
async function rounds(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

it('does not starve timers and I/O though a listener causes events for ever', async () => {
  const { bus } = make();
  const heard: string[] = [];
  const stop = bus.listen(({ target }) => {
    heard.push(target);
    bus.emit(event(`${heard.length}`));
    bus.emit(event(`${heard.length}`));
  });

  bus.emit(event('0'));
  await rounds(5);
  stop();

  expect(heard.length).toBeGreaterThan(1_000);
});

it('keeps the order, and the rest, of a burst that is too long for one turn', async () => {
  const { bus } = make();
  const heard: string[] = [];
  bus.listen(({ target }) => {
    heard.push(target);
    if (target === '999') bus.emit(event('caused'));
  });
  const targets = Array.from({ length: 2_500 }, (_, n) => String(n));

  for (const target of targets) bus.emit(event(target));
  await settle();
  expect(heard).toHaveLength(1_000);
  bus.emit(event('later'));
  await rounds(5);

  expect(heard).toEqual([...targets, 'caused', 'later']);
});

it('tells each listener of the types it asked for, and of no others', async () => {
  const { bus } = make();
  const heard: string[] = [];
  bus.listen(({ type }) => heard.push(`all ${type}`));
  bus.listen(({ type }) => heard.push(`some ${type}`), new Set(['probe-lost']));
  expect([bus.wants('probe-lost'), bus.wants('unbound-call')]).toEqual([true, true]);

  bus.emit(event('a'));
  bus.emit({ ...event('a'), type: 'probe-lost', lease: 1 } as never);
  await settle();

  expect(heard).toEqual(['all unbound-call', 'all probe-lost', 'some probe-lost']);
});

it('survives a reporter that throws', async () => {
  const bus = new EventBus(() => {
    throw new Error('logger');
  });
  bus.listen(() => {
    throw new Error('listener');
  });

  bus.emit(event('a'));
  await settle();

  expect(bus.wants('unbound-call')).toBe(true);
});

describe('the stream', () => {
  it('#40 keeps the process safe from its subscribers, through operators too', async () => {
    const { bus, reported } = make();
    const stream = EventStream.of(bus);
    const heard: string[] = [];
    const fail = (): never => {
      throw new Error('subscriber');
    };
    stream.subscribe(fail);
    stream.subscribe({ next: fail });
    stream
      .pipe(
        map(({ target }) => target),
        filter((t) => t !== 'x'),
      )
      .subscribe(fail);
    stream.pipe(map(fail)).subscribe({ next: () => {}, error: () => heard.push('error') });
    stream.subscribe(({ target }) => heard.push(target));

    bus.emit(event('a'));
    bus.emit(event('b'));
    await settle();

    expect(heard).toEqual(['error', 'a', 'b']);
    expect(reported).toHaveLength(3);
  });

  type Events = Observable<ResilienceEvent>;
  const fail = (): never => {
    throw new Error('subscriber');
  };
  const into = (stream: Events, consume: (subject: Subject<ResilienceEvent>) => void): void => {
    const subject = new Subject<ResilienceEvent>();
    consume(subject);
    stream.subscribe(subject);
  };
  // rxjs gives each of these an Observable or an observer that is not ours
  const ways: [string, (stream: Events) => void][] = [
    ['merge', (stream) => merge(stream, NEVER).subscribe(fail)],
    ['merge, as an observer', (stream) => merge(NEVER, stream).subscribe({ next: fail })],
    ['combineLatest', (stream) => combineLatest([stream, of(1)]).subscribe(fail)],
    [
      'switchMap',
      (stream) =>
        of(1)
          .pipe(switchMap(() => stream))
          .subscribe(fail),
    ],
    ['from', (stream) => from(stream).subscribe(fail)],
    ['share', (stream) => stream.pipe(share()).subscribe(fail)],
    ['a filter', (stream) => stream.pipe(filter(() => true)).subscribe({ next: fail })],
    ['a delay', (stream) => stream.pipe(delay(0)).subscribe(fail)],
    ['a Subject', (stream) => into(stream, (subject) => subject.subscribe(fail))],
    [
      'a Subject with an operator',
      (stream) => into(stream, (subject) => subject.pipe(map((e) => e.type)).subscribe(fail)),
    ],
    ['an error nobody hears', (stream) => merge(stream.pipe(map(fail)), NEVER).subscribe()],
    ['a bare Subscriber', (stream) => stream.subscribe(new Subscriber({ next: fail } as never))],
    ['a subscription within', (stream) => stream.subscribe(() => of(1).subscribe(fail))],
  ];

  it.each(ways)(
    '#40 survives a throw behind %s, reports it once and goes on',
    async (_, listen) => {
      const { bus, reported } = make();
      const stream = EventStream.of(bus);
      const before: string[] = [];
      const after: string[] = [];
      stream.subscribe(({ target }) => before.push(target));
      listen(stream);
      stream.subscribe(({ target }) => after.push(target));

      for (const target of ['a', 'b']) {
        bus.emit(event(target));
        await eventLoopTurns(); // what rxjs throws into the event loop fails this file
      }

      expect(reported).toEqual([new Error('subscriber')]);
      expect([before, after]).toEqual([
        ['a', 'b'],
        ['a', 'b'],
      ]);
    },
  );

  it('tells an observer of the error that ended it, with itself as this', async () => {
    const { bus, reported } = make();
    const heard: unknown[] = [];
    const observer = {
      error(this: unknown, thrown: unknown): void {
        heard.push(this === observer, thrown);
      },
    };
    EventStream.of(bus).pipe(map(fail)).subscribe(observer);
    EventStream.of(bus)
      .pipe(map(fail))
      .subscribe(null, (thrown) => heard.push(thrown));

    bus.emit(event('a'));
    await settle();

    const error = new Error('subscriber');
    expect([heard, reported]).toEqual([[true, error, error], []]);
  });

  it('tells an observer that it is complete, and needs none that hears events', async () => {
    const { bus, reported } = make();
    const heard: string[] = [];
    const one = (): Observable<ResilienceEvent> => EventStream.of(bus).pipe(take(1));
    one().subscribe({ complete: () => heard.push('by observer') });
    one().subscribe(null, null, () => heard.push('by function'));
    one().subscribe({ complete: fail });

    bus.emit(event('a'));
    await settle();

    expect(heard).toEqual(['by observer', 'by function']);
    expect(reported).toEqual([new Error('subscriber')]);
  });

  it('leaves rxjs as it is for everybody else', async () => {
    const { bus } = make();
    const seen: unknown[] = [];
    EventStream.of(bus).subscribe(fail);
    merge(EventStream.of(bus), NEVER).subscribe(fail);
    bus.emit(event('a'));
    queueMicrotask(() => seen.push(config.useDeprecatedSynchronousErrorHandling));
    await settle();

    expect(seen).toEqual([false]);
  });

  it('stops at unsubscription and holds nobody afterwards', async () => {
    const { bus } = make();
    const heard: string[] = [];
    const subscription = EventStream.of(bus).subscribe(({ target }) => heard.push(target));

    subscription.unsubscribe();
    bus.emit(event('a'));
    await settle();

    expect(heard).toEqual([]);
    expect(bus.wants('unbound-call')).toBe(false);
  });
});
