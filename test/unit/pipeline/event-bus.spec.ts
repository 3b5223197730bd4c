import { filter, map } from 'rxjs';
import type { ResilienceEvent } from '../../../lib/kernel/event.js';
import { EventBus, EventStream } from '../../../lib/pipeline/event-bus.js';
import { settle } from '../../../lib/testing/index.js';

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
