import { isSafeName } from '../../checkpoint/safe-name.js';
import type { Clock } from '../../kernel/clock.js';
import { RecoveryError } from '../recovery.error.js';

/** The names that are given to backups made by themselves, by what they are for. */
export const AUTOMATIC = {
  scheduled: 'scheduled-',
  beforeRestore: 'before-restore-',
  quarantine: 'quarantine-',
} as const;

export type AutomaticKind = keyof typeof AUTOMATIC;

/** What a backup made by itself is for; undefined for one with a name of somebody's. */
export function kindOf(name: string): AutomaticKind | undefined {
  const kinds = Object.keys(AUTOMATIC) as AutomaticKind[];
  return kinds.find((kind) => name.startsWith(AUTOMATIC[kind]));
}

/** @throws RecoveryError `RECOVERY_NAME` */
export function checkBackupName(name: unknown): string {
  if (!isSafeName(name))
    throw new RecoveryError(
      'RECOVERY_NAME',
      'the name of a backup is 1 to 100 of A-Z a-z 0-9 . _ -, the first a letter or digit, no `..`, no dot at the end',
    );
  const isNumber = /^\d+$/.test(name);
  if (isNumber || kindOf(name) !== undefined)
    throw new RecoveryError(
      'RECOVERY_NAME',
      `the name of a backup is not a number and does not begin with ${Object.values(AUTOMATIC).join(', ')}: those are given by us`,
    );
  return name;
}

/** A name by the time that is not taken. */
export function timedName(
  prefix: string,
  clock: Pick<Clock, 'epoch'>,
  taken: ReadonlySet<string>,
): string {
  const time = new Date(clock.epoch()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  let name = `${prefix}${time}`;
  for (let n = 2; taken.has(name); n += 1) name = `${prefix}${time}-${n}`;
  return name;
}
