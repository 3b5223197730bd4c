import { Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  type ResilienceEvent,
  ResilienceRegistry,
  ResilienceService,
  Retry,
} from 'nestjs-bulwark';
import { EventRecorder } from 'nestjs-bulwark/testing';
import { filter, map, mergeMap, type Observable, tap } from 'rxjs';
import { boot, closeAll, eventLoopTurns, type World } from './support/app.js';

afterEach(closeAll);

@Injectable()
class Client {
  @CircuitBreaker({ failureThreshold: 2, openFor: 100, openJitter: 0, successThreshold: 1 })
  async call(fail = false): Promise<string> {
    if (fail) throw new Error('down');
    return 'fine';
  }

  @Fallback({ value: 'instead' })
  @Retry({ maxAttempts: 2, delay: 5, jitter: 'none' })
  async degraded(): Promise<string> {
    throw new Error('down');
  }
}

/** The same story each time: what the callers saw, and where the breaker went. */
async function story({ app, clock }: World): Promise<unknown[]> {
  const client = app.get(Client);
  const seen: unknown[] = [];
  const note = (call: Promise<string>): Promise<unknown> =>
    call.then(
      (value) => seen.push(value),
      (error: Error) => seen.push(error.constructor.name),
    );
  await note(client.call());
  await note(client.call(true));
  await note(client.call(true));
  await note(client.call());
  const degraded = note(client.degraded());
  await clock.advance(100);
  await degraded;
  await note(client.call());
  seen.push(app.get(ResilienceRegistry).breakers.reader('Client.call')!.state);
  // what a listener breaks behind the scenes comes up here, where jest fails the test for it
  await eventLoopTurns();
  return seen;
}

const EXPECTED = ['fine', 'Error', 'Error', 'CircuitOpenError', 'instead', 'fine', 'closed'];

type Events = Observable<ResilienceEvent>;

const hostile: [string, (events$: Events, world: World) => void][] = [
  [
    'throws',
    (events$) =>
      events$.subscribe(() => {
        throw new Error('listener');
      }),
  ],
  [
    'throws from an observer object',
    (events$) =>
      events$.subscribe({
        next() {
          throw new Error('listener');
        },
      }),
  ],
  ['rejects', (events$) => events$.subscribe(() => Promise.reject(new Error('listener')))],
  ['never resolves', (events$) => events$.subscribe(() => new Promise(() => {}))],
  [
    'throws behind pipe()',
    (events$) =>
      events$.pipe(filter(() => true)).subscribe(() => {
        throw new Error('listener');
      }),
  ],
  [
    'rejects behind pipe()',
    (events$) =>
      events$.pipe(map((event) => event.type)).subscribe(() => Promise.reject(new Error('piped'))),
  ],
  [
    'throws in an operator',
    (events$) =>
      events$
        .pipe(
          map(() => {
            throw new Error('operator');
          }),
        )
        .subscribe(),
  ],
  [
    'rejects in an operator',
    (events$) => events$.pipe(mergeMap(() => Promise.reject(new Error('operator')))).subscribe(),
  ],
  [
    'throws in tap, with a listener behind',
    (events$) =>
      events$
        .pipe(
          tap(() => {
            throw new Error('operator');
          }),
        )
        .subscribe(() => {}),
  ],
  [
    'calls back into the policies',
    (events$, { app }) =>
      events$.subscribe(() => {
        app.get(ResilienceService).tryExecute('inner', async () => 1, { circuitBreaker: {} });
      }),
  ],
  [
    'is a firehose of new subscriptions',
    (events$) => {
      let left = 50;
      const again = (): void => {
        left -= 1;
        if (left > 0) events$.subscribe(again);
      };
      events$.subscribe(again);
    },
  ],
];

describe('#40 #97 a listener of events$', () => {
  it('#40 changes nothing, and without one the story is the expected one', async () => {
    expect(await story(await boot({ providers: [Client] }))).toEqual(EXPECTED);
  });

  it.each(hostile)('#40 that %s changes no outcome and no state', async (_, listen) => {
    const world = await boot({ providers: [Client] });
    listen(world.app.get(ResilienceService).events$, world);

    expect(await story(world)).toEqual(EXPECTED);
  });

  it('#40 that resets the breaker re-entrantly closes it, and nothing worse', async () => {
    const world = await boot({ providers: [Client] });
    const { events$ } = world.app.get(ResilienceService);
    const control = world.app.get(ResilienceRegistry).breakers.control('Client.call')!;
    events$.subscribe((event) => {
      if (event.type === 'circuit-state-changed' && event.to === 'open') control.reset('listener');
    });

    expect(await story(world)).toEqual([
      'fine',
      'Error',
      'Error',
      'fine',
      'instead',
      'fine',
      'closed',
    ]);
  });

  it.each([
    ['directly', (events$: Events) => events$],
    ['through pipe()', (events$: Events) => events$.pipe(filter(() => true))],
  ])('#40 that throws is reported once, and still hears everything: %s', async (_, via) => {
    const world = await boot({ providers: [Client] });
    const { events$ } = world.app.get(ResilienceService);
    const recorder = new EventRecorder(events$);
    let heard = 0;
    via(events$).subscribe(() => {
      heard += 1;
      throw new Error('my listener');
    });

    await story(world);

    expect(recorder.events.length).toBeGreaterThan(3);
    expect(heard).toBe(recorder.events.length);
    const errors = world.log.ours.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]!.message).toContain('an event listener threw');
    expect(errors[0]!.message).toContain('my listener');
    expect(String(errors[0]!.rest[0])).toContain('events.spec.ts');
  });

  it('#40 behind another that throws hears everything in order', async () => {
    const world = await boot({ providers: [Client] });
    const { events$ } = world.app.get(ResilienceService);
    events$.subscribe(() => {
      throw new Error('first');
    });
    const recorder = new EventRecorder(events$);

    await story(world);

    expect(recorder.events.map(({ type }) => type)).toEqual([
      'circuit-state-changed',
      'call-rejected',
      'retry-scheduled',
      'retry-exhausted',
      'fallback-used',
      'circuit-state-changed',
      'circuit-state-changed',
    ]);
  });

  it('that has unsubscribed hears nothing more', async () => {
    const world = await boot({ providers: [Client] });
    const recorder = new EventRecorder(world.app.get(ResilienceService).events$);
    recorder.stop();

    await story(world);

    expect(recorder.events).toEqual([]);
  });
});
