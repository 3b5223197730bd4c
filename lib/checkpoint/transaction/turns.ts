import type { ResilienceRejection } from '../../kernel/rejection.js';
import { ComponentBusyError, ComponentDeadlockError } from './checkpoint-rejections.js';
import type { Line, Member, Party, Waiter } from './member.js';

/** Whose turn it is in one component: one transaction's at a time, first come first served. */
export class Turns implements Line {
  private holder: Party | undefined;
  /** In the order of their coming. */
  private readonly line = new Set<Waiter & { grant(): void }>();

  constructor(
    readonly component: Member,
    private readonly maxPending: number,
  ) {}

  /** Who has the turn. */
  get current(): Party | undefined {
    return this.holder;
  }

  /** How many wait. */
  get pending(): number {
    return this.line.size;
  }

  /** Takes the turn if it is free, or the transaction's already. */
  take(transaction: Party): boolean {
    if (this.holder === transaction) return true;
    if (this.holder !== undefined) return false;
    this.holder = transaction;
    transaction.holds.add(this.component);
    return true;
  }

  /**
   * Waits for the turn.
   *
   * @param refused is told if too many wait already, if it would wait for itself by way of others and is
   * the younger, or if it is sent away
   * @returns leaves the line
   */
  wait(
    transaction: Party,
    target: string,
    granted: () => void,
    refused: (error: ResilienceRejection) => void,
  ): () => void {
    if (this.line.size >= this.maxPending) {
      refused(new ComponentBusyError(target, this.component.name, this.maxPending));
      return () => {};
    }
    const { line } = this;
    const leave = (): void => {
      line.delete(waiter);
      transaction.waits.delete(waiter);
    };
    const waiter = {
      transaction,
      turns: this,
      target,
      leave,
      grant() {
        leave();
        granted();
      },
      refuse(error: ResilienceRejection) {
        leave();
        refused(error);
      },
    };
    line.add(waiter);
    transaction.waits.add(waiter);
    breakCircles(transaction);
    return leave;
  }

  /** Gives the turn to the next in line. */
  release(transaction: Party): void {
    if (this.holder !== transaction) return;
    this.holder = undefined;
    const [next] = this.line;
    if (next === undefined) return;
    this.take(next.transaction);
    // one transaction may wait here several times, for calls that it started side by side
    for (const waiter of this.line) if (waiter.transaction === next.transaction) waiter.grant();
    // those behind it wait for it now, and it may wait for them elsewhere
    if (this.line.size > 0) breakCircles(next.transaction);
  }

  /** Sends away who waits to begin; calls that have begun elsewhere may go on. */
  refuseNew(errorFor: (target: string) => ResilienceRejection): void {
    for (const waiter of this.line)
      if (waiter.transaction.holds.size === 0) waiter.refuse(errorFor(waiter.target));
  }
}

/** One that waits in several lines may be in several circles. */
function breakCircles(transaction: Party): void {
  for (;;) {
    const victim = youngestOfCircle(transaction);
    if (victim === undefined) return;
    victim.refuse(new ComponentDeadlockError(victim.target, victim.turns.component.name));
  }
}

/** If the transaction waits for itself by way of others: the wait of the youngest among them. */
function youngestOfCircle(start: Party): Waiter | undefined {
  const path: Waiter[] = [];
  const seen = new Set<Party>();
  const closes = (transaction: Party): boolean => {
    for (const waiter of transaction.waits) {
      const holder = waiter.turns.current;
      if (holder === undefined || seen.has(holder)) continue;
      path.push(waiter);
      if (holder === start) return true;
      seen.add(holder);
      if (closes(holder)) return true;
      path.pop();
    }
    return false;
  };
  if (!closes(start)) return undefined;
  return path.reduce((a, b) => (a.transaction.number > b.transaction.number ? a : b));
}
