import type { ResilienceRejection } from '../../kernel/rejection.js';
import { Waiter as Standing, WaitingLine } from '../../kernel/waiting-line.js';
import { ComponentBusyError, ComponentDeadlockError } from './checkpoint-rejections.js';
import type { Line, Member, Party, Waiter } from './member.js';

/** A transaction in the line. */
class Place extends Standing implements Waiter {
  constructor(
    readonly turns: Turns,
    readonly transaction: Party,
    readonly target: string,
    grant: () => void,
    private readonly refused: (error: ResilienceRejection) => void,
  ) {
    super(grant);
  }

  /** Leaves the line; nothing is called any more. False if it has left before. */
  leave(): boolean {
    if (!this.unlink()) return false;
    const { waits } = this.transaction;
    waits.splice(waits.indexOf(this), 1);
    this.turns.pending -= 1;
    return true;
  }

  refuse(error: ResilienceRejection): void {
    if (this.leave()) this.refused(error);
  }
}

/** Whose turn it is in one component: one transaction's at a time, first come first served. */
export class Turns implements Line {
  /** How many wait. */
  pending = 0;
  private holder: Party | undefined;
  private readonly line = new WaitingLine<Place>();

  constructor(
    readonly component: Member,
    private readonly maxPending: number,
  ) {}

  /** Who has the turn. */
  get current(): Party | undefined {
    return this.holder;
  }

  /** Takes the turn if it is free, or the transaction's already. */
  take(transaction: Party): boolean {
    if (this.holder === transaction) return true;
    if (this.holder !== undefined) return false;
    this.holder = transaction;
    transaction.holds.push(this.component);
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
    if (this.pending >= this.maxPending) {
      refused(new ComponentBusyError(target, this.component.name, this.maxPending));
      return () => {};
    }
    const place = new Place(this, transaction, target, granted, refused);
    this.line.add(place);
    this.pending += 1;
    transaction.waits.push(place);
    breakCircles(transaction);
    return () => void place.leave();
  }

  /** Gives the turn to the next in line. */
  release(transaction: Party): void {
    if (this.holder !== transaction) return;
    this.holder = undefined;
    const next = this.line.first?.transaction;
    if (next === undefined) return;
    this.take(next);
    // one transaction may wait here several times, for calls that it started side by side
    for (const place of next.waits.filter(({ turns }) => turns === this) as Place[])
      if (place.leave()) place.grant();
    // those behind it wait for it now, and it may wait for them elsewhere
    if (this.pending > 0) breakCircles(next);
  }

  /** Sends away who waits to begin; calls that have begun elsewhere may go on. */
  refuseNew(errorFor: (target: string) => ResilienceRejection): void {
    for (const place of this.line.all)
      if (place.transaction.holds.length === 0) place.refuse(errorFor(place.target));
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
