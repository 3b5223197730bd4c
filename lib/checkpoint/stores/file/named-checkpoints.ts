import type { Clock } from '../../../kernel/clock.js';
import type { CheckpointInfo, PartToSave, Sequence } from '../../checkpoint-store.js';
import { automaticKindOf } from '../../automatic-names.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { isSafeName } from '../../safe-name.js';
import { assertUntaken, newestFirst, unknown } from '../store-checks.js';
import { Budget } from './budget.js';
import { NAMED, NAMED_MANIFEST, parseFileName, temporaryName } from './file-names.js';
import { codeOf } from './file-system.js';
import { FOREIGN, readManifest } from './generations.js';
import { isKeyError } from './keyring.js';
import { infoOf, type Manifest, type ManifestPart } from './manifest.js';
import { makeManifest, makeState } from './state-writer.js';
import type { StoreDirectory } from './store-directory.js';
import { usedBytes } from './used-bytes.js';

/** The directory of a checkpoint with a name, and its manifest. */
export interface NamedCheckpoint {
  readonly directory: StoreDirectory;
  readonly manifest: Manifest;
}

/** One that cannot be read. */
export interface BadNamed {
  readonly name: string;
  readonly problem: string;
  /** Why, if it is a matter of keys and not of damage. */
  readonly error?: CheckpointError;
}

/**
 * Looks at all checkpoints with a name. Directories with other names than ours are none.
 *
 * @param store with keys only those of this store: who can write here may have put there one of another
 */
export async function readNamed(
  root: StoreDirectory,
  store?: string,
): Promise<{ readonly whole: NamedCheckpoint[]; readonly bad: BadNamed[] }> {
  const whole: NamedCheckpoint[] = [];
  const bad: BadNamed[] = [];
  const named = await root.inside(NAMED);
  for (const name of named === undefined ? [] : (await named.list()).toSorted()) {
    if (!isSafeName(name) || parseFileName(name)?.kind === 'temporary') continue;
    const found = await readOrRefuse(named!, name);
    if (found === undefined) continue;
    const isForeign =
      'manifest' in found &&
      root.keys.writing !== undefined &&
      store !== undefined &&
      found.manifest.store !== store;
    if (isForeign) bad.push({ name, problem: FOREIGN });
    else if ('manifest' in found) whole.push(found);
    else bad.push(found);
  }
  return { whole, bad };
}

/** One whose key is not given is none of the others' concern. */
async function readOrRefuse(
  named: StoreDirectory,
  name: string,
): Promise<NamedCheckpoint | BadNamed | undefined> {
  try {
    const found = await readOne(named, name);
    return typeof found === 'string' ? { name, problem: found } : found;
  } catch (error) {
    if (isKeyError(error)) return { name, problem: error.message, error };
    throw error;
  }
}

async function readOne(
  named: StoreDirectory,
  name: string,
): Promise<NamedCheckpoint | string | undefined> {
  const directory = await named.inside(name);
  if (directory === undefined) return 'it is not a plain directory';
  try {
    const manifest = await readManifest(directory, NAMED_MANIFEST);
    if (typeof manifest === 'string') return manifest;
    return manifest.name === name ? { directory, manifest } : 'it is that of another name';
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    // removed while we looked, or never one
    return (await named.inside(name)) === undefined ? undefined : 'it has no manifest';
  }
}

/** The names under `named/`, whatever they stand for; none if there is no such directory. */
async function takenNames(root: StoreDirectory): Promise<string[]> {
  return (await (await root.inside(NAMED))?.list()) ?? [];
}

export interface NamedCut {
  readonly store: string;
  readonly epoch: number;
  readonly sequence: Sequence;
  readonly createdAt: number;
}

/** How much room checkpoints with a name may take. */
export interface NamedLimits {
  /** The bytes that the whole directory may have when one has been made. */
  readonly maxBytes: number | undefined;
  /** How many are kept. */
  readonly retain: number | undefined;
}

/**
 * Makes a checkpoint with a name: complete in a directory with another name first, which is then renamed.
 *
 * @throws CheckpointError `CHECKPOINT_EXISTS`, `CHECKPOINT_NAME`, `CHECKPOINT_QUOTA`
 */
export async function createNamed(
  root: StoreDirectory,
  name: string,
  parts: readonly PartToSave[],
  cut: NamedCut,
  clock: Clock,
  assertOwned: () => Promise<void>,
  maxBytes?: number,
): Promise<CheckpointInfo> {
  const taken = await takenNames(root);
  assertUntaken(name, taken);
  const budget = maxBytes === undefined ? undefined : new Budget(await usedBytes(root), maxBytes);
  const named = await namedDirectory(root);
  const temporary = temporaryName();
  await named.fs.makeDirectory(named.join(temporary));
  try {
    const directory = (await named.inside(temporary))!.limitedTo(budget);
    const place = { directory, store: cut.store, generation: 0, epoch: 0 };
    const saved: ManifestPart[] = [];
    for (const part of parts) saved.push(await makeState(place, part, 1, clock));
    const manifest = { ...cut, generation: 0, barrier: 0, name, parts: saved };
    await makeManifest(directory, [NAMED_MANIFEST], manifest);
    await directory.sync();
    await assertOwned();
    await named.fs.rename(named.join(temporary), named.join(name));
    await named.sync();
    return infoOf(manifest);
  } catch (error) {
    await removeDirectory(named, temporary).catch(() => {}); // the next owner removes it
    throw error;
  }
}

/** Removes the oldest of this store beyond so many, never `newest`. What cannot be removed now is the next time. */
export async function retainNamed(
  root: StoreDirectory,
  store: string,
  retain: number,
  newest: string,
): Promise<void> {
  const { whole } = await readNamed(root, store);
  const others = whole
    .filter(({ manifest }) => manifest.store === store && manifest.name !== newest)
    // recovery looks after its own
    .filter(({ manifest }) => automaticKindOf(manifest.name!) === undefined)
    .map(({ manifest }) => infoOf(manifest))
    .toSorted(newestFirst);
  for (const { id } of others.slice(retain - 1)) await removeNamed(root, id);
}

async function namedDirectory(root: StoreDirectory): Promise<StoreDirectory> {
  try {
    await root.fs.makeDirectory(root.join(NAMED));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  await root.sync();
  const named = await root.inside(NAMED);
  if (named !== undefined) return named;
  throw new CheckpointError('CHECKPOINT_IO', `${root.join(NAMED)} is not a plain directory.`);
}

/**
 * Removes a checkpoint with a name: out of sight in one step, then its files.
 *
 * @throws CheckpointError `CHECKPOINT_UNKNOWN`
 */
export async function removeNamed(root: StoreDirectory, name: string): Promise<void> {
  const named = await root.inside(NAMED);
  const found = named === undefined ? undefined : await readOne(named, name);
  if (typeof found === 'string') {
    throw new CheckpointError(
      'CHECKPOINT_UNKNOWN',
      `${root.join(NAMED)}/${name} is not removed, since it cannot be told whether it is ours: ${found}.`,
    );
  }
  if (found === undefined) throw unknown(name);
  const temporary = temporaryName();
  await named!.fs.rename(named!.join(name), named!.join(temporary));
  await named!.sync();
  await removeDirectory(named!, temporary).catch(() => {}); // the next owner removes it
}

/** Removes a directory that holds nothing but files of ours; false if somebody has put others there, which stay. */
export async function removeDirectory(parent: StoreDirectory, name: string): Promise<boolean> {
  const directory = await parent.inside(name);
  if (directory === undefined) return false;
  let others = false;
  for (const file of await directory.list()) {
    const isOurs = file === NAMED_MANIFEST || parseFileName(file) !== undefined;
    if (isOurs && (await directory.look(file))?.kind === 'file') {
      await directory.remove(file);
    } else others = true;
  }
  if (!others) await parent.fs.removeDirectory(parent.join(name));
  return !others;
}
