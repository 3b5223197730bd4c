import type { CheckpointInfo, PartMeta } from '../checkpoint-store.js';
import { CheckpointError } from '../checkpoint.error.js';
import { firstCollision, isSafeName } from '../safe-name.js';

/** The most that one entry may have: 16 MiB. */
export const MAX_ENTRY_BYTES = 16 * 1024 * 1024;

/** @throws CheckpointError `CHECKPOINT_IO`, naming the size */
export function checkEntry(entry: Uint8Array): void {
  if (entry.length <= MAX_ENTRY_BYTES) return;
  throw new CheckpointError(
    'CHECKPOINT_IO',
    `An entry of ${entry.length} bytes is too large for the journal: at most ${MAX_ENTRY_BYTES} bytes are possible. ` +
      'Journal what changed, not the whole state, or split it.',
  );
}

/** @throws CheckpointError `CHECKPOINT_NAME` if these cannot be the parts of one checkpoint */
export function checkParts(
  parts: readonly { readonly component: string; readonly meta?: unknown }[],
): void {
  const bad = parts.find(({ component }) => !isSafeName(component));
  if (bad !== undefined) {
    throw new CheckpointError(
      'CHECKPOINT_NAME',
      `${shown(bad.component)} cannot be the name of a component: it becomes part of a file name, ` +
        'so 1 to 100 letters, digits, "." "_" "-", the first a letter or digit.',
    );
  }
  const twice = firstCollision(parts.map(({ component }) => component));
  if (twice !== undefined) {
    throw new CheckpointError(
      'CHECKPOINT_NAME',
      `Two components of one checkpoint are called "${twice}": some file systems do not tell upper case from lower.`,
    );
  }
  const odd = parts.find(({ meta }) => meta !== undefined && !isMeta(meta));
  if (odd !== undefined) {
    throw new TypeError(
      `The meta data of component "${odd.component}" must be a flat object of strings, finite numbers, booleans and null.`,
    );
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Flat and plain, so that it comes back from JSON as it was. */
export function isMeta(value: unknown): value is PartMeta {
  return (
    isRecord(value) &&
    Object.values(value).every(
      (field) =>
        field === null ||
        typeof field === 'string' ||
        typeof field === 'boolean' ||
        (typeof field === 'number' && Number.isFinite(field)),
    )
  );
}

/** Refused before anything looks at the disk. Digits alone are the numbers of generations. */
export function checkName(name: string): void {
  if (isSafeName(name) && !/^\d+$/.test(name)) return;
  throw new CheckpointError(
    'CHECKPOINT_NAME',
    `${shown(name)} cannot be the name of a checkpoint: 1 to 100 letters, digits, "." "_" "-", not digits alone, ` +
      'the first a letter or digit, no "..", no dot at the end, and no device of Windows such as "con".',
  );
}

/** @throws CheckpointError `CHECKPOINT_EXISTS`, `CHECKPOINT_NAME` for one that differs in case only */
export function assertUntaken(name: string, taken: readonly string[]): void {
  if (taken.includes(name)) {
    throw new CheckpointError('CHECKPOINT_EXISTS', `There is a checkpoint "${name}" already.`);
  }
  const like = taken.find((other) => other.toLowerCase() === name.toLowerCase());
  if (like === undefined) return;
  throw new CheckpointError(
    'CHECKPOINT_NAME',
    `There is a checkpoint "${like}", which some file systems do not tell from "${name}".`,
  );
}

/** @throws CheckpointError `CHECKPOINT_NAME` unless it can be a number of a generation or a name */
export function checkId(id: string): void {
  if (typeof id !== 'string' || !/^\d{1,15}$/.test(id)) checkName(id);
}

export const unknown = (id: string): CheckpointError =>
  new CheckpointError('CHECKPOINT_UNKNOWN', `There is no checkpoint "${id}".`);

/** The caller took a component for saved that is not. */
export const notSaved = (component: string): CheckpointError =>
  new CheckpointError(
    'CHECKPOINT_UNKNOWN',
    `Component "${component}" was said to be unchanged, but the newest checkpoint has no whole state of it: save it.`,
  );

/** The order of a list. By the journal first, since a wall clock may be set back. */
export function newestFirst(a: CheckpointInfo, b: CheckpointInfo): number {
  const byNumber = a.named || b.named ? 0 : Number(b.id) - Number(a.id);
  return b.sequence - a.sequence || byNumber || b.createdAt - a.createdAt;
}

/** @throws CheckpointError if the store is not one that can be opened now */
export function assertMayOpen(state: string): void {
  if (state !== 'open' && state !== 'opening') return;
  throw new CheckpointError('CHECKPOINT_EXISTS', `The store is ${state} already.`);
}

/** Of any value, a little. */
const shown = (name: unknown): string =>
  typeof name === 'string' ? JSON.stringify(name.slice(0, 120)) : `A ${typeof name}`;
