import { CheckpointError } from '../../checkpoint/checkpoint.error.js';
import type { Candidate, Trial } from '../../checkpoint/engine/trial.js';
import { AUTOMATIC } from '../../checkpoint/automatic-names.js';

/** A sound state that can be reached: a backup and so many calls of the journal since. */
export interface Found {
  readonly trial: Trial;
  readonly replayed: number;
  /** Calls that are in the present state and not in this one. */
  readonly lost: number;
}

/** What a search needs. */
export interface SearchParts {
  readonly trial: (id: string) => Promise<Trial>;
  /** Whether a state passes the checks. Closes its view. */
  readonly isSound: (candidate: Candidate) => Promise<boolean>;
  /** Hears what was tried. */
  readonly note: (step: string) => void;
}

/**
 * Finds the sound state that loses the fewest calls: of each backup, newest first, with as much of
 * the journal since as passes the checks, until one leads to the present. Where the whole journal
 * does not pass, it is looked back from its end in doubled steps, and the last step is halved again
 * and again: so what is found passes, and the call after it does not.
 *
 * @param backups newest first
 */
export async function findSound(
  backups: readonly string[],
  parts: SearchParts,
): Promise<Found | undefined> {
  let best: Found | undefined;
  for (const id of backups) {
    // the broken state itself
    if (id.startsWith(AUTOMATIC.quarantine)) continue;
    const found = await soundOf(id, parts);
    if (found === undefined) continue;
    if (best === undefined || found.lost < best.lost) best = found;
    if (best.lost === 0) break;
  }
  return best;
}

/** The store accepts nothing: that says nothing about any backup. */
function isOver(error: unknown): boolean {
  if (!(error instanceof CheckpointError)) return false;
  return error.code === 'CHECKPOINT_FENCED' || error.code === 'CHECKPOINT_CLOSED';
}

async function soundOf(
  id: string,
  { trial, isSound, note }: SearchParts,
): Promise<Found | undefined> {
  let tried: Trial;
  try {
    tried = await trial(id);
  } catch (error) {
    if (isOver(error)) throw error;
    note(`backup ${id} cannot be read`);
    return undefined;
  }
  const passes = async (replayed: number): Promise<boolean> => {
    let candidate: Candidate;
    try {
      candidate = await tried.after(replayed);
    } catch (error) {
      if (isOver(error)) throw error;
      return false; // a call that cannot be done again is as bad as one that must not
    }
    return isSound(candidate);
  };
  const found = (replayed: number): Found => {
    note(`backup ${id} passes the checks with ${replayed} of ${tried.count} calls since`);
    return { trial: tried, replayed, lost: tried.count - replayed };
  };
  const all = tried.replayable;
  if (await passes(all)) return found(all);
  // back from the end in growing steps: what went wrong went wrong a moment ago, more often than not
  let [good, bad] = [all, all];
  for (let step = 1; good === bad; step *= 2) {
    if (bad === 0) {
      note(`backup ${id} does not pass the checks`);
      return undefined;
    }
    good = Math.max(0, all - step);
    if (!(await passes(good))) bad = good;
  }
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (await passes(middle)) good = middle;
    else bad = middle;
  }
  return found(good);
}
