import type { Values } from '../value/values.js';
import type { FieldKind, FieldState } from './field-state.js';
import { ListState } from './list-state.js';
import { type DurableKey, MapState } from './map-state.js';
import { ValueState } from './value-state.js';

/** An empty field of that kind. */
export function makeState(kind: FieldKind, values: Values): FieldState {
  switch (kind) {
    case 'map':
    case 'set':
      return new MapState(values, kind);
    case 'list':
      return new ListState(values);
    default:
      return new ValueState(values, undefined);
  }
}

/** A field of that kind from what `plain` answered, or a migration made of it. @throws UnsupportedValueError */
export function stateFrom(
  kind: FieldKind,
  plain: unknown,
  values: Values,
  path: string,
): FieldState {
  if (kind === 'value') return new ValueState(values, values.take(plain, path));
  if (kind === 'list') {
    const state = new ListState(values);
    for (const item of plain as Iterable<unknown>)
      state.items.push(values.take(item, `${path}[${state.items.length}]`));
    return state;
  }
  const state = new MapState(values, kind);
  if (kind === 'set')
    for (const member of plain as Iterable<DurableKey>) state.entries.set(member, true);
  else
    for (const [key, value] of plain as Iterable<[DurableKey, unknown]>)
      state.entries.set(key, values.take(value, `${path}[${String(key)}]`));
  return state;
}
