import type { ResilienceRejection } from '../../kernel/rejection.js';
import type { Sequence } from '../checkpoint-store.js';
import type { Pending } from '../component/pending.js';

/** A transaction, as far as turns are concerned. */
export interface Party {
  /** Grows with each: of two, the one with the larger number is the younger. */
  readonly number: number;
  /** The components whose turn it has. */
  readonly holds: readonly Member[];
  /** The turns it waits for. */
  readonly waits: readonly Waiter[];
  /** It has the turn of a component. */
  hold(component: Member): void;
  wait(waiter: Waiter): void;
  waitEnded(waiter: Waiter): void;
}

/** The turns of one component, as those see them who have one. */
export interface Line {
  readonly component: Member;
  /** Who has the turn. */
  readonly current: Party | undefined;
  release(party: Party): void;
}

/** A transaction in the line of one component. */
export interface Waiter {
  readonly transaction: Party;
  readonly turns: Line;
  /** The call that waits. */
  readonly target: string;
  /** Is taken out of the line, and told why. */
  refuse(error: ResilienceRejection): void;
}

/** State that a running call changes for everybody to see. */
export interface InPlace {
  /** The state before the transaction that is running. */
  before: Uint8Array | undefined;
  capture(): Uint8Array;
  restore(image: Uint8Array): void | Promise<void>;
}

/** A component, as far as a transaction is concerned. */
export interface Member {
  readonly name: string;
  readonly turns: Line;
  /** Its state, where calls change that in place. */
  readonly captured: InPlace | undefined;
  /** The last entry that concerns it. */
  readonly sequence: Sequence;
  /** That entry on its way to the disk, where calls wait for that. */
  readonly unsettled: Pending | undefined;
  /** An entry concerns it. */
  journaled(sequence: Sequence, pending: Pending): void;
  /** One of its methods begins. */
  methodBegan(): void;
  /** One of its methods has ended. */
  methodEnded(): void;
  /** Its state could not be put back, and is anything now. */
  spoiled(error: unknown): void;
}

/**
 * Puts its state back to an image. If it cannot, the component hears of it, and nobody else.
 *
 * @returns resolves when it is back, where that takes time
 */
export function putBack(member: Member, image: Uint8Array): Promise<void> | undefined {
  try {
    const restored = member.captured!.restore(image);
    if (!(restored instanceof Promise)) return undefined;
    member.methodBegan();
    return restored
      .catch((error: unknown) => member.spoiled(error))
      .then(() => member.methodEnded());
  } catch (error) {
    member.spoiled(error);
    return undefined;
  }
}
