import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from './file-system.js';
import type { Machine } from './machine.js';

const orEmpty = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return ''; // not Linux, or /proc is hidden
  }
};

/** Field 22 of `/proc/<pid>/stat`; the name before it may hold anything, so count from its end. */
const startMark = (pid: number | 'self'): string =>
  orEmpty(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  });

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH'; // of another user: it runs
  }
}

/** A zombie has ended, and only its parent has not looked yet. */
const isZombie = (pid: number): boolean =>
  orEmpty(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  }) === 'Z';

/** This process on this machine. */
export const nodeMachine: Machine = {
  self: {
    host: hostname(),
    boot: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')),
    pidNamespace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    started: startMark('self'),
  },
  startOf: (pid) => (isRunning(pid) && !isZombie(pid) ? startMark(pid) : undefined),
  uptime: () => Number(process.hrtime.bigint() / 1_000_000n),
};
