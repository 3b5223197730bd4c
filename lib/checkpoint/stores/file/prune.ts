import type { Sequence } from '../../checkpoint-store.js';
import { parseFileName } from './file-names.js';
import { readFully } from './file-system.js';
import type { KeptGeneration } from './generation-keeper.js';
import { MANIFEST_SIGNATURE } from './manifest.js';
import { decodeSegmentHeader, SEALED_HEADER_BYTES } from './segment-header.js';
import { STATE_KIND } from './state-file.js';
import { closeQuietly, type StoreDirectory } from './store-directory.js';

/** What stays. */
export interface Retention {
  readonly generations: readonly KeptGeneration[];
  /** The journal is needed after this entry. */
  readonly after: Sequence;
}

/**
 * The newest whole generations, with what lies between them, and the last one before a barrier as the way
 * back over it. The journal only serves those that can be recovered from.
 */
export function retain(
  known: readonly KeptGeneration[],
  barrier: number,
  count: number,
): Retention {
  const before = known.filter(({ manifest }) => manifest.generation < barrier);
  const behind = known.filter(({ manifest }) => manifest.generation >= barrier);
  const whole = behind.filter(({ rotten }) => rotten.size === 0);
  // where there are too few whole ones, what is half whole is better than nothing
  const oldest = whole.length >= count ? whole.at(-count) : behind[0];
  const kept = behind.filter(
    ({ manifest }) => manifest.generation >= (oldest?.manifest.generation ?? 0),
  );
  return {
    generations: [...before.slice(-1), ...kept],
    after: oldest?.manifest.sequence ?? 0,
  };
}

/**
 * Removes what no kept generation needs, manifests first. Never what is not ours: each file is looked into
 * before. Never what is younger than the newest generation: that may be in the making.
 *
 * @param journal the first sequences of the segments that belong to it, oldest first
 * @param mayRemove asked before each: an owner that was taken over removes nothing any more. One that is paused
 * between the answer and the removal, for longer than its lease, still removes that one file. Its newest
 * generation does not need it; only where that has rotted would a successor want it, and then it says what
 * is missing or refuses to start. To move the file aside first would be worse: a successor would miss it
 */
export async function prune(
  directory: StoreDirectory,
  { generations, after }: Retention,
  journal: readonly string[],
  mayRemove: () => Promise<void>,
): Promise<void> {
  const newest = generations.at(-1)?.manifest.generation ?? 0;
  const numbers = new Map(generations.map(({ manifest }) => [manifest.generation, manifest.epoch]));
  const states = new Set(
    generations.flatMap(({ manifest }) => manifest.parts.flatMap(({ files }) => files)),
  );
  const segments = new Set(neededSegments(journal, after));
  const names = await directory.list();
  const remove = async (wanted: (name: string) => boolean): Promise<boolean> => {
    const doomed = names.filter(wanted);
    for (const name of doomed) {
      if (!(await isOurs(directory, name))) continue;
      await mayRemove();
      await directory.remove(name);
    }
    return doomed.length > 0;
  };

  const manifests = await remove((name) => {
    const parsed = parseFileName(name);
    if (parsed?.kind !== 'manifest' || parsed.generation > newest) return false;
    return numbers.get(parsed.generation) !== parsed.epoch;
  });
  // so that no crash leaves a manifest whose states are gone
  if (manifests) await directory.sync();
  await remove((name) => {
    const parsed = parseFileName(name);
    if (parsed?.kind === 'state') return parsed.generation <= newest && !states.has(name);
    return parsed?.kind === 'segment' && !segments.has(name);
  });
}

function neededSegments(journal: readonly string[], after: Sequence): readonly string[] {
  const firsts = journal.map((name) => {
    const parsed = parseFileName(name);
    return parsed?.kind === 'segment' ? parsed.first : 0;
  });
  return journal.filter((_, i) => i === journal.length - 1 || firsts[i + 1]! > after + 1);
}

async function isOurs(directory: StoreDirectory, name: string): Promise<boolean> {
  const { file } = await directory.open(name);
  if (file === undefined) return false;
  try {
    const bytes = Buffer.alloc(SEALED_HEADER_BYTES);
    const head = bytes.subarray(0, await readFully(file, bytes, 0));
    const text = head.toString('latin1');
    return (
      text.startsWith(MANIFEST_SIGNATURE) ||
      text.startsWith(STATE_KIND) ||
      typeof decodeSegmentHeader(head) === 'object'
    );
  } finally {
    await closeQuietly(file);
  }
}
