import { AsyncLocalStorage } from 'node:async_hooks';

/** A call that can be ended from outside. */
export interface EndableCall {
  /** Its place in the list; -1 while it is in none. */
  place: number;
  /** It waits no longer: for another attempt, a slot, or its turn. */
  endWait(): void;
  /** Nobody waits for it any longer. */
  cutOff(): void;
}

/**
 * - `open`: nothing is different.
 * - `draining`: calls may be made, and nothing waits any more.
 * - `closed`: calls on their way may end, and none may be made.
 */
type Stage = 'open' | 'draining' | 'closed';

/**
 * The calls on their way through an engine, and how far the end of the application has come.
 *
 * A healthy call without a limit of its own runs without an engine: it is not in the list, for to
 * be there would cost it more than all its policies do. From `drain` on every call has one.
 */
export class CallsInFlight {
  private stage: Stage = 'open';
  /** In any order. Not a Set: one that is always in use leaves a chain of old tables to the collector. */
  private readonly all: EndableCall[] = [];
  /** Made at the end only: merely enabling one makes every promise of a Node 20 process slower. */
  private lastWork: AsyncLocalStorage<true> | undefined;

  /** Whether a call that begins has to have an engine. */
  get follows(): boolean {
    return this.stage !== 'open';
  }

  /** Whether a call that would have to wait is sent away instead. */
  get refusesWaiting(): boolean {
    return this.stage !== 'open' && !this.isLastWork;
  }

  /** Whether a call that begins is refused. */
  get refusesNew(): boolean {
    return this.stage === 'closed' && !this.isLastWork;
  }

  add(call: EndableCall): void {
    call.place = this.all.length;
    this.all.push(call);
  }

  delete(call: EndableCall): void {
    if (call.place < 0) return;
    const last = this.all.pop()!;
    if (last !== call) {
      this.all[call.place] = last;
      last.place = call.place;
    }
    call.place = -1;
  }

  /** From here on nothing waits: not for another attempt, nor for a slot or a turn. */
  drain(): void {
    if (this.stage === 'open') this.stage = 'draining';
    for (const call of [...this.all]) call.endWait();
  }

  /** From here on no call begins, but those of the last work. */
  close(): void {
    this.stage = 'closed';
    this.lastWork ??= new AsyncLocalStorage();
  }

  /** Ends every call in the list. */
  cut(): void {
    for (const call of [...this.all]) call.cutOff();
  }

  /** Runs what the application has to do before it ends: its calls are let through, and may wait. */
  runLast<T>(work: () => T): T {
    return (this.lastWork ??= new AsyncLocalStorage()).run(true, work);
  }

  private get isLastWork(): boolean {
    return this.lastWork?.getStore() === true;
  }
}
