import { AsyncLocalStorage } from 'node:async_hooks';
import type { Strand, Transaction } from './transaction.js';

/** One attempt of one `@Checkpoint` method, as the code inside it sees it. */
export class Scope implements Strand {
  isMixed = false;
  private ended = false;
  private reason: unknown;
  private isVoided = false;

  constructor(
    readonly transaction: Transaction,
    readonly parent: Scope | undefined,
  ) {}

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

/** The attempt in whose async context we are. */
export function currentScope(): Scope | undefined {
  return scopes?.getStore();
}

/** Runs a method as this attempt. */
export function runInScope<T>(scope: Scope, method: () => T): T {
  scopes ??= new AsyncLocalStorage();
  return scopes.run(scope, method);
}
