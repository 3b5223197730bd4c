import type {
  CheckpointStore,
  SavedPart,
  StoreContents,
} from '../../lib/checkpoint/checkpoint-store.js';
import type { Clock } from '../../lib/kernel/clock.js';
import type { Machine } from '../../lib/checkpoint/stores/file/machine.js';
import { seededRandom } from '../../lib/testing/seeded-random.js';

/** A machine on which only the newest process runs. */
export class FakeMachine implements Machine {
  private pid = 1;
  time = 0;

  get self(): Machine['self'] {
    const { pid } = this;
    return { host: 'host', boot: 'boot', pidNamespace: 'namespace', pid, started: String(pid) };
  }

  startOf(pid: number): string | undefined {
    return pid === this.pid ? String(pid) : undefined;
  }

  uptime(): number {
    return this.time;
  }

  /** The process ends, and another begins. */
  restart(): void {
    this.pid += 1;
  }
}

/** Time stands still: what waits for it never comes. Cheaper than a `FakeClock`, which keeps async contexts. */
export const stillClock: Clock = { now: () => 0, epoch: () => 0, schedule: () => () => {} };

/** By which now the disk is quicker and now the callers, so that one batch of a journal is under way at a time, or two. */
export function unevenClock(seed: number): Clock {
  const random = seededRandom(seed);
  let now = 0;
  return { ...stillClock, now: () => (now += random() < 0.5 ? 0 : random()) };
}

export async function bytesOf(part: SavedPart): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of part.pieces()) pieces.push(piece);
  return Buffer.concat(pieces);
}

export async function entriesOf(
  contents: StoreContents,
): Promise<{ sequence: number; entry: Buffer }[]> {
  const entries: { sequence: number; entry: Buffer }[] = [];
  for await (const { sequence, entry } of contents.entries()) {
    entries.push({ sequence, entry: Buffer.from(entry) });
  }
  return entries;
}

/** Ends a store whatever its state. */
export const closed = (store: CheckpointStore): Promise<void> => store.close().catch(() => {});
