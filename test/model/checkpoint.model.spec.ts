// Random programs of kept calls beside a twin in plain memory: nested and at once, with failures, voids,
// retries, saves, restores, fences and crashes. What a commit did is there, once; nothing else is.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { CheckpointEngine } from '../../lib/checkpoint/engine/checkpoint-engine.js';
import { claimOf } from '../../lib/checkpoint/component/claims.js';
import { CheckpointCall } from '../../lib/checkpoint/transaction/checkpoint-call.js';
import { DurableList } from '../../lib/checkpoint/collections/durable-list.js';
import { DurableMap } from '../../lib/checkpoint/collections/durable-map.js';
import { DurableSet } from '../../lib/checkpoint/collections/durable-set.js';
import { DurableValue } from '../../lib/checkpoint/collections/durable-value.js';
import { MemoryCheckpointStore } from '../../lib/checkpoint/stores/memory-checkpoint-store.js';
import { isResilienceRejection } from '../../lib/kernel/rejection.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

/** `a` to `c` have durable fields; `d` hands its state over and journals; `e` is only saved now and then. */
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
type Name = (typeof NAMES)[number];
const DURABLE = ['map', 'set', 'list', 'sum'] as const;

class Store {
  readonly map = new DurableMap<number, number>();
  readonly set = new DurableSet<number>();
  readonly list = new DurableList<number>([0]);
  readonly sum = new DurableValue(1);
}

/** State that is handed over as a whole, and changed in place. */
class Captured {
  bag = new Map<number, number>();

  captureState(): unknown {
    return { bag: this.bag };
  }

  restoreState({ bag }: { bag: Map<number, number> }): void {
    this.bag = bag;
  }

  applyEntry(changes: readonly (readonly [number, number])[]): void {
    for (const [kind, n] of changes) put(this, kind, n);
  }
}

/** In any order it comes to the same: the entries of nested calls come in the order of their ends. */
function put({ bag }: { readonly bag: Map<number, number> }, kind: number, n: number): void {
  bag.set(kind, (bag.get(kind) ?? 0) + n + 1);
}

/** One component in plain memory. */
class Plain {
  bag = new Map<number, number>();
  map = new Map<number, number>();
  set = new Set<number>();
  list = [0];
  sum = 1;
  answers = new Map<string, unknown>();

  copy(): Plain {
    const copy = new Plain();
    copy.map = new Map(this.map);
    copy.set = new Set(this.set);
    copy.list = [...this.list];
    copy.sum = this.sum;
    copy.answers = new Map(this.answers);
    copy.bag = new Map(this.bag);
    return copy;
  }
}
type Twin = Record<Name, Plain>;
const each = <T>(make: (name: Name) => T): Record<Name, T> =>
  Object.fromEntries(NAMES.map((name) => [name, make(name)])) as Record<Name, T>;
const copyOf = (twin: Twin): Twin => each((name) => twin[name].copy());
const fresh = (): Twin => each(() => new Plain());
type Stores = Record<Name, Store | Captured>;

/** A change of either; what it makes depends on what was there. */
function change(one: Store | Captured | Plain, name: Name, kind: number, n: number): void {
  if (one instanceof Captured || name === 'd' || name === 'e') {
    put(one as Captured | Plain, kind, n);
    return;
  }
  switch (kind % 6) {
    case 0:
      one.map.set(n, (one.map.get(n) ?? 0) * 3 + 1);
      break;
    case 1:
      one.map.delete(n);
      break;
    case 2:
      if (one.set.has(n)) one.set.delete(n);
      else one.set.add(n);
      break;
    case 3:
      one.list.push((one.list.at(-1) ?? 0) + n);
      break;
    case 4:
      one.list.splice(n, 2, one.list.length);
      break;
    default:
      if (one instanceof Plain) one.sum = (one.sum * 7 + n) % 1_000;
      else one.sum.update((sum) => (sum * 7 + n) % 1_000);
  }
}

interface Step {
  readonly does: 'change' | 'wait' | 'call' | 'beside' | 'fail';
  readonly kind: number;
  readonly n: number;
  readonly catches: boolean;
  readonly inner: Script;
}
interface Script {
  readonly name: Name;
  readonly steps: readonly Step[];
}
interface Call extends Script {
  readonly key: string | undefined;
  readonly retries: number;
  /** After so many ticks nobody waits for the attempt any more. */
  readonly limit: number | undefined;
}

const ticks = fc.nat(12);
const { script } = fc.letrec<{ script: Script; step: Step }>((tie) => ({
  script: fc.record({
    name: fc.constantFrom(...NAMES),
    steps: fc.array(tie('step'), { maxLength: 5, depthIdentifier: 'deep' }),
  }),
  step: fc.record({
    does: fc.constantFrom(
      ...([
        'change',
        'change',
        'change',
        'wait',
        'wait',
        'call',
        'call',
        'beside',
        'fail',
      ] as const),
    ),
    kind: fc.nat(5),
    n: fc.nat(4),
    catches: fc.boolean(),
    inner: fc.oneof(
      { maxDepth: 2, depthIdentifier: 'deep' },
      fc.constant<Script>({ name: 'a', steps: [] }),
      tie('script'),
    ),
  }),
}));
const call: fc.Arbitrary<Call> = fc
  .tuple(
    script,
    fc.record({
      key: fc.option(fc.constantFrom('k0', 'k1'), { nil: undefined, freq: 3 }),
      retries: fc.nat(2),
      limit: fc.option(ticks, { nil: undefined, freq: 2 }),
    }),
  )
  .map(([facts, more]) => ({ ...facts, ...more }));
const meanwhile = fc.constantFrom(
  ...(['nothing', 'nothing', 'save', 'create', 'restore', 'fence', 'crash', 'close'] as const),
);
const round = fc.record({
  calls: fc.array(call, { minLength: 1, maxLength: 4 }),
  meanwhile,
  after: ticks,
});

const tick = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i += 1) await Promise.resolve();
};

type Effect = (twin: Twin) => void;

/** One process after the other over the same store. */
class World {
  readonly store = new MemoryCheckpointStore();
  readonly named = new Map<string, Twin>();
  twin = fresh();
  clock = new FakeClock();
  engine!: CheckpointEngine;
  stores!: Stores;
  /** What of `e` outlives the process. */
  private saved = new Map<number, number>();
  /** By transaction: what it did, once it is kept. */
  private readonly committed = new WeakMap<object, () => void>();
  private cut: (() => void) | undefined;

  async start(): Promise<void> {
    let alive = true;
    this.cut = () => (alive = false);
    const { store, named } = this;
    // what is left of a process that crashed reaches the disk no more
    const door = new Proxy(store, {
      get: (target, property) => {
        const part: unknown = Reflect.get(target, property, target);
        if (typeof part !== 'function') return part;
        return (...args: unknown[]): unknown => {
          if (!alive) throw new Error('crashed');
          if (property === 'onFenced')
            return target.onFenced((cause) => alive && (args[0] as (c: unknown) => void)(cause));
          if (property === 'create') named.set(args[0] as string, copyOf(this.twin));
          if (property === 'snapshot' && target.state === 'open')
            this.noteSaved(args[0] as readonly { component: string }[]);
          return Reflect.apply(part, target, args) as unknown;
        };
      },
    });
    this.clock = new FakeClock();
    const emit = (event: { type: string; id?: string }): void => {
      if (!alive) return;
      if (event.type === 'checkpoint-restored') {
        this.twin = copyOf(named.get(event.id!) ?? this.twin);
        this.saved = new Map(this.twin.e.bag);
      }
      // also after a fence: it is as it was saved last
      if (event.type === 'checkpoint-recovered') this.twin.e.bag = new Map(this.saved);
    };
    const init = { store: door, clock: this.clock, emit, verify: true };
    const engine = new CheckpointEngine(init);
    this.engine = engine;
    // the instant from which everybody sees what a call did, whether any of it is journaled or not
    engine.commit = (transaction) => {
      const appended = CheckpointEngine.prototype.commit.call(engine, transaction);
      if (alive) this.committed.get(transaction)?.();
      return appended;
    };
    await engine.open();
    this.stores = each((name) => (name === 'd' || name === 'e' ? new Captured() : new Store()));
    for (const name of NAMES)
      this.engine.bind(this.stores[name], {
        options: { name, snapshot: { calls: 5 } },
        durable: this.stores[name] instanceof Store ? DURABLE : [],
        label: name,
      });
    await this.engine.ready();
  }

  private noteSaved(parts: readonly { component: string; unchanged?: true }[]): void {
    const part = parts.find(({ component }) => component === 'e');
    if (part?.unchanged !== true) this.saved = new Map(this.twin.e.bag);
  }

  async crash(): Promise<void> {
    this.cut!();
    await this.store.close();
    await this.start();
  }

  /** A call, or one inside another, whose effects are then its own. */
  attempt(
    stores: Stores,
    { name, steps }: Script,
    effects: Effect[],
    { key, limit, outermost }: { key?: string; limit?: number; outermost: boolean },
  ): Promise<unknown> {
    const mine: Effect[] = [];
    const own: [number, number][] = [];
    let ran = false;
    const options = {
      ...(key !== undefined && { idempotencyKey: () => key }),
      ...(stores[name] instanceof Captured && { rollback: true }),
      ...(name === 'd' && { journal: () => own }),
    };
    const facts = { target: name, options: options as never, args: [], committed: () => {} };
    const kept = new CheckpointCall({ ...claimOf(stores[name])!, ...facts });
    const committed = (): void => {
      if (key !== undefined) mine.push((twin) => twin[name].answers.set(key, mine.length));
      for (const effect of mine) effect(this.twin);
    };
    if (outermost) this.committed.set(Reflect.get(kept, 'transaction') as object, committed);
    const method = async (): Promise<unknown> => {
      ran = true;
      const beside: Promise<unknown>[] = [];
      for (const step of steps) {
        if (step.does === 'change') own.push([step.kind, step.n]);
        await this.step(step, name, stores, mine, beside);
      }
      await Promise.all(beside);
      return mine.length + 1;
    };
    const result = new Promise<unknown>((resolve, reject) => {
      let granted!: () => void;
      const turn = new Promise<void>((go) => (granted = go));
      let hasLeft = false;
      const go = (): void => {
        if (hasLeft) return;
        const running = kept.run(method);
        running.catch(() => {}); // the caller may have left
        resolve(running);
      };
      void turn.then(go);
      if (kept.enter(granted, reject)) go();
      if (limit === undefined) return;
      void tick(limit).then(() => {
        hasLeft = true;
        kept.void(new Error('too late'));
        reject(new Error('too late'));
      });
    });
    return result.then((answer) => {
      if (!outermost) effects.push(...mine);
      if (!ran && stores === this.stores)
        expect([key, answer]).toEqual([key, this.twin[name].answers.get(key!)]);
      return answer;
    });
  }

  private async step(
    { does, kind, n, catches, inner }: Step,
    name: Name,
    stores: Stores,
    effects: Effect[],
    beside: Promise<unknown>[],
  ): Promise<void> {
    switch (does) {
      case 'change':
        change(stores[name], name, kind, n);
        effects.push((twin) => change(twin[name], name, kind, n));
        break;
      case 'wait':
        await tick(n);
        break;
      case 'fail':
        if (kind === 0) throw new Error('fails');
        break;
      case 'beside':
        // what runs side by side in one call has effects in the order of its ends: it only waits here
        beside.push(
          this.attempt(stores, { name: inner.name, steps: [] }, effects, { outermost: false }),
        );
        // where the call fails before it awaits it
        beside.at(-1)!.catch(() => {});
        break;
      default: {
        const done = this.attempt(stores, inner, effects, { outermost: false });
        await (catches ? done.catch(() => {}) : done);
      }
    }
  }

  /** With retries, as the policy around it would do; a refusal of ours ends it. */
  async call({ key, limit, retries, ...facts }: Call): Promise<void> {
    // what a process that has crashed still runs never comes to the next one
    const { stores } = this;
    for (let left = retries; left >= 0; left -= 1) {
      try {
        const more = { ...(key && { key }), ...(limit !== undefined && { limit }) };
        await this.attempt(stores, facts, [], { ...more, outermost: true });
        return;
      } catch (error) {
        if (error instanceof Error && /jest|expect/.test(error.message)) throw error;
        if (isResilienceRejection(error)) return;
      }
    }
  }

  expectSame(): void {
    for (const name of NAMES) {
      const one = this.stores[name];
      const { map, set, list, sum, bag } = this.twin[name];
      const isCaptured = one instanceof Captured;
      const seen = isCaptured
        ? [...one.bag].toSorted()
        : [[...one.map], [...one.set], [...one.list], one.sum.get()];
      const right = isCaptured ? [...bag].toSorted() : [[...map], [...set], list, sum];
      if (!isDeepStrictEqual(seen, right)) expect([name, seen]).toEqual([name, right]);
    }
  }
}

async function meanwhileDo(world: World, what: string, number: number): Promise<void> {
  const { engine } = world;
  const names = [...world.named.keys()];
  switch (what) {
    case 'save':
      await engine.save().catch(() => {});
      break;
    case 'create':
      await engine.create(`n${number}`).catch(() => {});
      break;
    case 'restore':
      if (names.length > 0) await engine.restore(names[number % names.length]!);
      break;
    case 'fence':
      world.store.fail(new Error('EIO'));
      break;
    case 'crash':
      await world.crash();
      break;
    case 'close':
      await engine.close();
      await world.start();
      break;
    default:
  }
}

async function within<T>(work: Promise<T>): Promise<T> {
  const state = { isDone: false };
  const done = work.finally(() => (state.isDone = true));
  done.catch(() => {}); // heard of below
  for (let i = 0; i < 5_000 && !state.isDone; i += 1) await Promise.resolve();
  if (!state.isDone) throw new Error('stuck: a call or a save has not ended');
  return done;
}

it('#1 issue 4: what was committed is there, once, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 3 }), async (rounds) => {
      const world = new World();
      await world.start();
      for (const [i, { calls, meanwhile: what, after }] of rounds.entries()) {
        const process = world.engine;
        const running = calls.map((one) => world.call(one));
        await tick(after);
        await within(meanwhileDo(world, what, i));
        // those of a process that crashed have nobody to tell
        if (process === world.engine) await within(Promise.all(running));
        await tick(100);
        expect(world.engine.state).toBe('open');
        world.expectSame();
        for (const { turns } of world.engine.components.values())
          expect([turns.pending, turns.current?.number]).toEqual([0, undefined]);
      }
      await world.clock.advance(51); // the look for calls that hang
      expect(world.clock.pending).toBe(0);
      await world.crash();
      world.expectSame();
    }),
    { numRuns: 1_000 },
  );
}, 120_000);
