import type { Sequence } from '../../checkpoint-store.js';
import { type FileName, parseFileName } from './file-names.js';
import { readFully } from './file-system.js';
import { decodeManifest, type Manifest, MAX_MANIFEST_BYTES } from './manifest.js';
import { closeQuietly, type StoreDirectory } from './store-directory.js';

/** A manifest with a problem. */
export interface BadManifest {
  readonly name: string;
  readonly generation: number;
  readonly problem: string;
}

/** All numbered checkpoints of a directory. */
export interface Generations {
  /** Those with a whole manifest that belong to this journal, oldest first. */
  readonly whole: readonly Manifest[];
  readonly bad: readonly BadManifest[];
  /** No generation below this may be recovered from; 0 if all may. */
  readonly barrier: number;
  /** The highest number that any file has. */
  readonly highest: number;
}

/** Reads one manifest, or says what is wrong with it. */
export async function readManifest(
  directory: StoreDirectory,
  name: string,
): Promise<Manifest | string> {
  const { file, size, problem } = await directory.open(name);
  if (file === undefined) return problem;
  try {
    if (size > MAX_MANIFEST_BYTES) return `it has ${size} bytes`;
    const bytes = Buffer.allocUnsafe(size);
    const read = bytes.subarray(0, await readFully(file, bytes, 0));
    return decodeManifest(read, directory.keys, directory.join(name));
  } finally {
    await closeQuietly(file);
  }
}

export const FOREIGN = 'it belongs to another store';

/** Why a whole manifest is not that of the checkpoint in whose place it is; undefined if it is. */
export function misplacement(
  found: Manifest,
  name: FileName & { readonly kind: 'manifest' },
): string | undefined {
  const isThat = (['generation', 'epoch', 'barrier'] as const).every((n) => found[n] === name[n]);
  return isThat && found.name === undefined ? undefined : 'it is that of another checkpoint';
}

/**
 * Reads all manifests.
 *
 * @param endOf the last entry that belongs to the journal of an owner: a generation that goes beyond
 * was written by one that had been taken over, and speaks of entries that never were
 * @param journaled the barrier that the journal tells of
 */
export async function readGenerations(
  directory: StoreDirectory,
  names: readonly string[],
  store: string | undefined,
  endOf: (epoch: number) => Sequence,
  journaled: number,
): Promise<Generations> {
  const whole = new Map<number, Manifest>();
  const bad: BadManifest[] = [];
  let barrier = journaled;
  let highest = 0;
  for (const name of names) {
    const parsed = parseFileName(name);
    if (parsed === undefined || !('generation' in parsed)) continue;
    highest = Math.max(highest, parsed.generation);
    if (parsed.kind !== 'manifest') continue;
    const found = await readManifest(directory, name);
    const problem = typeof found === 'string' ? found : misplacement(found, parsed);
    if (typeof found === 'string' || problem !== undefined) {
      bad.push({ name, generation: parsed.generation, problem: problem! });
      barrier = Math.max(barrier, parsed.barrier);
    } else if (found.store !== store) {
      bad.push({ name, generation: parsed.generation, problem: FOREIGN });
    } else if (found.sequence <= endOf(found.epoch)) {
      barrier = Math.max(barrier, parsed.barrier);
      const other = whole.get(found.generation);
      if (other === undefined || other.epoch < found.epoch) whole.set(found.generation, found);
    }
  }
  const sorted = [...whole.values()].toSorted((a, b) => a.generation - b.generation);
  return { whole: sorted, bad, barrier, highest };
}
