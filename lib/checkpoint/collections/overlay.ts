import type { Op } from '../state/field-state.js';

/** The changes of one field that one call has made and nobody else sees yet. */
export interface Overlay {
  /** A copy to come back to. */
  copy(): Overlay;
  /** The changes as they are journaled; undefined if there are none. */
  op(): Op | undefined;
  /** Makes the changes those of everybody. */
  publish(): void;
}
