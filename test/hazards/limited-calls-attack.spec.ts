// What broke calls that run without an engine: timers that outlive them, clocks moved in the method,
// promises that lie, ends within ends, and keys forgotten while somebody still holds one.
import { AsyncResource } from 'node:async_hooks';
import type { CancelTimer, Clock } from '../../lib/kernel/clock.js';
import { currentCall } from '../../lib/pipeline/current-call.js';
import { KeyedPolicies } from '../../lib/pipeline/keyed-policies.js';
import type { PolicySet } from '../../lib/pipeline/policy-set.js';
import { runPromise } from '../../lib/pipeline/promise-face.js';
import type { Target } from '../../lib/pipeline/target.js';
import { FakeClock, settle } from '../../lib/testing/index.js';
import { breakerOf, World } from '../unit/pipeline/world.js';

const never = (): Promise<never> => new Promise(() => {});

/** Each with an engine from the start, and without. */
const WAYS = [
  ['without an engine', false],
  ['with one', true],
] as const;

/** The policies of a call that takes something everywhere. */
const ALL: PolicySet = {
  timeLimit: 60,
  bulkhead: { maxConcurrent: 2, maxQueue: 0 },
  circuitBreaker: { failureThreshold: 1 },
  retry: { maxAttempts: 2, delay: 1, jitter: 'none', idempotent: true },
};

function start(target: Target, work: () => unknown): { answer?: unknown } {
  const call: { answer?: unknown } = {};
  void runPromise(target, work, undefined, []).then(
    (value) => (call.answer = value),
    (error: { code?: string; message: string }) => (call.answer = error.code ?? error.message),
  );
  return call;
}

/** A clock whose timers cannot be cleared, as those are not that began before somebody faked the others. */
class DeafClock extends FakeClock {
  override schedule(run: () => void, delay: number): CancelTimer {
    super.schedule(run, delay);
    return () => {};
  }
}

const slotsOf = (world: World, name: string): object =>
  world.runtime.registry.bulkheads.reader(name)!.snapshot();

describe.each(WAYS)('%s', (_way, trace) => {
  it('a timer that could not be cleared gives up no call that was answered', async () => {
    const clock = new DeafClock();
    const world = new World({ clock, trace });
    const target = world.target('A', ALL);
    let runs = 0;
    const call = start(target, async () => {
      runs += 1;
      return 'v';
    });
    await settle();
    await clock.advance(1_000);

    expect([call.answer, runs]).toEqual(['v', 1]);
    expect(world.events).toEqual([]);
    expect(slotsOf(world, 'A')).toMatchObject({ running: 0, orphaned: 0 });
    expect(breakerOf(world).snapshot().state).toBe('closed');
    expect(world.runtime.inFlight).toBe(0);
  });

  it('nor one that has failed, and waits for its second attempt', async () => {
    const clock = new DeafClock();
    const world = new World({ clock, trace });
    const target = world.target('A', {
      ...ALL,
      circuitBreaker: {},
      retry: { delay: 500, jitter: 'none' },
    });
    let runs = 0;
    const call = start(target, () => {
      runs += 1;
      return runs === 1 ? Promise.reject(new Error('x')) : Promise.resolve('second');
    });
    await clock.advance(5_000);

    expect([call.answer, runs]).toEqual(['second', 2]);
    expect(world.events.map(({ type }) => type)).toEqual(['retry-scheduled']);
    expect(world.runtime.inFlight).toBe(0);
  });

  it('a method that moves the clock beyond its own limit makes nobody forget the other calls', async () => {
    const clock = new ClockByHand();
    const world = new World({ clock, trace });
    const { retry: _, ...policies } = ALL;
    const patient = world.target('other', { ...ALL, timeLimit: 60_000 });
    const target = world.target('A', policies);
    let signal!: AbortSignal;
    const other = start(patient, () => {
      ({ signal } = currentCall());
      return never();
    });
    const moving = start(target, async () => clock.tick(500));
    await settle();
    world.runtime.drain();
    world.runtime.close();
    world.runtime.cut();
    await settle();

    expect(moving.answer).toBe('CALL_TIMEOUT');
    expect([other.answer, signal.aborted]).toEqual(['SHUTTING_DOWN', true]);
    expect(slotsOf(world, 'A')).toMatchObject({ running: 0 });
    expect(world.runtime.inFlight).toBe(0);
  });

  it.each<[string, (ok: (v: unknown) => void, no: (e: unknown) => void) => void]>([
    ['at once', (ok) => ok(1)],
    ['twice', (ok) => [1, 2].forEach((v) => queueMicrotask(() => ok(v)))],
    [
      'good, then bad',
      (ok, no) => [() => ok(1), () => no(new Error('x'))].forEach((f) => queueMicrotask(f)),
    ],
  ])('a promise whose own `then` calls back %s settles its call once', async (_name, then) => {
    for (const timeLimit of [60, { idle: 60 }]) {
      const world = new World({ trace });
      const target = world.target('A', { ...ALL, timeLimit });
      const held = start(target, never);
      const call = start(target, () => Object.assign(Promise.resolve(1), { then }));
      await settle();

      expect([call.answer, held.answer]).toEqual([1, undefined]);
      expect(slotsOf(world, 'A')).toMatchObject({ running: 1 });
      expect(breakerOf(world).snapshot().counters).toMatchObject({ success: 1 });
      expect(world.runtime.pipeline('A')!.counters.succeeded).toBe(1);
      expect(world.runtime.inFlight).toBe(1);
    }
  });

  it('who ends the application once more while it ends counts nobody twice', async () => {
    const world = new World({ trace });
    const policies = { ...ALL, bulkhead: { maxConcurrent: 5 }, timeLimit: 60_000 };
    const target = world.target('A', policies);
    const calls = Array.from({ length: 3 }, () =>
      start(target, () => {
        currentCall().signal.addEventListener('abort', () => world.runtime.cut());
        return never();
      }),
    );
    world.runtime.drain();
    world.runtime.close();
    world.runtime.cut();
    await settle();

    expect(calls.map(({ answer }) => answer)).toEqual(Array(3).fill('SHUTTING_DOWN'));
    expect(world.runtime.pipeline('A')!.counters.cancelled).toBe(3);
    expect(world.runtime.inFlight).toBe(0);
  });

  it.each<[string, PolicySet]>([
    ['a limit', { timeLimit: 60 }],
    ['no limit', {}],
  ])(
    'with %s, a method that throws is heard of before the next call begins',
    async (_name, more) => {
      const world = new World({ trace });
      const targets = [
        world.target('A', { ...more, circuitBreaker: { failureThreshold: 2 } }),
        world.target('B', { ...more, bulkhead: { maxConcurrent: 1, maxQueue: 0 } }),
      ];
      const throwing = (): never => {
        throw new Error('x');
      };
      const [a, b] = targets.map((target) =>
        Array.from({ length: 4 }, () => start(target, throwing)),
      );
      await settle();

      expect(a!.map(({ answer }) => answer)).toEqual(['x', 'x', 'CIRCUIT_OPEN', 'CIRCUIT_OPEN']);
      expect(b!.map(({ answer }) => answer)).toEqual(['x', 'x', 'x', 'x']);
    },
  );
});

it('who holds the policy of a forgotten key does not hold those that were forgotten later', () => {
  const policies = new KeyedPolicies(
    'A',
    { maxKeys: 2, idleTtl: 100 },
    new FakeClock(),
    (key) => ({ key }),
    { isIdle: () => true, mayGo: () => true, mayExpire: () => true },
  );
  const held = ['a', 'b', 'c', 'd', 'e'].map((key) => policies.of(key));

  const reached = new Set<unknown>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || reached.has(value)) return;
    reached.add(value);
    Object.values(value).forEach(walk);
  };
  held.slice(0, 3).forEach(walk);

  expect(policies.list().map(([key]) => key)).toEqual(['d', 'e']);
  expect(held.map((entry) => reached.has(entry))).toEqual([true, true, true, false, false]);
});

/** A clock that runs what is due while it is moved, as fake timers of the usual kind do. */
class ClockByHand implements Clock {
  private time = 1_000;
  private tasks: { readonly at: number; readonly run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  epoch(): number {
    return this.time;
  }

  schedule(run: () => void, delay: number): CancelTimer {
    const task = { at: this.time + delay, run: AsyncResource.bind(run) };
    this.tasks.push(task);
    return () => void (this.tasks = this.tasks.filter((one) => one !== task));
  }

  tick(by: number): void {
    this.time += by;
    for (;;) {
      const due = this.tasks.find(({ at }) => at <= this.time);
      if (due === undefined) return;
      this.tasks = this.tasks.filter((one) => one !== due);
      due.run();
    }
  }
}
