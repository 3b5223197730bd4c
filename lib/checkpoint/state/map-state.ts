import type { Stored, Values } from '../value/values.js';
import type { FieldState, Op, SliceSize } from './field-state.js';

/** What can be a key of a durable map, or a member of a durable set: what is equal after a restart too. */
export type DurableKey = string | number | bigint | boolean | null | undefined;

type Pairs = readonly (readonly [DurableKey, unknown])[];

/** A change of a map: whether it was emptied first, what left it, what changed in place, what came at its end. */
export type MapOp = readonly [
  cleared: boolean,
  gone: readonly DurableKey[],
  set: Pairs,
  added: Pairs,
];

/** The content of a map; of a set too, whose members are keys of nothing. */
export class MapState implements FieldState {
  readonly entries = new Map<DurableKey, Stored>();

  constructor(
    private readonly values: Values,
    readonly kind: 'map' | 'set' = 'map',
  ) {}

  apply(op: Op): void {
    const [cleared, gone, set, added] = op as unknown as MapOp;
    const { entries, values } = this;
    if (cleared) entries.clear();
    for (const key of gone) entries.delete(key);
    for (const [key, data] of set) entries.set(key, values.fromData(data));
    for (const [key, data] of added) {
      entries.delete(key);
      entries.set(key, values.fromData(data));
    }
  }

  slices(size: SliceSize): Iterable<MapOp> {
    return slicesOf([...this.entries], size, this.values);
  }

  data(): unknown {
    return new Map([...this.entries].map(([key, stored]) => [key, this.values.data(stored)]));
  }

  plain(): unknown {
    const { entries, values } = this;
    if (this.kind === 'set') return new Set(entries.keys());
    return new Map([...entries].map(([key, stored]) => [key, values.give(stored)]));
  }
}

function* slicesOf(
  entries: readonly (readonly [DurableKey, Stored])[],
  size: SliceSize,
  values: Values,
): Iterable<MapOp> {
  for (let i = 0; i < entries.length;) {
    const slice = entries.slice(i, i + size.entries);
    i += slice.length;
    yield [false, [], [], slice.map(([key, stored]) => [key, values.data(stored)])];
  }
}
