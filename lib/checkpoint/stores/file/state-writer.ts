import type { Clock } from '../../../kernel/clock.js';
import type { PartMeta } from '../../checkpoint-store.js';
import { damaged } from './failures.js';
import { stateName, temporaryName } from './file-names.js';
import type { OpenFile } from './file-system.js';
import { encodeManifest, type Manifest, type ManifestPart } from './manifest.js';
import { readsBack, writeWhole, type WrittenFile } from './chunked-file.js';
import { copyState, type Pieces, purposeOf, writeState } from './state-file.js';
import { closeQuietly, type StoreDirectory } from './store-directory.js';

/** Where a checkpoint's files go, and the numbers in their names. */
export interface Place {
  readonly directory: StoreDirectory;
  readonly store: string;
  readonly generation: number;
  readonly epoch: number;
}

/** A state on its way to a file. */
export interface StateToMake {
  readonly component: string;
  readonly meta: PartMeta;
  readonly pieces: Pieces;
}

/**
 * Makes a file that has its name only when it is whole: written under another, synced, read back and
 * compared. What goes wrong leaves nothing behind.
 */
export async function makeFile<T extends WrittenFile>(
  directory: StoreDirectory,
  name: string,
  write: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const temporary = temporaryName();
  const created = await directory.fs.create(directory.join(temporary));
  const file = directory.budget?.limit(created) ?? created;
  try {
    const written = await write(file);
    if (!(await readsBack(file, written))) {
      throw damaged(`${directory.join(name)} was not read back as it was written.`);
    }
    await file.close();
    await directory.fs.rename(directory.join(temporary), directory.join(name));
    return written;
  } catch (error) {
    await closeQuietly(file);
    await directory.remove(temporary).catch(() => {}); // the next owner removes it
    throw error;
  }
}

/** Writes the state of one component, twice if `copies` is 2. */
export async function makeState(
  place: Place,
  part: StateToMake,
  copies: 1 | 2,
  clock: Clock,
): Promise<ManifestPart> {
  const { directory, store, generation, epoch } = place;
  const { component, meta } = part;
  const key = directory.keys.writing;
  const name = stateName(generation, epoch, 1, component);
  const { bytes, fileBytes, sha256 } = await makeFile(directory, name, (file) =>
    writeState(file, part.pieces, clock, key, purposeOf(store, part)),
  );
  const seal = key === undefined ? {} : { seal: key.mark };
  const made: ManifestPart = { component, meta, bytes, files: [name], fileBytes, sha256, ...seal };
  return copies === 1 ? made : withSecondCopy(place, made);
}

/** Writes the state that a part has a second time, if it is there only once. */
export async function withSecondCopy(
  { directory, generation, epoch }: Place,
  part: ManifestPart,
): Promise<ManifestPart> {
  const [first] = part.files;
  if (part.files.length > 1) return part;
  const { file, problem } = await directory.open(first!);
  if (file === undefined) throw damaged(`${directory.join(first!)} cannot be used: ${problem}.`);
  try {
    const name = stateName(generation, epoch, 2, part.component);
    const copy = await makeFile(directory, name, (to) => copyState(file, part.fileBytes, to));
    if (copy.sha256 === part.sha256) return { ...part, files: [first!, name] };
    await directory.remove(name);
    throw damaged(`${directory.join(first!)} is not any more what was written.`);
  } finally {
    await closeQuietly(file);
  }
}

/** Publishes a checkpoint under the names of its manifest; it is durable once the directory is synced. */
export async function makeManifest(
  directory: StoreDirectory,
  names: readonly string[],
  manifest: Manifest,
): Promise<void> {
  const bytes = encodeManifest(manifest, directory.keys.writing);
  for (const name of names) {
    await makeFile(directory, name, (file) => writeWhole(file, bytes));
  }
}
