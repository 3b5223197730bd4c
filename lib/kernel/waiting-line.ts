/** A place in a waiting line, for the policy that keeps the line. */
export class Waiter {
  /** The neighbours in the ring; itself while it is in no line. */
  before: Waiter = this;
  after: Waiter = this;

  /** @param grant runs when the turn comes; must not throw */
  constructor(readonly grant: () => void) {}

  /** Takes it out of its line. False, and nothing done, if it is in none any more. */
  unlink(): boolean {
    if (this.after === this) return false;
    this.before.after = this.after;
    this.after.before = this.before;
    this.before = this;
    this.after = this;
    return true;
  }
}

/**
 * Who waits, in order of arrival. Joining, leaving from anywhere and finding the first cost the
 * same however long the line is: it is a ring, closed by a waiter who is nobody.
 */
export class WaitingLine<W extends Waiter = Waiter> {
  private readonly end = new Waiter(() => {});

  /** Who has waited longest; stays in the line. */
  get first(): W | undefined {
    const { after } = this.end;
    return after === this.end ? undefined : (after as W);
  }

  /** All who wait now, in order. */
  get all(): W[] {
    const all: W[] = [];
    for (let one = this.end.after; one !== this.end; one = one.after) all.push(one as W);
    return all;
  }

  /** Joins at the end. */
  join(grant: () => void): Waiter {
    const waiter = new Waiter(grant);
    this.add(waiter as W);
    return waiter;
  }

  /** Puts one that is in no line to the end. */
  add(waiter: W): void {
    waiter.after = this.end;
    waiter.before = this.end.before;
    this.end.before.after = waiter;
    this.end.before = waiter;
  }
}
