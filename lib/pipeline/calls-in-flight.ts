import { AsyncLocalStorage } from 'node:async_hooks';

/** A call that can be ended from outside. */
export interface EndableCall {
  /** Its neighbours in the list, while it is in it. */
  before: EndableCall | undefined;
  after: EndableCall | undefined;
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
  /** The newest. Its list is in the calls themselves: nothing is made for a call to be in it. */
  private first: EndableCall | undefined;
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
    const { first } = this;
    call.after = first;
    if (first !== undefined) first.before = call;
    this.first = call;
  }

  /** Does nothing for one that is not in the list. */
  delete(call: EndableCall): void {
    const { before, after } = call;
    if (before !== undefined) before.after = after;
    else if (this.first === call) this.first = after;
    if (after !== undefined) after.before = before;
    call.before = undefined;
    call.after = undefined;
  }

  /** `by` goes on with what `call`, which is in the list, has begun. */
  replace(call: EndableCall, by: EndableCall): void {
    const { before, after } = call;
    by.before = before;
    by.after = after;
    if (before === undefined) this.first = by;
    else before.after = by;
    if (after !== undefined) after.before = by;
    call.before = undefined;
    call.after = undefined;
  }

  /** From here on nothing waits: not for another attempt, nor for a slot or a turn. */
  drain(): void {
    if (this.stage === 'open') this.stage = 'draining';
    for (const call of this.all) call.endWait();
  }

  /** From here on no call begins, but those of the last work. */
  close(): void {
    this.stage = 'closed';
    this.lastWork ??= new AsyncLocalStorage();
  }

  /** Ends every call in the list. */
  cut(): void {
    for (const call of this.all) call.cutOff();
  }

  /** Runs what the application has to do before it ends: its calls are let through, and may wait. */
  runLast<T>(work: () => T): T {
    return (this.lastWork ??= new AsyncLocalStorage()).run(true, work);
  }

  /** In the order in which they began, whatever leaves meanwhile. */
  private get all(): EndableCall[] {
    const all: EndableCall[] = [];
    for (let call = this.first; call !== undefined; call = call.after) all.push(call);
    return all.toReversed();
  }

  private get isLastWork(): boolean {
    return this.lastWork?.getStore() === true;
  }
}
