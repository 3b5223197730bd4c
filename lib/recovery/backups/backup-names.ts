import { AUTOMATIC, automaticKindOf } from '../../checkpoint/automatic-names.js';
import { isSafeName } from '../../checkpoint/safe-name.js';
import type { Clock } from '../../kernel/clock.js';
import { RecoveryError } from '../recovery.error.js';

/** @throws RecoveryError `RECOVERY_NAME` */
export function checkBackupName(name: unknown): string {
  if (!isSafeName(name))
    throw new RecoveryError(
      'RECOVERY_NAME',
      'the name of a backup is 1 to 100 of A-Z a-z 0-9 . _ -, the first a letter or digit, no `..`, no dot at the end',
    );
  const isNumber = /^\d+$/.test(name);
  if (isNumber || automaticKindOf(name) !== undefined)
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
