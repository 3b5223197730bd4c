import type { Hashed, Proposal, Slot } from './voting.js';

/** It was not done, and who said so is this far. */
export interface Refusal {
  readonly ok: false;
  /** The height of its last block. */
  readonly height: number;
  /** The round below which it does nothing, at its next height. */
  readonly promised: number;
}

export type Promised<B extends Hashed> =
  { readonly ok: true; readonly accepted?: Proposal<B> } | Refusal;
export type Voted<V> = { readonly ok: true; readonly vote: V } | Refusal;

/** A validator as a proposer sees it, here or elsewhere. What it answers is on its disk. */
export interface Voter<B extends Hashed, V> {
  promise(slot: Slot): Promise<Promised<B>>;
  vote(slot: Slot, block: B): Promise<Voted<V>>;
}

/** This validator. */
export interface OwnVoter<B extends Hashed, V> extends Voter<B, V> {
  /** Like `promise`, but never twice for one round: a restart must not propose anew in a round that has begun. */
  begin(slot: Slot): Promise<Promised<B>>;
  /** Its own vote in the first round of a height, from before a restart. */
  firstVote(height: number): B | undefined;
}

export interface ProposerPorts<B extends Hashed, V> {
  readonly own: OwnVoter<B, V>;
  readonly others: readonly Voter<B, V>[];
  /** A block for the next height, where there is something to put in one. */
  draft(): Promise<B | undefined>;
}

export type Outcome<B extends Hashed, V> =
  | { readonly kind: 'decided'; readonly block: B; readonly votes: readonly V[] }
  | { readonly kind: 'refused'; readonly by: Refusal }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'no-majority' };

/** Runs one round to its end: whatever comes of it, nothing that was decided is undone. */
export class Proposer<B extends Hashed, V> {
  constructor(private readonly ports: ProposerPorts<B, V>) {}

  async propose(slot: Slot): Promise<Outcome<B, V>> {
    const { own, others } = this.ports;
    const chosen = slot.round === 0 ? await this.firstBlock(slot) : await this.laterBlock(slot);
    if (chosen.kind !== 'block') return chosen;
    const { block } = chosen;

    // One's own vote is on disk before anyone hears of the block: there is never another in this round.
    const mine = await own.vote(slot, block);
    if (!mine.ok) return { kind: 'refused', by: mine };
    const votes = await this.majority(
      mine,
      others.map((other) => other.vote(slot, block)),
    );
    if (!Array.isArray(votes)) return votes;
    return { kind: 'decided', block, votes: votes.map(({ vote }) => vote) };
  }

  /** No round is below the first, so nothing can have been decided before it. */
  private async firstBlock({ height }: Slot) {
    const block = this.ports.own.firstVote(height) ?? (await this.ports.draft());
    return block === undefined ? NOTHING : { kind: 'block' as const, block };
  }

  /** What may have been decided in a round below is proposed again; else a new block. */
  private async laterBlock(slot: Slot) {
    const { own, others, draft } = this.ports;
    const mine = await own.begin(slot);
    if (!mine.ok) return { kind: 'refused' as const, by: mine };
    const promises = await this.majority(
      mine,
      others.map((other) => other.promise(slot)),
    );
    if (!Array.isArray(promises)) return promises;
    const [highest] = promises
      .flatMap(({ accepted }) => accepted ?? [])
      .toSorted((a, b) => b.round - a.round);
    const block = highest?.block ?? (await draft.call(this.ports));
    return block === undefined ? NOTHING : { kind: 'block' as const, block };
  }

  /** The answers of a majority as soon as there is one; whoever has not answered is not waited for. */
  private majority<T extends { readonly ok: true }>(
    mine: T,
    asked: readonly Promise<T | Refusal>[],
  ): Promise<T[] | Extract<Outcome<B, V>, { kind: 'refused' | 'no-majority' }>> {
    const needed = majorityOf(asked.length + 1);
    return new Promise((resolve) => {
      const given = [mine];
      let [left, refusal] = [asked.length, undefined as Refusal | undefined];
      const look = (): void => {
        if (given.length >= needed) resolve([...given]);
        else if (left === 0) {
          resolve(refusal ? { kind: 'refused', by: refusal } : { kind: 'no-majority' });
        }
      };
      const heard = (answer?: T | Refusal): void => {
        left--;
        if (answer?.ok) given.push(answer);
        else if (answer && !(refusal && isFurther(refusal, answer))) refusal = answer;
        look();
      };
      for (const one of asked) one.then(heard, () => heard());
      look();
    });
  }
}

export function majorityOf(validators: number): number {
  return Math.floor(validators / 2) + 1;
}

const NOTHING = { kind: 'nothing' } as const;

function isFurther(a: Refusal, b: Refusal): boolean {
  return a.height > b.height || (a.height === b.height && a.promised > b.promised);
}
