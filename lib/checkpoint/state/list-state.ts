import type { Stored, Values } from '../value/values.js';
import type { FieldState, Op, SliceSize } from './field-state.js';

/** Changes of a list, one after the other: from where, how many left, what came in their place. */
export type ListOp = readonly (readonly [start: number, gone: number, items: readonly unknown[]])[];

/** The content of a list. */
export class ListState implements FieldState {
  readonly kind = 'list';
  readonly items: Stored[] = [];

  constructor(private readonly values: Values) {}

  apply(op: Op): void {
    for (const [start, gone, items] of op as unknown as ListOp)
      splice(
        this.items,
        start,
        gone,
        items.map((data) => this.values.fromData(data)),
      );
  }

  slices(size: SliceSize): Iterable<ListOp> {
    return slicesOf([...this.items], size, this.values);
  }

  data(): unknown {
    return this.items.map((stored) => this.values.data(stored));
  }

  plain(): unknown {
    return this.items.map((stored) => this.values.give(stored));
  }
}

function* slicesOf(items: readonly Stored[], size: SliceSize, values: Values): Iterable<ListOp> {
  for (let i = 0; i < items.length;) {
    const slice = items.slice(i, i + size.entries);
    yield [[i, 0, slice.map((stored) => values.data(stored))]];
    i += slice.length;
  }
}

/** `Array.prototype.splice` that takes any number of items: a spread of 100,000 overflows the stack. */
export function splice(
  list: Stored[],
  start: number,
  gone: number,
  items: readonly Stored[],
): void {
  if (start === list.length) for (const item of items) list.push(item);
  else if (gone === items.length) for (const [i, item] of items.entries()) list[start + i] = item;
  else if (items.length <= 1_000) list.splice(start, gone, ...items);
  else {
    const rest = list.slice(start + gone);
    list.length = start;
    for (const item of items) list.push(item);
    for (const item of rest) list.push(item);
  }
}
