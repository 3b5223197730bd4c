import type { Stored, Values } from '../value/values.js';
import type { FieldState, Op } from './field-state.js';

/** The content of a single value. */
export class ValueState implements FieldState {
  readonly kind = 'value';

  constructor(
    private readonly values: Values,
    public stored: Stored,
  ) {}

  apply([data]: Op): void {
    this.stored = this.values.fromData(data);
  }

  slices(): Iterable<Op> {
    return [[this.values.data(this.stored)]];
  }

  data(): unknown {
    return this.values.data(this.stored);
  }

  plain(): unknown {
    return this.values.give(this.stored);
  }
}
