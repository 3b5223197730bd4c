import { AsyncLocalStorage } from 'node:async_hooks';
import type { FieldState } from '../state/field-state.js';

/**
 * States that stand in for what collections hold, for whoever looks from inside: the state of one
 * moment, or an earlier one. Nothing can be changed in it, and nobody outside sees it.
 */
export class StateView {
  private isClosed = false;

  /** @param states by collection */
  constructor(private states: ReadonlyMap<object, FieldState>) {
    views.open += 1;
    views.current ??= new AsyncLocalStorage();
  }

  /** Runs code, and what it starts, inside. After `close` that sees the present again. */
  run<T>(look: () => T): T {
    return views.current!.run(this, look);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    // a connection or a timer that began inside holds on to the view for as long as it lives
    this.states = new Map();
    views.open -= 1;
    if (views.open > 0) return;
    // merely enabling one makes every promise of a Node 20 process slower
    views.current?.disable();
  }

  /** What stands in for a collection; undefined for one that it knows nothing of. */
  of(collection: object): FieldState | undefined {
    return this.states.get(collection);
  }

  /** @internal */
  get isOpen(): boolean {
    return !this.isClosed;
  }
}

interface Views {
  open: number;
  current: AsyncLocalStorage<StateView> | undefined;
}

/** Every read asks how many are open, so that is as cheap as can be. @internal */
export const views: Views = { open: 0, current: undefined };

/** The view in whose async context we are. */
export function currentView(): StateView | undefined {
  if (views.open === 0) return undefined;
  const view = views.current?.getStore();
  return view?.isOpen === true ? view : undefined;
}
