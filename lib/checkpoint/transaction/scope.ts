import { AsyncLocalStorage } from 'node:async_hooks';
import { currentView } from '../collections/state-view.js';
import type { Strand, Transaction } from './transaction.js';

/** One attempt of one `@Checkpoint` method, as the code inside it sees it. */
export class Scope implements Strand {
  isMixed = false;
  private ended = false;
  private reason: unknown;
  private isVoided = false;

  /** Forgotten with its end: calls that start one another would hold on to all before them. */
  private around: Scope | undefined;

  /** @param around in whose async context it was called: its parent, or a call of another application */
  constructor(
    readonly transaction: Transaction,
    readonly parent: Scope | undefined,
    around = parent,
  ) {
    if (around?.objection === undefined) this.around = around;
  }

  /** The nearest call of an owner; those of other applications in between are still running. */
  nearestOf(owner: object): Scope | undefined {
    if (this.transaction.owner === owner) return this;
    return this.objection === undefined ? this.around?.nearestOf(owner) : undefined;
  }

  /** Nothing it does from now on counts. */
  void(reason: unknown): void {
    if (this.isVoided) return;
    this.isVoided = true;
    this.reason = reason;
  }

  isWithin(other: Strand): boolean {
    return other === this || this.parent?.isWithin(other) === true;
  }

  /** Its method has ended. */
  end(): void {
    this.ended = true;
    this.around = undefined;
  }

  /** Whether its method runs on, though nothing that it does counts any more. */
  get isZombie(): boolean {
    return !this.ended && this.objection !== undefined;
  }

  /** Why it may change nothing; undefined if it may. */
  get objection(): { readonly why: string; readonly cause?: unknown } | undefined {
    if (this.isVoided) return { why: 'nobody waits for this attempt any more', cause: this.reason };
    if (this.ended || this.transaction.isOver) return { why: 'its call has ended' };
    return this.parent?.objection;
  }
}

/**
 * Made with the first component: merely enabling one makes every promise of a Node 20 process
 * slower.
 */
let scopes: AsyncLocalStorage<Scope> | undefined;

/** The attempt in whose async context we are; none where an earlier state is looked at. */
export function currentScope(): Scope | undefined {
  return currentView() === undefined ? scopes?.getStore() : undefined;
}

/** Runs what is no part of any call, wherever it was asked for. */
export function outsideOfCalls<T>(work: () => T): T {
  return scopes?.getStore() === undefined ? work() : scopes.run(undefined as never, work);
}

/** Runs a method as this attempt. */
export function runInScope(scope: Scope, work: { invoke(): unknown }): unknown {
  scopes ??= new AsyncLocalStorage();
  return scopes.run(scope, invoke, work);
}

const invoke = (work: { invoke(): unknown }): unknown => work.invoke();
