import { show } from '../../kernel/check.js';
import type { Component } from '../component/component.js';
import type { Acknowledged, Pending } from '../component/pending.js';
import type { CheckpointOptions } from '../component/component.options.js';
import type { Appended } from '../checkpoint-store.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { ResilienceRejection } from '../../kernel/rejection.js';
import type { Values } from '../value/values.js';
import { AttemptVoidError } from './attempt-void.error.js';
import { CheckpointUnavailableError, CommitUnknownError } from './checkpoint-rejections.js';
import { currentScope, runInScope, Scope } from './scope.js';
import { type Member, putBack } from './member.js';
import { asOneStep } from './steps.js';
import { type Savepoint, Transaction } from './transaction.js';
import type { Waiting } from './turns.js';

/** What stands before a class that shares its name with another. */
const MODULE = /^[^.]*\//;

/** What a call needs of the engine behind its component. */
export interface CallHost {
  readonly values: Values;
  now(): Milliseconds;
  /** Why no call can begin now; undefined if one can. */
  objection(target: string): ResilienceRejection | undefined;
  /** Puts what the transaction changed into the journal and publishes it; undefined if it changed nothing. */
  commit(transaction: Transaction): Appended | undefined;
  /** What is to be waited for until the states of these are as durable as their options say. */
  settled(components: Iterable<Member>): Pending | undefined;
  began(call: Keeping): void;
  ended(call: Keeping): void;
  /** A call has ended well that may have changed state of which nothing is journaled. */
  touched(component: Member): void;
  /** Hears how long a call ran, with all that joined it. */
  ran(call: Keeping, duration: Milliseconds): void;
}

/**
 * One attempt of a `@Checkpoint` method: its turn, its changes, and their way into the journal. Who
 * makes the attempt says how the method is called, and hears how it ends.
 */
export abstract class Keeping implements Waiting, Acknowledged {
  /** Which of the running calls it is, and where among them: theirs who keep them. */
  number = 0;
  place = 0;
  /** By the monotonic clock of its host. */
  beganAt: Milliseconds = 0;
  /** Whether it has been told of as a slow one. */
  isToldOf = false;
  /** The call in whose async context it was made. */
  private readonly around: Scope | undefined;
  /** The call that this one joins. */
  private readonly outer: Scope | undefined;
  private readonly transaction: Transaction;
  private scope: Scope | undefined = undefined;
  private point: Savepoint | undefined = undefined;
  /** The captured state before it, where it joined another call. */
  private image: Uint8Array | undefined = undefined;
  /** Its place in the line. */
  private inLine: { leave(): void } | undefined = undefined;
  private key: string | undefined = undefined;
  private answer: unknown = undefined;
  /** Whether its changes are kept is settled. */
  private isDecided = false;
  /** Its caller has been sent away, and hears no more. */
  private isDismissed = false;

  constructor(
    readonly target: string,
    private readonly component: Component,
    private readonly host: CallHost,
    private readonly options: CheckpointOptions,
    readonly args: readonly unknown[],
  ) {
    this.around = currentScope();
    // what another application of the process keeps goes into another store
    const scope = this.around?.nearestOf(host);
    const joins = scope !== undefined && (scope.objection === undefined || scope.isZombie);
    this.outer = joins ? scope : undefined;
    this.transaction = joins ? scope.transaction : new Transaction(host);
  }

  /** Its turn has come, and it is to begin. */
  abstract granted(): void;
  /** It has not begun, and will not. */
  abstract refused(error: ResilienceRejection): void;
  /** It waits, for its turn or its component, and that will come in anybody's async context. */
  protected abstract willWait(): void;
  /** Calls the method. */
  abstract invoke(): unknown;
  /** From here on it cannot be called off: it is in the journal. */
  protected abstract committed(): void;
  /** The method has answered, and what it did is as safe as the component's options say. */
  protected abstract succeeded(value: unknown): void;
  /** It has not been kept, or perhaps not. */
  protected abstract failed(error: unknown): void;

  /** Whether it is part of another call. */
  get isJoined(): boolean {
    return this.outer !== undefined;
  }

  /**
   * Asks for the turn.
   *
   * @returns true if it may begin now; else it is granted or refused, unless it leaves before
   */
  protected ask(): boolean {
    const { component, host, target } = this;
    // `begin` refuses it: in line it could wait for the very call that it belongs to
    if (this.outer?.isZombie === true) return true;
    const objection = this.outer === undefined ? host.objection(target) : undefined;
    if (objection !== undefined) {
      this.refused(objection);
      return false;
    }
    // a save that lets the call around it end first must not keep it from ending
    const isInside = this.outer !== undefined && component.turns.current === this.transaction;
    if (component.starting !== undefined && !isInside) {
      this.askWhenStarted(component.starting);
      return false;
    }
    if (!component.isSerial || component.turns.take(this.transaction)) return true;
    this.willWait();
    this.inLine = component.turns.wait(this.transaction, this);
    return false;
  }

  /** Runs the method. */
  protected begin(): void {
    asOneStep(this, this.tryToBegin);
  }

  private tryToBegin(): void {
    this.inLine = undefined;
    try {
      this.assertMayBegin();
      this.key = this.answerKey();
      if (this.key !== undefined && this.isAnswered(this.key)) return;
      this.prepare();
    } catch (error) {
      if (this.outer === undefined) this.transaction.end();
      this.failed(error);
      return;
    }
    try {
      // adopts foreign thenables, so that one that calls back twice settles once
      void Promise.resolve(runInScope(this.scope!, this)).then(
        (value) => asOneStep(this, this.methodSucceeded, value),
        (error: unknown) => asOneStep(this, this.methodFailed, error),
      );
    } catch (error) {
      this.methodFailed(error);
    }
  }

  /**
   * Nobody waits for this attempt any more: it leaves the line, or what it does from now on counts
   * no more. Does nothing once it is in the journal.
   */
  void(reason: unknown): void {
    this.inLine?.leave();
    if (this.scope !== undefined) this.undo(reason, true);
    else if (this.outer === undefined) this.transaction.end();
  }

  /** The same, and its caller hears of it now. */
  dismiss(error: unknown): void {
    if (this.isDecided) return;
    this.void(error);
    this.isDismissed = true;
    this.failed(error);
  }

  /** It is on the disk. @internal */
  kept(): void {
    const value = this.answer;
    this.answer = undefined;
    this.succeeded(value);
  }

  /** Nobody knows whether it is on the disk. @internal */
  lost(error: unknown): void {
    this.failed(new CommitUnknownError(this.target, error));
  }

  private methodSucceeded(value: unknown): void {
    let pending: Pending | undefined;
    try {
      pending = this.keep(value);
    } catch (error) {
      this.methodFailed(error);
      return;
    }
    this.methodEnded();
    this.answerAfter(pending, value);
  }

  private methodFailed(error: unknown): void {
    const back = this.undo(error, false);
    const end = (): void => {
      this.methodEnded();
      if (!this.isDismissed) this.failed(error);
    };
    if (back === undefined) end();
    else void back.then(end);
  }

  private askWhenStarted(starting: Promise<void>): void {
    let hasLeft = false;
    this.willWait();
    this.inLine = { leave: () => void (hasLeft = true) };
    const again = (): void => {
      if (!hasLeft && this.ask()) this.granted();
    };
    void starting.then(again, (error: unknown) => {
      const why = 'the state of its component could not be restored';
      if (!hasLeft) this.refused(new CheckpointUnavailableError(this.target, why, error));
    });
  }

  private answerKey(): string | undefined {
    const { options, args, target } = this;
    if (options.idempotencyKey === undefined) return undefined;
    const key: unknown = options.idempotencyKey(...(args as never[]));
    // the module is part of the name only while classes of one name are in the application: not for good
    if (typeof key === 'string' && key !== '') return `${target.replace(MODULE, '')}\n${key}`;
    throw new TypeError(
      `${target} idempotencyKey: got ${show(key)}, expected a string that is not empty`,
    );
  }

  /** Gives the answer of the first call with that key, if there was one. */
  private isAnswered(key: string): boolean {
    const { component, host, transaction, outer } = this;
    if (component.answers.has(key)) {
      const answer = host.values.give(component.answers.get(key));
      if (outer === undefined) transaction.end();
      // the call that gave this answer first is perhaps not on disk yet
      this.answerAfter(host.settled([component]), answer);
      return true;
    }
    const own = transaction.answerOf(component, key);
    if (own !== undefined) this.succeeded(host.values.give(own.answer));
    return own !== undefined;
  }

  /** Between its turn and its beginning the store may have been fenced, or the call around it have ended. */
  private assertMayBegin(): void {
    const { host, target, outer } = this;
    if (outer === undefined) {
      const objection = host.objection(target);
      if (objection !== undefined) throw objection;
    } else if (outer.objection !== undefined) {
      throw new AttemptVoidError(target, outer.objection.why, outer.objection.cause);
    }
  }

  private prepare(): void {
    const { component, host, options, transaction, outer } = this;
    this.beganAt = host.now();
    if (outer !== undefined) {
      if (options.rollback === true) this.image = component.captured?.capture();
      this.point = transaction.save();
    }
    transaction.enter(component, options.rollback === true);
    this.scope = new Scope(transaction, outer, this.around);
    if (outer !== undefined) transaction.join(this.scope);
    host.began(this);
  }

  /** The method answered: its changes join those of the call around it, or go into the journal. */
  private keep(value: unknown): Pending | undefined {
    if (this.isDecided) return undefined; // nobody waits for it
    const { transaction, scope, component, options, host, target, key } = this;
    const objection = scope!.objection;
    if (objection !== undefined) throw new AttemptVoidError(target, objection.why, objection.cause);
    if (options.journal !== undefined) {
      const entry = options.journal(value as never, ...(this.args as never[]));
      transaction.keepEntry({
        component,
        entry: host.values.takeCopy(entry, `${target} journal`),
      });
    }
    if (key !== undefined) {
      if (transaction.answerOf(component, key) !== undefined)
        throw new TypeError(`${target}: two calls with the same idempotencyKey side by side`);
      transaction.keepAnswer({
        component,
        key,
        answer: host.values.takeCopy(value, `${target} answer`),
      });
    }
    if (component.captured !== undefined && options.journal === undefined) host.touched(component);
    if (this.outer !== undefined) {
      this.decide();
      transaction.joinedEnded(scope!);
      transaction.changedBy(scope!);
      return undefined;
    }
    if (transaction.doom !== undefined) throw transaction.doom.cause;
    if (transaction.isJoined)
      throw new TypeError(`${target}: a @Checkpoint call that it made is still running; await it`);
    const appended = host.commit(transaction);
    const settled = host.settled(this.concerned());
    this.decide();
    transaction.end();
    if (appended !== undefined) this.committed();
    return settled;
  }

  /** Whose states its answer may speak of. */
  private concerned(): readonly Member[] {
    const { component, transaction } = this;
    const { holds, answers } = transaction;
    // as it is mostly
    if (answers.length === 0 && holds.length === 1 && holds[0] === component) return holds;
    return [component, ...holds, ...answers.map((answer) => answer.component)];
  }

  /** Its changes are to be forgotten. */
  private undo(reason: unknown, stillRuns: boolean): Promise<void> | undefined {
    if (this.isDecided) return undefined;
    this.decide(stillRuns ? { reason } : undefined);
    const { transaction, scope } = this;
    if (this.outer === undefined) {
      transaction.end();
      return undefined;
    }
    transaction.joinedEnded(scope!);
    if (transaction.isOver) return undefined;
    const { component } = this;
    const { captured } = component;
    const inPlace = captured !== undefined && stillRuns;
    const own = this.image === undefined ? 0 : 1;
    // calls inside it changed other state in place, of which nobody knows how it was before
    const othersInPlace = transaction.rollbacks - this.point!.rollbacks > own;
    const doom = (): void => void (transaction.doom ??= { cause: reason });
    // side by side with others its changes cannot be told from theirs
    if (transaction.isMixed(scope!) || inPlace || othersInPlace) doom();
    else transaction.backTo(this.point!);
    const back = this.image && putBack(component, this.image);
    if (back === undefined) return undefined;
    // what others change before it is back would be lost with what it did
    transaction.runs(scope!);
    return back.then(() => {
      transaction.joinedEnded(scope!);
      if (scope!.isMixed) doom();
    });
  }

  private decide(voided?: { readonly reason: unknown }): void {
    this.isDecided = true;
    if (voided === undefined) this.scope!.end();
    else this.scope!.void(voided.reason);
    this.host.ended(this);
  }

  private methodEnded(): void {
    this.transaction.leave(this.component);
    this.scope!.end();
    if (this.outer === undefined) this.host.ran(this, this.host.now() - this.beganAt);
  }

  private answerAfter(pending: Pending | undefined, value: unknown): void {
    if (this.isDismissed) return;
    if (pending === undefined) return this.succeeded(value);
    this.answer = value;
    pending.wait(this);
  }
}
