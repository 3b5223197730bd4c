import { crc32 } from 'node:zlib';
import { isRecord } from '../store-checks.js';
import type { Machine, ProcessIdentity } from './machine.js';

/** What an owner writes into its lock, again with each sign of life. */
export interface LockRecord extends ProcessIdentity {
  /** Tells this store from another of the same process. */
  readonly token: string;
  readonly epoch: number;
  /** Counts the signs of life. */
  readonly beat: number;
  /** The machine's uptime at the last one. */
  readonly uptime: number;
  /** The wall clock at the last one, for people. */
  readonly at: string;
  /**
   * An entry that was on the disk for sure at the last sign of life: a journal that ends before it has lost
   * some. After an orderly end that is the last entry of all.
   */
  readonly durable: number;
  /** Given up in order. */
  readonly released: boolean;
}

/** One sector, so that a record is never seen, or left by a crash, half new and half old. */
export const LOCK_BYTES = 512;

export function encodeLock(record: LockRecord): Buffer {
  const json = JSON.stringify({ ...record, host: record.host.slice(0, 64) });
  const crc = crc32(json).toString(16).padStart(8, '0');
  return Buffer.from(`${crc} ${json}`.padEnd(LOCK_BYTES - 1).concat('\n'));
}

/** Undefined if there is no telling: being written, or damaged. */
export function decodeLock(bytes: Buffer): LockRecord | undefined {
  const text = bytes.toString('utf8').trimEnd();
  const json = text.slice(9);
  if (text.slice(0, 8) !== crc32(json).toString(16).padStart(8, '0')) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return isLockRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Control characters, and those that turn the direction of writing. */
const CONTROL = /\p{C}/u;

/** No key guards it, so nothing in it is believed: what it says is shown, made a path of, and compared. */
function isLockRecord(value: unknown): value is LockRecord {
  if (!isRecord(value)) return false;
  const { host, boot, pidNamespace, pid, started, token, epoch, beat, uptime, at, durable } = value;
  return (
    [host, boot, pidNamespace, started, token, at].every(
      (text) => typeof text === 'string' && !CONTROL.test(text),
    ) &&
    [pid, epoch, beat, durable].every((n) => Number.isSafeInteger(n) && Number(n) >= 0) &&
    Number(pid) > 0 &&
    typeof uptime === 'number' &&
    typeof value.released === 'boolean'
  );
}

/** Whether the owner has ended for sure: only a process that shares our numbers can be told dead. */
export function isProvablyDead(record: LockRecord, machine: Machine): boolean {
  const { self } = machine;
  if (record.released) return true;
  if (record.boot !== self.boot || record.pidNamespace !== self.pidNamespace) return false;
  // without a boot mark the host's name has to do
  if (record.boot === '' && record.host !== self.host) return false;
  const started = machine.startOf(record.pid);
  return started === undefined || (record.started !== '' && started !== record.started);
}

/** How long ago the last sign of life was; undefined if that cannot be told from here. */
export const silenceOf = (record: LockRecord, machine: Machine): number | undefined =>
  record.boot !== '' && record.boot === machine.self.boot
    ? machine.uptime() - record.uptime
    : undefined;
