// The end of an application, as its calls see it.
import { type CallContext, currentCall } from '../../../lib/pipeline/current-call.js';
import { runObservable } from '../../../lib/pipeline/observable-face.js';
import { runPromise } from '../../../lib/pipeline/promise-face.js';
import { ShuttingDownError } from '../../../lib/pipeline/shutting-down.error.js';
import type { Target } from '../../../lib/pipeline/target.js';
import { settle } from '../../../lib/testing/index.js';
import { NEVER } from 'rxjs';
import { World } from './world.js';

const never = (): Promise<unknown> => new Promise(() => {});
const down = (): Promise<unknown> => Promise.reject(new Error('down'));
const SENT_AWAY = { code: 'SHUTTING_DOWN', policy: 'shutdown', status: 503 };

let world: World;
beforeEach(() => {
  world = new World();
});

/** What becomes of a call, as soon as something has. */
function start(target: Target, work: () => Promise<unknown> = never): { answer?: unknown } {
  const call: { answer?: unknown } = {};
  void runPromise(target, work, undefined, []).then(
    (value) => (call.answer = value),
    (error: unknown) => (call.answer = error),
  );
  return call;
}

/** Work of so many milliseconds. */
const takes = (span: number) => (): Promise<unknown> =>
  new Promise((resolve) => void world.clock.schedule(() => resolve('done'), span));

describe('#92 while an application drains', () => {
  it('fifty calls on their way end as they would have, whatever their policies', async () => {
    const targets = [
      world.target('A', { circuitBreaker: {}, bulkhead: { maxConcurrent: 100 } }),
      world.target('B', { timeLimit: 1_000 }),
    ];
    const calls = targets.flatMap((target) =>
      Array.from({ length: 25 }, () => start(target, takes(300))),
    );
    expect(world.runtime.inFlight).toBe(50);
    world.runtime.drain();
    world.runtime.close();
    await world.clock.advance(300);

    expect(calls.map(({ answer }) => answer)).toEqual(Array(50).fill('done'));
    expect(world.runtime.inFlight).toBe(0);
  });

  it('a queue of a bulkhead, and a line of a rate limit, are sent away at once', async () => {
    const bulkhead = world.target('A', { bulkhead: { maxConcurrent: 1, maxQueue: 10 } });
    const rated = world.target('B', { rateLimit: { limit: 1, per: 60_000, maxWait: 90_000 } });
    const [running, queued] = [start(bulkhead, takes(300)), start(bulkhead)];
    const [, inLine] = [start(rated, takes(0)), start(rated)];
    await settle();
    world.runtime.drain();
    await settle();

    expect(queued.answer).toBeInstanceOf(ShuttingDownError);
    expect(queued.answer).toMatchObject({ ...SENT_AWAY, target: 'A' });
    expect(inLine.answer).toMatchObject({ ...SENT_AWAY, target: 'B' });
    await world.clock.advance(300);
    expect(running.answer).toBe('done');
    expect(bulkhead.pipeline.bulkhead!.policy.snapshot()).toMatchObject({ running: 0, queued: 0 });
    expect(world.clock.pending).toBe(0);
  });

  it('calls are sent away in the order they began, also one that failed meanwhile', async () => {
    const limited = world.target('A', { timeLimit: 60_000, retry: { delay: 5_000 } });
    const queued = world.target('B', { timeLimit: 60_000, bulkhead: { maxConcurrent: 1 } });
    let fail!: (error: Error) => void;
    start(limited, () => new Promise((_resolve, reject) => (fail = reject)));
    start(queued);
    start(queued);
    fail(new Error('down'));
    await settle();

    world.runtime.drain();
    await settle();

    const told = world.events.filter(({ type }) => /declined|rejected/.test(type));
    expect(told.map(({ type }) => type)).toEqual(['retry-declined', 'call-rejected']);
  });

  it('a wait for another attempt ends at once with the last error, and none begins', async () => {
    const target = world.target('A', { retry: { delay: 5_000, maxDelay: 5_000, jitter: 'none' } });
    const waiting = start(target, down);
    await settle();
    world.runtime.drain();
    await settle();
    const later = await world.call(target, down);

    expect([waiting.answer, later]).toMatchObject([{ message: 'down' }, { message: 'down' }]);
    expect(target.pipeline.counters.retries).toBe(0);
    expect(world.events.filter(({ type }) => type === 'retry-declined')).toMatchObject([
      { why: 'shutting-down' },
      { why: 'shutting-down' },
    ]);
    expect(world.clock.pending).toBe(0);
  });

  it('a result that was to be followed by a better one is the answer', async () => {
    const target = world.target('A', { retry: { retryOnResult: () => true, jitter: 'none' } });
    const waiting = start(target, () => Promise.resolve('poor'));
    await settle();
    world.runtime.drain();
    await settle();

    expect(waiting.answer).toBe('poor');
  });

  it('a hook of the user that a retry waits for keeps nobody waiting', async () => {
    const target = world.target('A', { retry: { delay: 0, beforeRetry: () => never() as never } });
    const waiting = start(target, down);
    await world.clock.advance(100);
    world.runtime.drain();
    await settle();

    expect(waiting.answer).toMatchObject({ message: 'down' });
  });

  it('calls may be made, but who would have to wait is sent away', async () => {
    const target = world.target('A', { bulkhead: { maxConcurrent: 1, maxQueue: 10 } });
    world.runtime.drain();
    const [first, second] = [start(target, takes(10)), start(target)];
    await world.clock.advance(10);

    expect([first.answer, second.answer]).toMatchObject(['done', SENT_AWAY]);
    expect(target.pipeline.bulkhead!.policy.snapshot()).toMatchObject({ running: 0, queued: 0 });
  });

  it('a fallback answers for who is sent away', async () => {
    const target = world.target('A', {
      bulkhead: { maxConcurrent: 1, maxQueue: 1 },
      fallback: { value: 'instead' },
    });
    const [, queued] = [start(target), start(target)];
    world.runtime.drain();
    await settle();

    expect(queued.answer).toBe('instead');
  });
});

describe('#92 when it is closed', () => {
  it('every target refuses new calls, those that are made or changed later too', async () => {
    const before = [world.target('A', { circuitBreaker: {} }), world.target('B', {})];
    world.runtime.drain();
    world.runtime.close();
    const after = world.target('C', { bulkhead: {} });
    world.runtime.reconfigure('A', { circuitBreaker: { failureThreshold: 1 } });
    const answers = await Promise.all(
      [...before, after].map((target) => world.call(target, () => Promise.resolve(1))),
    );
    world.runtime.setEnabled(false);
    answers.push(await world.call(before[0]!, () => Promise.resolve(1)));

    expect(answers).toMatchObject(Array(4).fill(SENT_AWAY));
    expect(before[1]!.pipeline.counters).toMatchObject({ calls: 1, rejected: 1, inFlight: 0 });
    expect(world.events.filter(({ type }) => type === 'call-rejected')).toHaveLength(4);
  });

  it('it stays closed, however often it is drained', async () => {
    const target = world.target('A', {});
    world.runtime.close();
    world.runtime.drain();

    expect(await world.call(target, () => Promise.resolve(1))).toMatchObject(SENT_AWAY);
  });

  it('a stream is refused like a promise', async () => {
    const target = world.target('A', {});
    world.runtime.drain();
    world.runtime.close();
    let answer: unknown;
    runObservable(target, () => NEVER, undefined, []).subscribe({
      error: (error: unknown) => (answer = error),
    });

    expect(answer).toMatchObject(SENT_AWAY);
  });

  it('the last work may make calls, which may wait and be attempted again', async () => {
    const target = world.target('A', {
      bulkhead: { maxConcurrent: 1, maxQueue: 1 },
      retry: { delay: 100, jitter: 'none' },
    });
    world.runtime.drain();
    world.runtime.close();
    let failures = 1;
    const work = (): Promise<unknown> => ((failures -= 1) < 0 ? takes(10)() : down());
    const calls = world.runtime.runLast(() => [start(target, takes(10)), start(target, work)]);
    const other = await world.call(target, work);
    await world.clock.advance(200);

    expect(calls.map(({ answer }) => answer)).toEqual(['done', 'done']);
    expect(other).toMatchObject(SENT_AWAY);
  });
});

describe('#92 when the grace is over', () => {
  it('also a call ends beside which others have come and gone that were in no list', async () => {
    const limited = world.target('A', { timeLimit: 60_000 });
    const free = world.target('B', { circuitBreaker: {} });
    const call = start(limited);
    await world.fail(free, 2);
    world.runtime.cut();
    await settle();

    expect(call.answer).toMatchObject(SENT_AWAY);
  });

  it('a call of ten seconds ends, and its signal aborts', async () => {
    const target = world.target('A', { timeLimit: 60_000, bulkhead: {}, circuitBreaker: {} });
    let context!: CallContext;
    const call = start(target, () => {
      context = currentCall();
      return takes(10_000)();
    });
    world.runtime.drain();
    world.runtime.cut();
    await settle();

    expect(call.answer).toMatchObject({ ...SENT_AWAY, target: 'A' });
    expect(context.signal.aborted).toBe(true);
    expect(context.signal.reason).toBe(call.answer);
    expect(world.runtime.inFlight).toBe(0);
    expect(target.pipeline.breaker!.policy.snapshot()).toMatchObject({ state: 'closed' });
  });

  it('so does one that began since the application drains, whatever its policies', async () => {
    const target = world.target('A', { circuitBreaker: {} });
    world.runtime.drain();
    const call = start(target);
    world.runtime.cut();
    await settle();

    expect(call.answer).toMatchObject(SENT_AWAY);
  });

  it('a stream that never ends ends with the refusal', () => {
    const target = world.target('A', {});
    let answer: unknown;
    runObservable(target, () => NEVER, undefined, []).subscribe({
      error: (error: unknown) => (answer = error),
    });
    world.runtime.drain();
    world.runtime.cut();

    expect(answer).toMatchObject(SENT_AWAY);
  });

  it('no fallback is asked, and the one that is being asked is not waited for', async () => {
    let asked = 0;
    const target = world.target('A', {
      timeLimit: 60_000,
      fallback: () => {
        asked += 1;
        return never() as never;
      },
    });
    const [running, asking] = [start(target), start(target, down)];
    await settle();
    world.runtime.drain();
    world.runtime.cut();
    await settle();

    expect([running.answer, asking.answer]).toMatchObject([SENT_AWAY, SENT_AWAY]);
    expect(asked).toBe(1);
  });
});

it('how many calls are on their way is known after the counters were reset too', async () => {
  const target = world.target('A', { circuitBreaker: {} });
  start(target, takes(100));
  start(target, takes(200));
  target.pipeline.counters.reset();
  expect(world.runtime.inFlight).toBe(2);
  await world.clock.advance(100);
  expect(world.runtime.inFlight).toBe(1);
  target.pipeline.counters.reset();
  await world.clock.advance(100);

  expect(world.runtime.inFlight).toBe(0);
});

it('calls that end in any order leave the others to be cut', async () => {
  const target = world.target('A', { timeLimit: 60_000 });
  const calls = [1, 3, 9, 9, 9, 4, 2].map((span) => start(target, takes(span * 100)));
  await world.clock.advance(400);
  world.runtime.drain();
  world.runtime.cut();
  await settle();

  const left = Array<object>(3).fill(SENT_AWAY);
  expect(calls.map(({ answer }) => answer)).toMatchObject([
    'done',
    'done',
    ...left,
    'done',
    'done',
  ]);
});

it('nothing of a call is kept when it has ended, however it ends', async () => {
  const list = (): unknown[] => (world.runtime.env.calls as unknown as { all: unknown[] }).all;
  const target = world.target('A', { timeLimit: 100, retry: { maxAttempts: 2, jitter: 'none' } });
  const calls = [start(target, takes(10)), start(target, down), start(target)];
  const stream = runObservable(target, () => NEVER, undefined, []).subscribe();
  expect(list()).toHaveLength(4);
  stream.unsubscribe();
  await world.clock.advance(1_000);

  expect(calls.every(({ answer }) => answer !== undefined)).toBe(true);
  expect(list()).toEqual([]);
});
