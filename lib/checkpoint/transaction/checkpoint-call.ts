import { show } from '../../kernel/check.js';
import type { Component } from '../component/component.js';
import type { Pending } from '../component/pending.js';
import type { CheckpointOptions } from '../component/component.options.js';
import type { Appended } from '../checkpoint-store.js';
import type { Milliseconds } from '../../kernel/duration.js';
import type { ResilienceRejection } from '../../kernel/rejection.js';
import type { Values } from '../value/values.js';
import { AttemptVoidError } from './attempt-void.error.js';
import { CheckpointUnavailableError, CommitUnknownError } from './checkpoint-rejections.js';
import { currentScope, runInScope, Scope } from './scope.js';
import { type Member, putBack } from './member.js';
import { type Savepoint, Transaction } from './transaction.js';

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
  began(call: CheckpointCall): void;
  ended(call: CheckpointCall): void;
  /** A call has ended well that may have changed state of which nothing is journaled. */
  touched(component: Member): void;
  /** Hears how long a call ran, with all that joined it. */
  ran(call: CheckpointCall, duration: Milliseconds): void;
}

/** Which call it is. */
export interface CallFacts {
  /** The name of the protected method. */
  readonly target: string;
  readonly component: Component;
  readonly host: CallHost;
  readonly options: CheckpointOptions;
  readonly args: readonly unknown[];
  /** From here on it cannot be called off: it is in the journal. */
  readonly committed: () => void;
}

/** One attempt of a `@Checkpoint` method: its turn, its changes, and their way into the journal. */
export class CheckpointCall {
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
  private scope: Scope | undefined;
  private point: Savepoint | undefined;
  /** The captured state before it, where it joined another call. */
  private image: Uint8Array | undefined;
  private leaveLine: (() => void) | undefined;
  private sendAway: ((error: unknown) => void) | undefined;
  /** Whether its changes are kept is settled. */
  private isDecided = false;

  constructor(private readonly facts: CallFacts) {
    this.around = currentScope();
    const { host } = facts;
    // what another application of the process keeps goes into another store
    const scope = this.around?.nearestOf(host);
    const joins = scope !== undefined && (scope.objection === undefined || scope.isZombie);
    this.outer = joins ? scope : undefined;
    this.transaction = joins ? scope.transaction : new Transaction(host);
  }

  /** Whether it is part of another call. */
  get isJoined(): boolean {
    return this.outer !== undefined;
  }

  get target(): string {
    return this.facts.target;
  }

  /**
   * Asks for the turn.
   *
   * @returns true if it may run now; else `granted` or `refused` is called, unless it leaves before
   */
  enter(granted: () => void, refused: (error: ResilienceRejection) => void): boolean {
    const { component, host, target } = this.facts;
    // `run` refuses it: in line it could wait for the very call that it belongs to
    if (this.outer?.isZombie === true) return true;
    const objection = this.outer === undefined ? host.objection(target) : undefined;
    if (objection !== undefined) {
      refused(objection);
      return false;
    }
    // a save that lets the call around it end first must not keep it from ending
    const isInside = this.outer !== undefined && component.turns.current === this.transaction;
    if (component.starting !== undefined && !isInside) {
      this.enterWhenStarted(component.starting, granted, refused);
      return false;
    }
    if (!component.isSerial || component.turns.take(this.transaction)) return true;
    this.leaveLine = component.turns.wait(this.transaction, target, granted, refused);
    return false;
  }

  /** Runs the method; resolves when what it did is as safe as the component's options say. */
  run(method: () => unknown): Promise<unknown> {
    const { component } = this.facts;
    this.leaveLine = undefined;
    let key: string | undefined;
    try {
      this.assertMayBegin();
      key = this.answerKey();
      if (key !== undefined && component.answers.has(key)) return this.answerAgain(key);
      const own = key === undefined ? undefined : this.transaction.answerOf(component, key);
      if (own !== undefined) return Promise.resolve(this.facts.host.values.give(own.answer));
      this.begin();
    } catch (error) {
      if (this.outer === undefined) this.transaction.end();
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.sendAway = reject;
      const failed = (error: unknown): void => {
        const back = this.undo(error, false);
        const end = (): void => {
          this.methodEnded();
          reject(error);
        };
        if (back === undefined) end();
        else void back.then(end);
      };
      const succeeded = (value: unknown): void => {
        let pending: Pending | undefined;
        try {
          pending = this.keep(value, key);
        } catch (error) {
          failed(error);
          return;
        }
        this.methodEnded();
        this.answerAfter(pending, value, resolve, reject);
      };
      try {
        Promise.resolve(runInScope(this.scope!, method)).then(succeeded, failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  /**
   * Nobody waits for this attempt any more: it leaves the line, or what it does from now on counts
   * no more. Does nothing once it is in the journal.
   */
  void(reason: unknown): void {
    this.leaveLine?.();
    if (this.scope !== undefined) this.undo(reason, true);
    else if (this.outer === undefined) this.transaction.end();
  }

  /** The same, and its caller hears of it now. */
  dismiss(error: unknown): void {
    if (this.isDecided) return;
    this.void(error);
    this.sendAway?.(error);
  }

  private enterWhenStarted(
    starting: Promise<void>,
    granted: () => void,
    refused: (error: ResilienceRejection) => void,
  ): void {
    let hasLeft = false;
    this.leaveLine = () => (hasLeft = true);
    const again = (): void => {
      if (!hasLeft && this.enter(granted, refused)) granted();
    };
    void starting.then(again, (error: unknown) => {
      const { target } = this;
      const why = 'the state of its component could not be restored';
      if (!hasLeft) refused(new CheckpointUnavailableError(target, why, error));
    });
  }

  private answerKey(): string | undefined {
    const { options, args, target } = this.facts;
    if (options.idempotencyKey === undefined) return undefined;
    const key: unknown = options.idempotencyKey(...(args as never[]));
    // the module is part of the name only while classes of one name are in the application: not for good
    if (typeof key === 'string' && key !== '') return `${target.replace(MODULE, '')}\n${key}`;
    throw new TypeError(
      `${target} idempotencyKey: got ${show(key)}, expected a string that is not empty`,
    );
  }

  private answerAgain(key: string): Promise<unknown> {
    const { component, host } = this.facts;
    const answer = host.values.give(component.answers.get(key));
    if (this.outer === undefined) this.transaction.end();
    // the call that gave this answer first is perhaps not on disk yet
    return new Promise((resolve, reject) => {
      this.answerAfter(host.settled([component]), answer, resolve, reject);
    });
  }

  /** Between its turn and its beginning the store may have been fenced, or the call around it have ended. */
  private assertMayBegin(): void {
    const { host, target } = this.facts;
    const { outer } = this;
    if (outer === undefined) {
      const objection = host.objection(target);
      if (objection !== undefined) throw objection;
    } else if (outer.objection !== undefined) {
      throw new AttemptVoidError(target, outer.objection.why, outer.objection.cause);
    }
  }

  private begin(): void {
    const { component, host, options } = this.facts;
    const { transaction, outer } = this;
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
  private keep(value: unknown, key: string | undefined): Pending | undefined {
    if (this.isDecided) return undefined; // nobody waits for it
    const { transaction, facts, scope } = this;
    const { component, options, args, host, target } = facts;
    const objection = scope!.objection;
    if (objection !== undefined) throw new AttemptVoidError(target, objection.why, objection.cause);
    if (options.journal !== undefined) {
      const entry = options.journal(value as never, ...(args as never[]));
      transaction.entries.push({
        component,
        entry: host.values.takeCopy(entry, `${target} journal`),
      });
    }
    if (key !== undefined) {
      if (transaction.answerOf(component, key) !== undefined)
        throw new TypeError(`${target}: two calls with the same idempotencyKey side by side`);
      transaction.answers.push({
        component,
        key,
        answer: host.values.takeCopy(value, `${target} answer`),
      });
    }
    if (component.captured !== undefined && options.journal === undefined) host.touched(component);
    if (this.outer !== undefined) {
      this.decide();
      transaction.joined.delete(scope!);
      transaction.changedBy(scope!);
      return undefined;
    }
    if (transaction.doom !== undefined) throw transaction.doom.cause;
    if (transaction.joined.size > 0)
      throw new TypeError(`${target}: a @Checkpoint call that it made is still running; await it`);
    const appended = host.commit(transaction);
    const answered = transaction.answers.map((answer) => answer.component);
    const settled = host.settled([component, ...transaction.holds, ...answered]);
    this.decide();
    transaction.end();
    if (appended !== undefined) facts.committed();
    return settled;
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
    transaction.joined.delete(scope!);
    if (transaction.isOver) return undefined;
    const { component } = this.facts;
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
    transaction.joined.add(scope!);
    return back.then(() => {
      transaction.joined.delete(scope!);
      if (scope!.isMixed) doom();
    });
  }

  private decide(voided?: { readonly reason: unknown }): void {
    this.isDecided = true;
    if (voided === undefined) this.scope!.end();
    else this.scope!.void(voided.reason);
    this.facts.host.ended(this);
  }

  private methodEnded(): void {
    const { host, component } = this.facts;
    this.transaction.leave(component);
    this.scope!.end();
    if (this.outer === undefined) host.ran(this, host.now() - this.beganAt);
  }

  private answerAfter(
    pending: Pending | undefined,
    value: unknown,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    if (pending === undefined) return resolve(value);
    pending.wait(
      () => resolve(value),
      (error) => reject(new CommitUnknownError(this.target, error)),
    );
  }
}
