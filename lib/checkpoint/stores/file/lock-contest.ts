import type { Clock } from '../../../kernel/clock.js';
import type { Sequence } from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { lockName, parseFileName } from './file-names.js';
import { codeOf, type OpenFile, readFully } from './file-system.js';
import {
  decodeLock,
  isProvablyDead,
  LOCK_BYTES,
  type LockRecord,
  silenceOf,
} from './lock-record.js';
import type { Machine } from './machine.js';
import { closeQuietly, type StoreDirectory } from './store-directory.js';

/** How often an owner gives a sign of life, in milliseconds. */
export const HEARTBEAT = 2_000;
/** The silence after which another may take over, in milliseconds. */
export const LEASE = 10_000;
export interface LockPorts {
  readonly clock: Clock;
  readonly machine: Machine;
  /** The token of a lock that we had and gave up: if the disk refused to take that down, it is ours all the same. */
  readonly former?: string | undefined;
}

/** The highest epoch of all locks, and of all files. */
export function epochsOf(names: readonly string[]): {
  readonly lock: number;
  readonly all: number;
} {
  let lock = 0;
  let all = 0;
  for (const name of names) {
    const parsed = parseFileName(name);
    if (parsed === undefined || !('epoch' in parsed)) continue;
    all = Math.max(all, parsed.epoch);
    if (parsed.kind === 'lock') lock = Math.max(lock, parsed.epoch);
  }
  return { lock, all };
}

/** The lock gets its name with its content whole, and only one contender gets it. */
export async function publish(
  directory: StoreDirectory,
  temporary: string,
  epoch: number,
  ports: LockPorts,
): Promise<void> {
  try {
    await directory.fs.link(directory.join(temporary), directory.join(lockName(epoch)));
  } catch (error) {
    // ENOENT: another has won, and removed our temporary file with what the dead one had left unfinished
    if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOENT') throw error;
    throw await lockedError(directory, epochsOf(await directory.list()).lock, ports);
  }
  await directory.remove(temporary);
}

/**
 * Waits for a sign of life of an owner that may be dead, at most for a lease; answers what it last knew to
 * be on the disk.
 */
export async function assertFree(
  directory: StoreDirectory,
  epoch: number,
  ports: LockPorts,
): Promise<Sequence> {
  const { clock, machine } = ports;
  const first = await readLock(directory, epoch);
  if (first === undefined) return 0;
  const record = decodeLock(first);
  if (record !== undefined && (record.token === ports.former || isProvablyDead(record, machine)))
    return record.durable;
  const silence = record === undefined ? undefined : silenceOf(record, machine);
  const since = clock.now() - Math.max(0, silence ?? 0);
  // one of this very machine and namespace runs: it needs no time to show that
  if (record !== undefined && isNeighbour(record, machine) && clock.now() - since <= HEARTBEAT * 2)
    throw await lockedError(directory, epoch, ports);
  // the clock's timers may keep no process alive, and this is a reason to live
  const alive = setInterval(() => {}, 2 ** 30);
  try {
    while (clock.now() - since <= LEASE) {
      await new Promise<void>((resolve) => void clock.schedule(resolve, HEARTBEAT / 4));
      const now = await readLock(directory, epoch);
      if (now?.equals(first) === true) continue;
      const later = now === undefined ? undefined : decodeLock(now);
      if (later !== undefined && isProvablyDead(later, machine)) return later.durable;
      throw await lockedError(directory, epoch, ports);
    }
    return record?.durable ?? 0;
  } finally {
    clearInterval(alive);
  }
}

const isNeighbour = (record: LockRecord, { self }: Machine): boolean =>
  record.boot === self.boot && record.pidNamespace === self.pidNamespace;

/** The last entry that the newest owner knew to be on the disk; 0 if nobody tells. */
export async function lastKnownDurable(
  directory: StoreDirectory,
  names: readonly string[],
): Promise<Sequence> {
  const { lock } = epochsOf(names);
  const bytes = lock === 0 ? undefined : await readLock(directory, lock);
  return (bytes === undefined ? undefined : decodeLock(bytes))?.durable ?? 0;
}

async function readLock(directory: StoreDirectory, epoch: number): Promise<Buffer | undefined> {
  let file: OpenFile | undefined;
  try {
    // not by the rules for other files: this one has two names for a moment
    file = await directory.fs.openForReading(directory.join(lockName(epoch)));
    const bytes = Buffer.alloc(LOCK_BYTES);
    return bytes.subarray(0, await readFully(file, bytes, 0));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  } finally {
    if (file !== undefined) await closeQuietly(file);
  }
}

export async function lockedError(
  directory: StoreDirectory,
  epoch: number,
  { machine }: LockPorts,
): Promise<CheckpointError> {
  const bytes = await readLock(directory, epoch);
  const record = bytes === undefined ? undefined : decodeLock(bytes);
  const who =
    record === undefined
      ? 'another process'
      : record.pid === machine.self.pid && record.started === machine.self.started
        ? `another store of this process (${record.pid})`
        : `process ${record.pid} on ${record.host}, last sign of life ${record.at}`;
  return new CheckpointError(
    'CHECKPOINT_LOCKED',
    `${directory.path} is in use by ${who}: give each process a directory of its own, or end that one first.`,
  );
}
