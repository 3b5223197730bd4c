// Calls of methods that have @Checkpoint and nothing else: they run without the engine, and nobody is to see that.
import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import {
  Checkpoint,
  CheckpointComponent,
  currentCall,
  Durable,
  DurableMap,
  ResilienceService,
  ResilienceStatistics,
  TimeLimit,
} from 'nestjs-bulwark';
import { ApplicationRuntime } from '../../../lib/nest/application-runtime.js';
import { type FakeClock, settle } from '../../../lib/testing/index.js';
import { StagedStore } from '../../unit/checkpoint/staged-store.js';
import { boot, closeAll, deferred, eventLoopTurns, type World } from '../support/app.js';

afterEach(closeAll);

const users = new AsyncLocalStorage<string>();
let clock: FakeClock;

@Injectable()
@CheckpointComponent({ name: 'desk' })
class Desk {
  @Durable() readonly seen = new DurableMap<string, string>();
  /** How many methods are on the stack at once. */
  depth = 0;
  deepest = 0;

  @Checkpoint()
  async note(id: string, until?: Promise<void>): Promise<string> {
    const { target, attempt, deadline } = currentCall();
    if (until !== undefined) await until;
    this.seen.set(id, `${users.getStore()} ${target} ${attempt} ${deadline}`);
    return id;
  }

  @Checkpoint()
  signal(until: Promise<void>): Promise<AbortSignal> {
    return until.then(() => currentCall().signal);
  }

  @Checkpoint()
  async heed(signals: AbortSignal[], until: Promise<void>): Promise<string> {
    signals.push(currentCall().signal);
    await until;
    return 'too late';
  }

  @Checkpoint()
  refuse(id: string): Promise<string> {
    this.depth += 1;
    this.deepest = Math.max(this.deepest, this.depth);
    try {
      throw new Error(id);
    } finally {
      this.depth -= 1;
    }
  }
}

@Injectable()
class Clerk {
  constructor(private readonly desk: Desk) {}

  @TimeLimit({ ms: 100, propagateDeadline: true })
  async hurried(id: string): Promise<string> {
    return this.desk.note(id);
  }
}

async function start(): Promise<World & { desk: Desk; figures: () => object }> {
  const world = await boot({
    providers: [Desk, Clerk],
    bulwark: { checkpoint: { store: new StagedStore(), verify: true }, health: false },
  });
  clock = world.clock;
  const statistics = world.app.get(ResilienceStatistics);
  const figures = (): object => statistics.totals();
  return { ...world, desk: world.app.get(Desk), figures };
}

const caught = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);

it('a call that waits for its turn runs in the async context of its own caller', async () => {
  const { desk } = await start();
  const { promise, resolve } = deferred();
  const calls = ['ada', 'bob', 'cyd'].map((user) =>
    users.run(user, () => desk.note(user, promise)),
  );
  await settle();
  resolve();
  await expect(Promise.all(calls)).resolves.toEqual(['ada', 'bob', 'cyd']);
  expect([...desk.seen.values()]).toEqual(
    ['ada', 'bob', 'cyd'].map((user) => `${user} Desk.note 1 undefined`),
  );
});

it('of a thousand that fail at once each gets its own error, and none runs inside another', async () => {
  const { app, desk, figures } = await start();
  const { promise, resolve } = deferred();
  const holder = desk.note('first', promise);
  const failing = Array.from({ length: 1_000 }, (_, i) => caught(desk.refuse(String(i))));
  await expect(desk.refuse('one too many')).rejects.toMatchObject({ code: 'COMPONENT_BUSY' });
  resolve();
  const errors = (await Promise.all(failing)) as Error[];
  expect(errors.map(({ message }) => message)).toEqual(errors.map((_, i) => String(i)));
  expect(desk.deepest).toBe(1);
  await expect(holder).resolves.toBe('first');
  await expect(desk.note('last')).resolves.toBe('last');
  expect(figures()).toMatchObject({ succeeded: 2, failed: 1_000, rejected: 1 });
  expect(app.get(ApplicationRuntime).inFlight).toBe(0);
});

it('`currentCall()` is valid throughout, and its signal aborts when the application cuts the call off', async () => {
  const { app, desk, figures } = await start();
  const runtime = app.get(ApplicationRuntime);
  const late: unknown[] = [];
  app.get(ResilienceService).events$.subscribe((event) => {
    if (event.type === 'late-result') late.push([event.target, event.outcome]);
  });
  const { promise, resolve } = deferred();
  const signals: AbortSignal[] = [];
  const calls = [caught(desk.heed(signals, promise)), caught(desk.signal(promise))];
  await settle();
  expect(signals[0]!.aborted).toBe(false);
  runtime.drain();
  runtime.cut();
  await expect(Promise.all(calls)).resolves.toMatchObject([
    { code: 'SHUTTING_DOWN' },
    { code: 'SHUTTING_DOWN' },
  ]);
  expect(signals[0]!.aborted).toBe(true);
  expect(figures()).toMatchObject({ cancelled: 1, rejected: 1 });
  expect(runtime.inFlight).toBe(0);
  resolve();
  await eventLoopTurns();
  expect(late).toEqual([['Desk.heed', 'success']]);
});

it('reads `currentCall()` after an await', async () => {
  const { desk } = await start();
  await expect(desk.signal(Promise.resolve())).resolves.toMatchObject({ aborted: false });
});

it('a caller with a deadline passes it on', async () => {
  const { app, desk } = await start();
  const at = clock.epoch() + 100;
  await users.run('eve', () => app.get(Clerk).hurried('e'));
  expect(desk.seen.get('e')).toBe(`eve Desk.note 1 ${at}`);
});

it('a slow call is told of while it runs and when it has ended, and the one behind it is not', async () => {
  const { app, desk } = await start();
  const slow: unknown[] = [];
  app.get(ResilienceService).events$.subscribe((event) => {
    if (event.type === 'slow-checkpoint-call') slow.push([event.target, event.duration]);
  });
  const { promise, resolve } = deferred();
  const first = desk.note('slow', promise);
  const second = desk.note('behind');

  await clock.advance(60);
  expect(slow).toEqual([['Desk.note', 51]]);
  await clock.advance(140);
  resolve();
  await Promise.all([first, second]);
  await settle();
  expect(slow).toEqual([
    ['Desk.note', 51],
    ['Desk.note', 200],
  ]);
});
