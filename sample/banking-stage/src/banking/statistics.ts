/** What the stage has done since genesis. */
export interface Statistics {
  readonly accepted: number;
  /** Of these, without those that expired: accepted while compliance could not be asked. */
  readonly provisional: number;
  readonly executed: number;
  /** Accepted, and in no block in time: they never will be. */
  readonly expired: number;
}

export const NO_STATISTICS: Statistics = { accepted: 0, provisional: 0, executed: 0, expired: 0 };
