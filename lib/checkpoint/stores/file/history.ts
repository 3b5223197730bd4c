import type { History, Sequence } from '../../checkpoint-store.js';
import type { GenerationKeeper } from './generation-keeper.js';
import { measureJournal, readJournal } from './journal-reader.js';
import type { Manifest } from './manifest.js';
import { chainOf, findHead, readSegments } from './segments.js';
import type { StoreDirectory } from './store-directory.js';

/** Up to where the journal is on the disk, and what is known of the generations. */
export interface Present {
  readonly last: Sequence;
  /** The segment that is written to, and its bytes up to there. */
  readonly live: { readonly name: string; readonly length: number };
  readonly keeper: Pick<GenerationKeeper, 'generations' | 'barrierGeneration'>;
}

/** Where a checkpoint stands in the journal. */
export type Cut = Pick<Manifest, 'generation' | 'sequence'>;

/** Before everything. */
export const NOTHING: Cut = { generation: 0, sequence: 0 };

/** What was journaled after a checkpoint, read beside an owner who appends. */
export async function historyOf(
  directory: StoreDirectory,
  cut: Cut,
  { last, live, keeper }: Present,
): Promise<History> {
  const after = cut.sequence;
  const count = last - after;
  const none: History = { count, isWhole: false, async *entries() {} };
  if (!isBehindBarrier(cut, keeper)) return none;
  if (count === 0) return { ...none, isWhole: true };
  const files = await readSegments(directory, await directory.list());
  const { head } = findHead(directory, files);
  if (head?.name !== live.name) return none;
  // what is behind may be on its way
  const { segments: chain } = chainOf({ ...head, size: live.length }, files);
  if (chain[0]!.header.first > after + 1) return none;
  const segments = chain.filter((one) => one.last === undefined || one.last > after);
  const range = { segments, after };
  const end = await measureJournal(directory, range);
  return {
    count,
    isWhole: true,
    async *entries() {
      for await (const one of readJournal(directory, range, end)) {
        if (one.sequence > last) return; // appended since
        yield one;
      }
    },
  };
}

/** Whether nothing was restored or migrated since it was made. */
function isBehindBarrier(
  { generation, sequence }: Cut,
  { generations, barrierGeneration }: Present['keeper'],
): boolean {
  if (barrierGeneration === 0) return true;
  if (generation > 0) return generation >= barrierGeneration;
  // of two with one cut nobody can say which was first
  const barrier = generations.find(({ manifest }) => manifest.generation === barrierGeneration);
  return barrier !== undefined && sequence > barrier.manifest.sequence;
}
