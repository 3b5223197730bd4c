// What a validator may promise and vote for. One instance of Paxos for each height, so that no two
// blocks of one height can ever both have a majority: see "Why it cannot fork" in the README of
// this sample. Pure: whoever calls this puts the new state on disk before the answer leaves.

/** One attempt at the block of a height. Rounds of a height belong to its validators in turn. */
export interface Slot {
  readonly height: number;
  readonly round: number;
}

export interface Hashed {
  readonly hash: string;
}

export interface Proposal<B extends Hashed> {
  readonly round: number;
  readonly block: B;
}

/** What a validator has promised and voted for, at the height that it votes on. */
export interface Votes<B extends Hashed> {
  readonly height: number;
  /** It takes part in no round below. */
  readonly promised: number;
  /** Its vote in the highest round in which it has one. */
  readonly accepted?: Proposal<B>;
}

/** Its votes as they concern a height; undefined for one that it is done with. */
export function votesAt<B extends Hashed>(votes: Votes<B>, height: number): Votes<B> | undefined {
  if (height < votes.height) return undefined;
  return height === votes.height ? votes : { height, promised: 0 };
}

/** After a promise; undefined where one of a later round forbids it. */
export function promising<B extends Hashed>(
  votes: Votes<B>,
  { height, round }: Slot,
): Votes<B> | undefined {
  const present = votesAt(votes, height);
  if (present === undefined || round < present.promised) return undefined;
  return { ...present, promised: round };
}

/** After a vote; undefined where a promise, or its vote for another block in that round, forbids it. */
export function voting<B extends Hashed>(
  votes: Votes<B>,
  { height, round }: Slot,
  block: B,
): Votes<B> | undefined {
  const present = votesAt(votes, height);
  if (present === undefined || round < present.promised) return undefined;
  const { accepted } = present;
  if (accepted?.round === round && accepted.block.hash !== block.hash) return undefined;
  return { height, promised: round, accepted: { round, block } };
}

/** The one that forbids more: for a state that was put back, and what is remembered of the present. */
export function stricter<B extends Hashed>(one: Votes<B>, other: Votes<B>): Votes<B> {
  if (one.height !== other.height) return one.height > other.height ? one : other;
  const accepted = [one.accepted, other.accepted]
    .filter((given) => given !== undefined)
    .toSorted((a, b) => b.round - a.round)[0];
  return {
    height: one.height,
    promised: Math.max(one.promised, other.promised),
    ...(accepted && { accepted }),
  };
}
