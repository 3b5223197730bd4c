import type { FieldKind, Op } from '../state/field-state.js';

/** The number of the format of entries and pieces. */
export const FORMAT = 1;

/** A change of a durable field. */
export type Change = readonly [component: string, field: string, kind: FieldKind, op: Op];

/** One entry of the journal: all that one call changed. */
export type EntryData = readonly [
  format: typeof FORMAT,
  changes: readonly Change[],
  /** What components with captured state wrote themselves. */
  entries: readonly (readonly [component: string, entry: unknown])[],
  answers: readonly (readonly [component: string, key: string, data: unknown])[],
];

/** One piece of the saved state of a component. */
export type Piece =
  | readonly ['fields', readonly (readonly [name: string, kind: FieldKind])[]]
  | readonly ['change', field: string, kind: FieldKind, op: Op]
  | readonly ['answers', readonly (readonly [key: string, data: unknown])[]]
  | readonly ['state', data: unknown];
