import type { EventBody } from '../../../lib/kernel/event.js';
import { claimOf } from '../../../lib/checkpoint/component/claims.js';
import type {
  CheckpointComponentOptions,
  CheckpointOptions,
} from '../../../lib/checkpoint/component/component.options.js';
import {
  CheckpointEngine,
  type EngineInit,
} from '../../../lib/checkpoint/engine/checkpoint-engine.js';
import { CheckpointCall } from '../../../lib/checkpoint/transaction/checkpoint-call.js';
import { DurableCollection } from '../../../lib/checkpoint/collections/durable-collection.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { type Disk, StagedStore } from './staged-store.js';

/** One attempt of a `@Checkpoint` method, to be called off from outside. */
export interface Running<T> {
  readonly result: Promise<T>;
  readonly call: CheckpointCall;
  /** Whether it is in the journal. */
  readonly isCommitted: boolean;
}

type Extra = Partial<Omit<EngineInit, 'store' | 'clock' | 'emit'>>;

/** An engine over a store in memory, with everything it says of itself. */
export class World {
  readonly clock = new FakeClock();
  readonly events: EventBody[] = [];
  readonly store: StagedStore;
  readonly engine: CheckpointEngine;

  private constructor(disk: Disk | undefined, extra: Extra) {
    this.store = new StagedStore(disk);
    this.engine = new CheckpointEngine({
      store: this.store,
      clock: this.clock,
      emit: (event) => this.events.push(event),
      verify: true,
      ...extra,
    });
  }

  static async open(disk?: Disk, extra: Extra = {}): Promise<World> {
    const world = new World(disk, extra);
    await world.engine.open();
    return world;
  }

  /** Makes an instance a component; all fields that are durable collections are durable. */
  bind<T extends object>(instance: T, options: CheckpointComponentOptions): T {
    const durable = Object.keys(instance).filter(
      (key) => (instance as Record<string, unknown>)[key] instanceof DurableCollection,
    );
    this.engine.bind(instance, { options, durable, label: instance.constructor.name });
    return instance;
  }

  /** As if the process had been killed: what is on disk, and nothing else. */
  restart(extra: Extra = {}): Promise<World> {
    return World.open(this.store.disk, extra);
  }

  typesOfEvents(): string[] {
    return this.events.map(({ type }) => type);
  }
}

/** Runs a function as a `@Checkpoint` method of the instance. */
export function attempt<T>(
  instance: object,
  method: () => T | Promise<T>,
  options: CheckpointOptions = {},
  args: readonly unknown[] = [],
  target = `${instance.constructor.name}.method`,
): Running<T> {
  const { component, host } = claimOf(instance)!;
  const running = { isCommitted: false } as {
    isCommitted: boolean;
    call: CheckpointCall;
    result: Promise<T>;
  };
  const committed = (): void => {
    running.isCommitted = true;
  };
  const call = new CheckpointCall({ target, component, host, options, args, committed });
  running.call = call;
  running.result = new Promise<T>((resolve, reject) => {
    const run = (): void => resolve(call.run(method) as Promise<T>);
    try {
      if (call.enter(run, reject)) run();
    } catch (error) {
      reject(error);
    }
  });
  return running;
}

/** The same where only the answer matters. */
export function run<T>(
  instance: object,
  method: () => T | Promise<T>,
  options: CheckpointOptions = {},
  args: readonly unknown[] = [],
): Promise<T> {
  return attempt(instance, method, options, args).result;
}

/** Something to wait for until the test lets it happen. */
export function gate(): { readonly wait: Promise<void>; open(): void } {
  let open!: () => void;
  const wait = new Promise<void>((resolve) => (open = resolve));
  return { wait, open };
}
