import { AttemptVoidError } from '../transaction/attempt-void.error.js';
import { currentScope } from '../transaction/scope.js';
import type { Member } from '../transaction/member.js';
import type { Field } from '../transaction/transaction.js';
import { ClassRegistry } from '../value/class-registry.js';
import type { Path } from '../value/value-check.js';
import { type Stored, Values } from '../value/values.js';
import type { FieldKind, FieldState } from '../state/field-state.js';
import type { Overlay } from './overlay.js';
import { currentView, views } from './state-view.js';

/** Where a collection belongs once its component has a store. */
export interface Home {
  readonly component: Member;
  /** The name of the field. */
  readonly name: string;
  readonly values: Values;
}

/** Before there is a registry of classes, any instance may be one of them: `attach` will tell. */
class LooseValues extends Values {
  override take(value: unknown, path: Path): Stored {
    try {
      return super.take(value, path);
    } catch {
      return value;
    }
  }
}

const LOOSE = new LooseValues(new ClassRegistry());

/**
 * What all durable collections have in common.
 *
 * Without a store (a plain `new Service()` in a test, or a constructor) one is an ordinary
 * collection in memory. With one it is changed by `@Checkpoint` methods of its component only: the
 * changes are seen by the call that made them, become everybody's when the call ends well, and are
 * gone when it fails.
 */
export abstract class DurableCollection<S extends FieldState, O extends Overlay> implements Field {
  private home: Home | undefined;
  private held: S;

  protected constructor(make: (values: Values) => S) {
    this.held = make(LOOSE);
  }

  /** What is read: what it holds, or where an earlier state is looked at, what stands in for that. */
  protected get state(): S {
    if (views.open === 0) return this.held;
    return (currentView()?.of(this) as S | undefined) ?? this.held;
  }

  /** What kind of field it is on disk. @internal */
  abstract readonly kind: FieldKind;
  /** The changes of a call, none yet. @internal */
  abstract overlay(): O;
  /** The present content under other rules for values. */
  protected abstract moved(values: Values): S;

  /** @internal */
  get component(): Member {
    return this.home!.component;
  }

  /** @internal */
  get name(): string {
    return this.home!.name;
  }

  /**
   * Gives it the store of its component.
   *
   * @param recovered what it held before; undefined if the store does not know it, and it keeps what
   * the constructor put in
   * @internal
   */
  attach(home: Home, recovered: FieldState | undefined): void {
    const state = recovered ?? this.moved(home.values);
    this.home = home;
    this.held = state as S;
  }

  /** Replaces what it holds, as a restore does. @internal */
  replace(state: FieldState): void {
    this.held = state as S;
  }

  /** What it holds, published changes only. @internal */
  get published(): S {
    return this.held;
  }

  /** What may be kept, and how. */
  protected get rules(): Values {
    return this.home?.values ?? LOOSE;
  }

  /** Where it is, for messages. */
  protected get path(): string {
    return this.home === undefined
      ? this.constructor.name
      : `${this.home.component.name}.${this.home.name}`;
  }

  /** The changes of the call in whose async context we are; undefined if it has made none. */
  protected seen(): O | undefined {
    if (this.home === undefined) return undefined;
    const scope = currentScope();
    if (scope === undefined || scope.objection !== undefined) return undefined;
    return scope.transaction.changesOf(this) as O | undefined;
  }

  /**
   * What a walk goes along: the changes of the call even where it has made none yet, for as in the
   * plain collections a walk sees what is changed meanwhile.
   */
  protected walked(): O | undefined {
    const { home } = this;
    const scope = home && currentScope();
    if (scope === undefined || scope.objection !== undefined) return undefined;
    return scope.transaction.holds.includes(home!.component)
      ? (scope.transaction.change(this) as O)
      : this.seen();
  }

  /**
   * Makes a change: in the overlay of the call in whose async context we are, or at once where there
   * is no store.
   *
   * @throws AttemptVoidError outside of a `@Checkpoint` method of the component, or when its attempt is over
   */
  protected change<T>(make: (overlay: O) => T): T {
    if (this.home === undefined) {
      const overlay = this.overlay();
      const result = make(overlay);
      overlay.publish();
      return result;
    }
    const scope = currentScope();
    if (scope === undefined || !scope.transaction.holds.includes(this.component)) {
      const why = `no @Checkpoint method of component ${this.component.name} is running here`;
      if (scope?.objection === undefined) throw new AttemptVoidError(this.path, why);
    }
    const objection = scope!.objection;
    if (objection !== undefined)
      throw new AttemptVoidError(this.path, objection.why, objection.cause);
    scope!.transaction.changedBy(scope!);
    return make(scope!.transaction.change(this) as O);
  }

  /** @param at where in it, for messages; asked for only when there is one */
  protected take(value: unknown, at: () => string): Stored {
    return this.rules.take(value, () => `${this.path}${at()}`);
  }

  protected give(stored: Stored): unknown {
    return this.rules.give(stored);
  }
}
