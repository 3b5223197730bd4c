/** What kinds of durable fields there are, as they are called on disk. */
export type FieldKind = 'map' | 'set' | 'list' | 'value';

/** A change of a field in plain data, as it is journaled. Each kind has a form of its own. */
export type Op = readonly unknown[];

/** How many entries a slice should have; whoever takes the slices adjusts it to their size. */
export interface SliceSize {
  entries: number;
}

/** What a durable field holds, published changes only. */
export interface FieldState {
  readonly kind: FieldKind;
  /** Carries out a change that was journaled. */
  apply(op: Op): void;
  /**
   * The whole content as changes that lead there from nothing. What they speak of is the content at
   * this call, however late they are taken.
   */
  slices(size: SliceSize): Iterable<Op>;
  /** The content in plain data, for comparing it. Not to be changed. */
  data(): unknown;
  /** The content as people know it: a Map, a Set, an array, or the value itself. */
  plain(): unknown;
}
