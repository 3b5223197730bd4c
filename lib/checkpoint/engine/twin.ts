import type { Component } from '../component/component.js';
import type { EntryData } from '../component/format.js';
import type { FieldState } from '../state/field-state.js';
import { makeState } from '../state/make-state.js';
import type { Codec } from '../value/codec.js';
import { difference } from '../value/same.js';
import type { Values } from '../value/values.js';

/** The second copy and the memory are not the same: something changed what nobody may change. */
export class DivergenceError extends Error {
  override readonly name = 'DivergenceError';
  readonly code = 'CHECKPOINT_DIVERGENCE';

  /** @param path where the first difference is */
  constructor(readonly path: string) {
    super(`${path}: what is in memory is not what a restart would bring back`);
  }
}

/** A second copy of all durable fields, made of journal entries only, as after a restart. */
export class Twin {
  private readonly fields = new Map<string, FieldState>();

  constructor(
    private readonly codec: Codec,
    private readonly values: Values,
  ) {}

  /** Copies a component as it is: bound, restored. */
  begin(component: Component): void {
    for (const [name, { kind, published }] of component.fields) {
      const state = makeState(kind, this.values);
      for (const op of published.slices({ entries: 256 })) state.apply(this.copy(op) as never);
      this.fields.set(`${component.name}.${name}`, state);
    }
  }

  /** Carries out an entry, and compares. @throws DivergenceError */
  check(entry: EntryData, of: (component: string) => Component): void {
    const [, changes] = this.copy(entry) as EntryData;
    for (const [component, field, , op] of changes)
      this.fields.get(`${component}.${field}`)!.apply(op);
    for (const [component, field] of changes) {
      const path = `${component}.${field}`;
      const live = of(component).fields.get(field)!.published;
      const found = difference(live.data(), this.fields.get(path)!.data(), path);
      if (found !== undefined) throw new DivergenceError(found);
    }
  }

  private copy(data: unknown): unknown {
    return this.codec.decode(this.codec.encode(data));
  }
}
