import type { Op } from '../state/field-state.js';
import type { ValueState } from '../state/value-state.js';
import type { Stored, Values } from '../value/values.js';
import type { Overlay } from './overlay.js';

/** A value as one call sees it. */
export class ValueOverlay implements Overlay {
  private changed = false;
  private current: Stored;

  constructor(
    private readonly base: ValueState,
    private readonly values: Values,
  ) {
    this.current = base.stored;
  }

  get stored(): Stored {
    return this.current;
  }

  set(stored: Stored): void {
    this.changed = true;
    this.current = stored;
  }

  copy(): ValueOverlay {
    const copy = new ValueOverlay(this.base, this.values);
    copy.changed = this.changed;
    copy.current = this.current;
    return copy;
  }

  op(): Op | undefined {
    return this.changed ? [this.values.data(this.current)] : undefined;
  }

  publish(): void {
    if (this.changed) this.base.stored = this.current;
  }
}
