import type { Sequence } from '../../checkpoint-store.js';
import { damaged } from './failures.js';
import type { Recovered } from './recovery.js';
import type { StoreDirectory } from './store-directory.js';

/** What this process knows of the directory from the time before a fence. */
export interface FormerSession {
  /** Tells its lock, see `LockPorts.former`. */
  readonly token: string;
  readonly store: string;
  /** The last entry that was on the disk for sure. */
  readonly durable: Sequence;
}

/**
 * A volume that went away leaves an empty directory behind: to go on with what is in that would be to forget,
 * in a running process, what it has acknowledged.
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED` for less than this process had
 */
export function assertSame(
  directory: StoreDirectory,
  { store, end }: Recovered,
  former: FormerSession | undefined,
): void {
  if (former === undefined) return;
  if (store === former.store && end.last >= former.durable) return;
  throw damaged(
    `${directory.path} is not any more what this process had there: ` +
      (store === former.store
        ? `the journal ends with entry ${end.last}, and entry ${former.durable} was on the disk`
        : 'another directory is in its place, as where a volume went away') +
      '. Nothing was changed. Put back what was there; to go on with what is there now, start the process anew.',
  );
}
