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
   * @returns leaves the line
   * @throws ComponentBusyError if too many wait already
   * @throws ComponentDeadlockError if this would wait for itself, and is the younger
   */
  wait(
    transaction: Party,
    target: string,
    granted: () => void,
    refused: (error: unknown) => void,
  ): () => void {
    if (this.line.size >= this.maxPending)
      throw new ComponentBusyError(target, this.component.name, this.maxPending);
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
      refuse(error: unknown) {
        leave();
        refused(error);
      },
    };
    line.add(waiter);
    transaction.waits.add(waiter);
    const victim = youngestOfCircle(transaction);
    if (victim === undefined) return leave;
    const error = new ComponentDeadlockError(victim.target, victim.turns.component.name);
    if (victim.transaction === transaction) {
      leave();
      throw error;
    }
    victim.refuse(error);
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
  }

  /** Sends away who waits to begin; calls that have begun elsewhere may go on. */
  refuseNew(errorFor: (target: string) => unknown): void {
    for (const waiter of this.line)
      if (waiter.transaction.holds.size === 0) waiter.refuse(errorFor(waiter.target));
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
