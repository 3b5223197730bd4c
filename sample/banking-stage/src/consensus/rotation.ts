import type { Hashed, Slot, Votes } from './voting.js';

/** Which validator may propose in a slot, by its place in the list: the first round of each height goes round. */
export function leaderOf({ height, round }: Slot, validators: number): number {
  return (height + round) % validators;
}

export interface RotationOptions {
  /** This validator's place in the list. */
  readonly self: number;
  readonly validators: number;
  /** Milliseconds that a leader is given before the next one tries. */
  readonly patience: number;
  /** In [0, 1): two that got into each other's way must not do so for ever. */
  readonly random: () => number;
  /** Whether a validator is known to be out of reach: nobody waits for it then. */
  readonly isAway: (validator: number) => boolean;
}

/** Says when it is this validator's turn. Time decides only who tries, never what may be decided. */
export class Rotation {
  private height = -1;
  private since = 0;
  private tries = 0;
  private again = 0;
  private seen = 0;

  constructor(private readonly options: RotationOptions) {}

  /** The round to propose in now, if any; to be asked only while there is something to decide. */
  turn(votes: Votes<Hashed>, now: number): number | undefined {
    if (votes.height !== this.height) this.begin(votes.height, now);
    const distance = this.distance();
    const isDue = now >= (this.tries > 0 ? this.again : this.since + this.ahead(distance));
    if (!isDue) return undefined;
    const isFirst = this.tries === 0 && distance === 0 && votes.promised === 0 && this.seen === 0;
    const { patience, random, validators } = this.options;
    this.tries++;
    this.again = now + patience * (1 + validators * random());
    return isFirst ? 0 : this.roundAbove(Math.max(votes.promised, this.seen), distance);
  }

  /** Nothing is to be decided: nobody keeps anybody waiting. */
  rest(): void {
    this.height = -1;
  }

  /** Somebody is in a later round. */
  refused(promised: number): void {
    if (Number.isSafeInteger(promised)) this.seen = Math.max(this.seen, promised);
  }

  private begin(height: number, now: number): void {
    this.height = height;
    this.since = now;
    this.tries = 0;
    this.seen = 0;
  }

  /** How many others lead before this one does. */
  private distance(): number {
    const { self, validators } = this.options;
    return (self - (this.height % validators) + validators) % validators;
  }

  private ahead(distance: number): number {
    const { validators, isAway, patience } = this.options;
    let awaited = 0;
    for (let round = 0; round < distance; round++) {
      awaited += +!isAway(leaderOf({ height: this.height, round }, validators));
    }
    return awaited * patience;
  }

  private roundAbove(promised: number, distance: number): number {
    const { validators } = this.options;
    const first = distance === 0 ? validators : distance;
    // Not step by step: whoever says how far it is could make that take for ever.
    return first + Math.max(0, Math.floor((promised - first) / validators) + 1) * validators;
  }
}
