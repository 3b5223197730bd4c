// Programs of calls that only keep what they do, with the engine (notes are taken) and without: the same ends.
import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import {
  Checkpoint,
  type Checkpointable,
  CheckpointComponent,
  CheckpointService,
  currentCall,
  Durable,
  DurableMap,
  ResilienceService,
  ResilienceStatistics,
} from 'nestjs-bulwark';
import { ApplicationRuntime } from '../../lib/nest/application-runtime.js';
import { seededRandom, settle } from '../../lib/testing/index.js';
import { boot, closeAll, eventLoopTurns } from '../nest/support/app.js';
import { StagedStore } from '../unit/checkpoint/staged-store.js';

type Dice = (n: number) => number;
type Way = 'answers' | 'throws' | 'rejects' | 'waits' | 'waits, rejects';

/** What one method does: how it ends, and what it calls before and after it waits. */
interface Plan {
  readonly id: string;
  readonly key: string;
  readonly way: Way;
  readonly calls: readonly Plan[];
  readonly sideBySide: boolean;
  readonly heedless: boolean;
  readonly where: number;
}

const users = new AsyncLocalStorage<string>();
let log: unknown[][] = [];
let waiting: (() => void)[] = [];
let crew: { run(plan: Plan): Promise<string> }[] = [];

async function work({ id, calls, sideBySide, heedless, way }: Plan): Promise<void> {
  const call = currentCall();
  log.push([id, 'starts', users.getStore(), call.target, call.attempt, call.deadline]);
  const made: Promise<unknown>[] = [];
  for (const plan of calls) {
    const one = crew[plan.where]!.run(plan);
    const caught = heedless ? one.catch(() => 'missed') : one;
    if (sideBySide) made.push(caught);
    else await caught;
  }
  // the turn of one may come sooner or later than the failure of another
  await Promise.allSettled(made);
  await Promise.all(made);
  if (way.startsWith('waits')) await new Promise<void>((resolve) => waiting.push(resolve));
  log.push([id, 'goes on', users.getStore(), currentCall().signal.aborted]);
  if (way.endsWith('rejects')) throw new Error(id);
}

@Injectable()
@CheckpointComponent({ name: 'one', maxPending: 4 })
class One {
  @Durable() readonly map = new DurableMap<string, string>();

  @Checkpoint()
  run(plan: Plan): Promise<string> {
    if (plan.way === 'throws') throw new Error(plan.id);
    this.map.set(plan.key, `before ${plan.id}`);
    return work(plan).then(() => {
      this.map.set(plan.key, plan.id);
      return plan.id;
    });
  }
}

@Injectable()
@CheckpointComponent({ name: 'two' })
class Two {
  @Durable() readonly map = new DurableMap<string, string>();

  @Checkpoint({ idempotencyKey: ({ key }: Plan) => key })
  async run(plan: Plan): Promise<string> {
    await work(plan);
    this.map.set(plan.key, plan.id);
    return plan.id;
  }
}

@Injectable()
@CheckpointComponent({ name: 'three', serial: false })
class Three implements Checkpointable {
  private ids: string[] = [];

  @Checkpoint()
  async run(plan: Plan): Promise<string> {
    await work(plan);
    this.ids = [...this.ids, plan.id];
    return plan.id;
  }

  captureState(): unknown {
    return this.ids;
  }

  restoreState(state: unknown): void {
    this.ids = state as string[];
  }
}

const WAYS: readonly Way[] = ['answers', 'answers', 'throws', 'rejects', 'waits', 'waits, rejects'];

function planOf(upTo: Dice, id: string, depth = 0): Plan {
  const calls = depth < 2 && upTo(3) === 0 ? 1 + upTo(2) : 0;
  return {
    id,
    key: `key ${upTo(3)}`,
    way: WAYS[upTo(WAYS.length)]!,
    where: upTo(3),
    sideBySide: upTo(3) === 0,
    heedless: upTo(2) === 0,
    calls: Array.from({ length: calls }, (_, i) => planOf(upTo, `${id}.${i}`, depth + 1)),
  };
}

const shown = (error: unknown): unknown =>
  error instanceof Error ? [error.name, error.message, (error as { code?: unknown }).code] : error;

async function run(seed: number, trace: boolean): Promise<object> {
  const random = seededRandom(seed);
  const upTo: Dice = (n) => Math.floor(random() * n);
  log = [];
  waiting = [];
  const store = new StagedStore();
  const { app, clock } = await boot({
    providers: [One, Two, Three],
    bulwark: { checkpoint: { store }, health: false, trace, lint: false },
  });
  crew = [app.get(One), app.get(Two), app.get(Three)] as typeof crew;
  const runtime = app.get(ApplicationRuntime);
  const events: unknown[] = [];
  app.get(ResilienceService).events$.subscribe((event) => {
    const { type, target } = event;
    events.push(JSON.stringify([type, target, (event as { outcome?: string }).outcome]));
  });
  for (let step = 0; step < 30; step += 1) {
    switch (upTo(14)) {
      case 0:
      case 1:
      case 2:
        waiting.splice(upTo(waiting.length), 1)[0]?.();
        break;
      case 3:
        store.syncs = !store.syncs;
        if (store.syncs) store.sync();
        break;
      case 4:
        if (upTo(4) === 0) store.fail();
        break;
      case 5:
        await clock.advance(10);
        break;
      case 6:
        void app
          .get(CheckpointService)
          .save()
          .catch(() => {});
        break;
      case 7:
        if (upTo(8) === 0) runtime.drain();
        break;
      case 8:
        if (upTo(12) === 0) runtime.cut();
        break;
      default: {
        const plan = planOf(upTo, `${step}`);
        void users
          .run(plan.id, () => crew[plan.where]!.run(plan))
          .then(
            (value) => log.push([plan.id, 'good', value]),
            (error: unknown) => log.push([plan.id, 'bad', shown(error)]),
          );
      }
    }
    await settle();
  }
  store.syncs = true;
  for (let i = 0; i < 60; i += 1) {
    store.sync();
    waiting.shift()?.();
    await clock.advance(i % 20 === 0 ? 100_000 : 0);
  }
  await eventLoopTurns();
  const left = runtime.inFlight;
  const totals = app.get(ResilienceStatistics).totals();
  const state = [[...app.get(One).map], [...app.get(Two).map], app.get(Three).captureState()];
  for (const [id, what, user] of log)
    if (what === 'starts' && user !== String(id).split('.')[0])
      throw new Error(`${String(id)} runs as ${String(user)}`);
  await closeAll();
  const lines = log.map((line) => JSON.stringify(line));
  return {
    left,
    log: lines.toSorted(),
    totals: { ...totals, latency: 0 },
    state,
    events: events.toSorted(),
  };
}

it('a program of calls that are kept ends the same whether they have an engine or not', async () => {
  // of many more a few are to differ: when all calls are cut off, an engine is reached inside out
  for (let seed = 1; seed <= Number(process.env['PROGRAMS'] ?? 40); seed += 1) {
    const direct = await run(seed, false);
    expect([seed, direct]).toEqual([seed, await run(seed, true)]);
    expect(direct).toMatchObject({ left: 0 });
  }
});
