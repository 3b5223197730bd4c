// The state of an application with every type that may be kept, in every kind of field and journal entry.
import { DurableList } from '../../../lib/checkpoint/collections/durable-list.js';
import { DurableMap } from '../../../lib/checkpoint/collections/durable-map.js';
import { DurableSet } from '../../../lib/checkpoint/collections/durable-set.js';
import { DurableValue } from '../../../lib/checkpoint/collections/durable-value.js';
import { CheckpointEngine } from '../../../lib/checkpoint/engine/checkpoint-engine.js';
import { FileCheckpointStore } from '../../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { run } from '../../unit/checkpoint/world.js';

/** A class of the application's own. */
export class Money {
  constructor(readonly cents: bigint) {}
}

const classes = {
  Money: {
    type: Money,
    encode: ({ cents }: Money) => cents,
    decode: (data: unknown) => new Money(data as bigint),
  },
};

const shared = { of: 'two' };

/** By name, what is kept of each type. */
export const VALUES: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  true: true,
  zero: 0,
  'minus zero': -0,
  NaN: NaN,
  Infinity: Infinity,
  'an integer of 32 bits': 2_147_483_647,
  'a larger one': -9_007_199_254_740_991,
  'a fraction': 0.1,
  bigint: -(2n ** 70n),
  'an empty text': '',
  'a text': 'Zürich',
  'a wide text': '東京 🏦',
  'half of a pair': '\ud83c',
  'a long text': 'x'.repeat(2_000),
  Date: new Date('2026-01-01T00:00:00.123Z'),
  'an invalid Date': new Date(NaN),
  list: [1, 'two', [3]],
  object: { a: 1, '0': 'numbered', nested: { deep: true } },
  Map: new Map<unknown, unknown>([
    ['a', 1],
    [{ key: 1 }, new Set([1])],
  ]),
  Set: new Set(['a', NaN]),
  bytes: new Uint8Array([0, 127, 255]),
  floats: new Float64Array([0.5, -0]),
  ArrayBuffer: new Uint8Array([1, 2, 3]).buffer,
  'one object twice': [shared, shared],
  class: new Money(12_345n),
};

export class Kept {
  readonly map = new DurableMap<string, unknown>();
  readonly set = new DurableSet<string | number>();
  readonly list = new DurableList<unknown>();
  readonly value = new DurableValue<unknown>('at first');
}

/** Its state is captured, and its journal is its own. */
export class Counter {
  count = 0;
  readonly seen: string[] = [];
  captureState(): object {
    return { count: this.count, seen: this.seen.slice() };
  }
  restoreState({ count, seen }: { count: number; seen: string[] }): void {
    this.count = count;
    this.seen.splice(0, this.seen.length, ...seen);
  }
  applyEntry([by, from]: [number, string]): void {
    this.count += by;
    this.seen.push(from);
  }
}

/** What it holds when all is done. */
export interface Application {
  readonly kept: Kept;
  readonly counter: Counter;
  readonly engine: CheckpointEngine;
  close(): Promise<void>;
}

export async function open(directory: string): Promise<Application> {
  const store = new FileCheckpointStore({ directory });
  const engine = new CheckpointEngine({
    store,
    clock: new FakeClock(),
    emit: () => {},
    classes,
    verify: true,
  });
  await engine.open();
  const [kept, counter] = [new Kept(), new Counter()];
  engine.bind(kept, {
    options: { name: 'kept', version: 1 },
    durable: ['map', 'set', 'list', 'value'],
    label: 'Kept',
  });
  engine.bind(counter, { options: { name: 'counter' }, durable: [], label: 'Counter' });
  await engine.ready();
  return { kept, counter, engine, close: () => engine.close() };
}

/** Half of it is in a saved state, half in the journal after it. */
export async function live({ kept, counter, engine }: Application): Promise<void> {
  const names = Object.keys(VALUES);
  const half = names.length >> 1;
  const put = (from: readonly string[]) =>
    run(kept, () => {
      for (const name of from) kept.map.set(name, VALUES[name]);
      kept.set.add(from.length).add('added').add('deleted');
      kept.set.delete('deleted');
      kept.list.push(...from.map((name) => VALUES[name]));
      kept.value.set(VALUES['object']);
    });
  const add = (by: number, from: string): Promise<unknown> =>
    run(
      counter,
      () => {
        counter.applyEntry([by, from]);
        return { by };
      },
      { journal: () => [by, from], rollback: true, idempotencyKey: () => from },
    );
  await put(names.slice(0, half));
  await add(1, 'saved');
  await engine.save();
  await put(names.slice(half));
  await run(kept, () => {
    kept.map.delete('null');
    kept.list.splice(0, 1, 'first');
    kept.value.update(() => 'at last');
  });
  await add(2, 'journaled');
}
