import type { CheckpointInfo } from '../../checkpoint/checkpoint-store.js';
import { type AutomaticKind, automaticKindOf } from '../../checkpoint/automatic-names.js';

/** How many backups made by themselves are kept, and how large they may be together. */
export interface Retention {
  readonly maxBackups: number;
  readonly maxBackupBytes?: number | undefined;
}

/**
 * The backups made by themselves that are too many: each kind has its own count, for backups by the
 * hour must not push out the evidence of a corruption. For the same reason that comes first where
 * room is short. The newest of all is never among them.
 *
 * @param backups newest first
 */
export function beyond(
  backups: readonly CheckpointInfo[],
  { maxBackups, maxBackupBytes = Infinity }: Retention,
): string[] {
  const counts = new Map<AutomaticKind, number>();
  let bytes = 0;
  const doomed: string[] = [];
  const automatic = backups.filter(isAutomatic);
  const [evidence, others] = [
    automatic.filter(isEvidence),
    automatic.filter((b) => !isEvidence(b)),
  ];
  for (const backup of [...evidence, ...others]) {
    const { id, bytes: size } = backup;
    const kind = automaticKindOf(id)!;
    const count = (counts.get(kind) ?? 0) + 1;
    if (backup !== automatic[0] && (count > maxBackups || bytes + size > maxBackupBytes)) {
      doomed.push(id);
      continue;
    }
    counts.set(kind, count);
    bytes += size;
  }
  return doomed;
}

function isAutomatic({ named, id }: CheckpointInfo): boolean {
  return named && automaticKindOf(id) !== undefined;
}

function isEvidence({ id }: CheckpointInfo): boolean {
  return automaticKindOf(id) === 'quarantine';
}
