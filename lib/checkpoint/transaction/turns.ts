import type { ResilienceRejection } from '../../kernel/rejection.js';
import { Waiter as Standing, WaitingLine } from '../../kernel/waiting-line.js';
import { ComponentBusyError, ComponentDeadlockError } from './checkpoint-rejections.js';
import type { Line, Member, Party, Waiter } from './member.js';

/** A call that waits for its turn. */
export interface Waiting {
  readonly target: string;
  /** Its turn has come. */
  granted(): void;
  /** It has been sent away. */
  refused(error: ResilienceRejection): void;
}

/** A transaction in the line. */
class Place extends Standing implements Waiter {
  constructor(
    readonly turns: Turns,
    readonly transaction: Party,
    readonly call: Waiting,
  ) {
    super(NOTHING);
  }

  get target(): string {
    return this.call.target;
  }

  /** Leaves the line; nothing is called any more. False if it has left before. */
  leave(): boolean {
    if (!this.unlink()) return false;
    this.transaction.waitEnded(this);
    this.turns.pending -= 1;
    return true;
  }

  refuse(error: ResilienceRejection): void {
    if (this.leave()) this.call.refused(error);
  }
}

const NOTHING = (): void => {};

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
    transaction.hold(this.component);
    return true;
  }

  /**
   * Waits for the turn. The call is refused if too many wait already, if it would wait for itself by way of
   * others and is the younger, or when it is sent away.
   *
   * @returns leaves the line; undefined if there was no place in it
   */
  wait(transaction: Party, call: Waiting): { leave(): void } | undefined {
    if (this.pending >= this.maxPending) {
      call.refused(new ComponentBusyError(call.target, this.component.name, this.maxPending));
      return undefined;
    }
    const place = new Place(this, transaction, call);
    this.line.add(place);
    this.pending += 1;
    transaction.wait(place);
    breakCircles(transaction);
    return place;
  }

  /** Gives the turn to the next in line. */
  release(transaction: Party): void {
    if (this.holder !== transaction) return;
    this.holder = undefined;
    const next = this.line.first?.transaction;
    if (next === undefined) return;
    this.take(next);
    // one transaction may wait here several times, for calls that it started side by side
    for (const place of next.waits as readonly Place[])
      if (place.turns === this && place.leave()) place.call.granted();
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
  if (start.waits.every(({ turns }) => (turns.current?.waits.length ?? 0) === 0)) return undefined;
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
