import { ValueState } from '../state/value-state.js';
import type { Values } from '../value/values.js';
import type { DeepReadonly } from './deep-readonly.js';
import { DurableCollection } from './durable-collection.js';
import { ValueOverlay } from './value-overlay.js';

/** One value that outlives a crash: put it on a field with `@Durable()`. */
export class DurableValue<T> extends DurableCollection<ValueState, ValueOverlay> {
  /** @internal */
  readonly kind = 'value';

  /** @param initial what it holds until there is a checkpoint to take it from */
  constructor(initial: T) {
    super((values) => new ValueState(values, undefined));
    this.set(initial);
  }

  get(): DeepReadonly<T> {
    const seen = this.seen();
    return this.give(seen === undefined ? this.state.stored : seen.stored) as DeepReadonly<T>;
  }

  /**
   * @throws UnsupportedValueError for a value that would not come back from the disk as it went
   * @throws AttemptVoidError outside of a running `@Checkpoint` method of the component
   */
  set(value: T | DeepReadonly<T>): void {
    const stored = this.take(value, () => '');
    this.change((overlay) => overlay.set(stored));
  }

  /** Sets what `change` makes of the present value, and answers it. */
  update(change: (value: DeepReadonly<T>) => T | DeepReadonly<T>): DeepReadonly<T> {
    this.set(change(this.get()));
    return this.get();
  }

  /** @internal */
  override overlay(): ValueOverlay {
    return new ValueOverlay(this.state, this.rules);
  }

  protected override moved(values: Values): ValueState {
    return new ValueState(values, values.take(this.give(this.state.stored), this.path));
  }
}
