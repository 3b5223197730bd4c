import { randomBytes } from 'node:crypto';
import type { Finding, OpenReport, SavedPart, Sequence } from '../../checkpoint-store.js';
import { chooseStates } from './choose-states.js';
import { damaged, WAY_OUT } from './failures.js';
import { parseFileName } from './file-names.js';
import { type Generations, readGenerations } from './generations.js';
import { type JournalRange, measureJournal, type SegmentEnd } from './journal-reader.js';
import { lastKnownDurable } from './lock-contest.js';
import type { Manifest } from './manifest.js';
import { headerBytesOf } from './segment-header.js';
import { type Chain, chainOf, findHead, readSegments, type Segment } from './segments.js';
import type { StoreDirectory } from './store-directory.js';

/** What a directory holds, found without changing any of it. */
export interface Recovered {
  readonly store: string;
  readonly chain: readonly Segment[];
  readonly generations: Generations;
  readonly parts: ReadonlyMap<string, SavedPart>;
  readonly lost: ReadonlyMap<string, string>;
  readonly range: JournalRange;
  /** Where the journal ends. */
  readonly end: SegmentEnd;
  readonly skipped: OpenReport['skipped'];
}

/**
 * Finds the newest whole state of a directory.
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED` rather than answer with less than was acknowledged,
 * `CHECKPOINT_VERSION`, and what the disk says as it is: that it cannot be read is no damage
 */
export async function recover(directory: StoreDirectory): Promise<Recovered> {
  const names = (await directory.list()).toSorted();
  // before the journal: a verifier reads beside an owner who goes on
  const durable = await lastKnownDurable(directory, names);
  const files = await readSegments(directory, names);
  const { head, empty } = findHead(directory, files);
  const skipped = empty.map(({ name, problem }) => ({ file: name, reason: problem! }));
  const stores = new Set(files.flatMap(({ header }) => header?.store ?? []));
  if (stores.size > 1) {
    throw damaged(`${directory.path} has the files of ${stores.size} stores. ${WAY_OUT}`);
  }
  const chain: Chain =
    head === undefined ? { segments: [], brokenBy: undefined } : chainOf(head, files);
  const store = head?.header?.store;
  const generations = await readGenerations(
    directory,
    names,
    store,
    endOf(chain),
    barrierOf(chain),
  );
  for (const { name, problem } of generations.bad) skipped.push({ file: name, reason: problem });

  const usable = usableOf(directory, chain, generations);
  const choice = await chooseStates(directory, new Set(names), usable);
  const lost = new Map([...statesOfBadManifests(names, generations, usable), ...choice.lost]);
  const after = Math.min(
    ...[...choice.parts.values()].map(({ sequence }) => sequence),
    usable[0]?.sequence ?? 0,
  );
  const range = { after, segments: segmentsAfter(directory, chain, generations, after) };
  const end = await measureJournal(directory, range);
  assertReaches(directory, end, durable);
  return {
    store: store ?? randomBytes(16).toString('hex'),
    chain: chain.segments,
    generations,
    parts: choice.parts,
    lost,
    range,
    end,
    skipped: [...skipped, ...choice.skipped],
  };
}

/** The last entry of an owner's journal: its successors' segments say where they went on from. */
const endOf =
  ({ segments }: Chain) =>
  (epoch: number): Sequence => {
    const next = segments.find(({ header }) => header.epoch > epoch);
    return next === undefined ? Infinity : next.header.first - 1;
  };

/** Told by the segments that have entries: one without may have been begun for a barrier that never came. */
const barrierOf = ({ segments }: Chain): number =>
  Math.max(
    0,
    ...segments
      .filter(({ header, length }) => length > headerBytesOf(header))
      .map(({ header }) => header.barrier),
  );

/**
 * The generations from which the journal goes on, newest first.
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED` if the newest is not one of them, or none is left behind a barrier
 */
function usableOf(directory: StoreDirectory, chain: Chain, generations: Generations): Manifest[] {
  const { whole, bad, barrier } = generations;
  const allowed = whole.filter(({ generation }) => generation >= barrier).toReversed();
  const starts = new Set(chain.segments.map(({ header }) => header.first));
  const newest = allowed[0];
  if (chain.segments.length === 0 && bad.length > 0) {
    throw damaged(
      `${directory.path} has checkpoints, but no journal: ${bad[0]!.name} and others belong to one. ${WAY_OUT}`,
    );
  }
  if (newest === undefined && barrier > 0) {
    throw damaged(
      `No whole checkpoint is left in ${directory.path} since number ${barrier}, and an older one may not stand in for that: ` +
        `it was made by a restore or a migration, and what was before it is not its past. ` +
        `${bad.map(({ name, problem }) => `${name}: ${problem}`).join('; ') || 'It is missing'}. ${WAY_OUT}`,
    );
  }
  // the segment behind a checkpoint is on the disk before its manifest is
  if (newest !== undefined && !starts.has(newest.sequence + 1)) {
    throw damaged(
      `The journal after checkpoint ${newest.generation} is missing in ${directory.path}: no segment begins with ` +
        `entry ${newest.sequence + 1}${chain.brokenBy === undefined ? '' : `, and ${chain.brokenBy}`}. ${WAY_OUT}`,
    );
  }
  return allowed.filter(({ sequence }) => starts.has(sequence + 1));
}

/** Components of which only a generation knew whose manifest has rotted. */
function statesOfBadManifests(
  names: readonly string[],
  { bad }: Generations,
  usable: readonly Manifest[],
): [string, string][] {
  const known = new Set(usable[0]?.parts.map(({ component }) => component));
  const newest = usable[0]?.generation ?? 0;
  const rotten = new Map(
    bad.filter(({ generation }) => generation > newest).map((one) => [one.generation, one]),
  );
  return names.flatMap((name): [string, string][] => {
    const parsed = parseFileName(name);
    if (parsed?.kind !== 'state' || known.has(parsed.component)) return [];
    const manifest = rotten.get(parsed.generation);
    return manifest === undefined
      ? []
      : [[parsed.component, `${manifest.name}: ${manifest.problem}`]];
  });
}

function segmentsAfter(
  directory: StoreDirectory,
  { segments, brokenBy }: Chain,
  { bad }: Generations,
  after: Sequence,
): Segment[] {
  const first = segments[0]?.header.first ?? 1;
  if (first > after + 1) {
    const why = [brokenBy ?? [], bad.map(({ name, problem }) => `${name}: ${problem}`)].flat();
    throw damaged(
      `The journal in ${directory.path} begins with entry ${first}, and is needed from ${after + 1} on: ` +
        `${why.join('; ')}. ${WAY_OUT}`,
    );
  }
  return segments.filter(({ last }) => last === undefined || last > after);
}

/** A journal may be cut off exactly between two batches: then only its last owner knows that more was there. */
function assertReaches(directory: StoreDirectory, end: SegmentEnd, durable: Sequence): void {
  if (end.last >= durable) return;
  throw damaged(
    `The journal in ${directory.path} ends with entry ${end.last}, and its last owner had entry ${durable} on the disk. ` +
      `If this is a copy that was made while the store was in use, remove its lock file to go on from entry ${end.last}. ${WAY_OUT}`,
  );
}

/** What of this the user should know. */
export function reportOf(
  recovered: Recovered,
  removed: readonly string[],
  findings: readonly Finding[],
): OpenReport {
  const { skipped, lost, end } = recovered;
  return {
    tailTruncatedBytes: end.tornBytes,
    skipped,
    removed,
    weakened: skipped.length > 0 || lost.size > 0,
    findings,
  };
}
