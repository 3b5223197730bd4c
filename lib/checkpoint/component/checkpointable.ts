/**
 * A component that hands over its state as a whole. For small state: it is written whole with each
 * snapshot, and read before each call that may have to be taken back.
 */
export interface Checkpointable<S = unknown> {
  /** The state, in data that can be kept. It is copied at once. */
  captureState(): S;
  /** Takes over a state that `captureState` gave: replaces everything. */
  restoreState(state: S): void | Promise<void>;
  /** Does again what a call with a `journal` did. Must not fail, call others, or ask time or dice. */
  applyEntry?(entry: unknown): void;
  /** A small summary for lists, such as the height of a chain. */
  describeState?(): Readonly<Record<string, string | number | boolean | null>>;
}
