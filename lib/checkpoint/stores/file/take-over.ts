import { NAMED, parseFileName } from './file-names.js';
import { removeDirectory } from './named-checkpoints.js';
import type { Recovered } from './recovery.js';
import type { SegmentLink } from './segment-header.js';
import type { StoreDirectory } from './store-directory.js';

/**
 * What was found may be in the memory of the system only, written by a process that was killed before its
 * sync. Once others have seen it, it must not go away with the power any more.
 */
export async function makeDurable(directory: StoreDirectory, { chain }: Recovered): Promise<void> {
  const head = chain.at(-1);
  if (head !== undefined) await directory.fs.syncFile(directory.join(head.name));
  await (await directory.inside(NAMED))?.sync();
}

/** Where a new segment goes on from: the last one with entries. */
export function linkToEnd({ chain, end }: Recovered): SegmentLink | undefined {
  const head = chain.at(-1);
  if (head === undefined || end.last < head.header.first) return head?.header.previous;
  const { epoch, first, salt } = head.header;
  return { epoch, first, salt, length: end.length };
}

/** Removes what earlier owners left unfinished. */
export async function removeUnfinished(directory: StoreDirectory): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await directory.list()) {
    if (parseFileName(name)?.kind !== 'temporary') continue;
    // a contender that has lost removes its own, at any moment
    if ((await directory.look(name))?.kind !== 'file') continue;
    await directory.remove(name);
    removed.push(name);
  }
  const named = await directory.inside(NAMED);
  for (const name of (await named?.list()) ?? []) {
    if (parseFileName(name)?.kind !== 'temporary') continue;
    if (await removeDirectory(named!, name)) removed.push(`${NAMED}/${name}`);
  }
  return removed;
}
