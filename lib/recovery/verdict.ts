/** What is known of the state: whether it is corrupted, and not mended. */
export class Verdict {
  private known = false;
  /** Counts the states that were put in place: what is found out about an earlier one says nothing any more. */
  private era = 0;

  get isCorrupted(): boolean {
    return this.known;
  }

  /** Somebody begins to look at the state. @returns says what was found */
  looking(): (isCorrupted: boolean) => void {
    const { era } = this;
    return (isCorrupted) => {
      if (era === this.era) this.known = isCorrupted;
    };
  }

  /** Another state that passes the checks has taken its place. */
  replaced(): void {
    this.era += 1;
    this.known = false;
  }
}
