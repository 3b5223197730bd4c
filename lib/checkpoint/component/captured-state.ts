import type { Codec } from '../value/codec.js';
import type { Values } from '../value/values.js';
import type { Checkpointable } from './checkpointable.js';
import type { Piece } from './format.js';

/** The state of a component that hands it over as a whole. */
export class CapturedState {
  /** The state before the call that is running, in bytes; undefined if none is, or nobody wants to know. */
  before: Uint8Array | undefined;

  constructor(
    private readonly path: string,
    private readonly instance: Checkpointable,
    private readonly codec: Codec,
    private readonly values: Values,
  ) {}

  /** The last state that is no running call's. */
  image(): Uint8Array {
    return this.before ?? this.capture();
  }

  /** The state as it is. @throws UnsupportedValueError for what would not come back as it went */
  capture(): Uint8Array {
    const state: unknown = this.instance.captureState();
    const data = this.values.data(this.values.takeCopy(state, `${this.path} state`));
    return this.codec.encode(['state', data] satisfies Piece);
  }

  /** Back to a state that `capture` gave. */
  restore(image: Uint8Array): void | Promise<void> {
    const [, data] = this.codec.decode(image) as readonly ['state', unknown];
    return this.restoreData(data);
  }

  restoreData(data: unknown): void | Promise<void> {
    return this.instance.restoreState(this.values.fresh(data));
  }

  apply(entry: unknown): void {
    this.instance.applyEntry!(this.values.fresh(entry));
  }
}
