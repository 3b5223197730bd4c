import type { OpenReport, SavedPart } from '../../checkpoint-store.js';
import type { Manifest, ManifestPart } from './manifest.js';
import { problemOfState, savedPart } from './state-file.js';
import type { StoreDirectory } from './store-directory.js';

/** The newest usable state of each component. */
export interface Choice {
  readonly parts: ReadonlyMap<string, SavedPart>;
  readonly lost: ReadonlyMap<string, string>;
  readonly skipped: OpenReport['skipped'];
}

/**
 * Finds for each component of the newest generation the newest file that is whole. An older one is as good
 * as a newer one, only slower: the journal since is complete.
 *
 * @param usable newest first, none from before a barrier, each with all of the journal since
 */
export async function chooseStates(
  directory: StoreDirectory,
  names: ReadonlySet<string>,
  usable: readonly Manifest[],
): Promise<Choice> {
  const parts = new Map<string, SavedPart>();
  const lost = new Map<string, string>();
  const skipped: { file: string; reason: string }[] = [];
  const looked = new Map<string, string | undefined>();

  const problemOf = async (name: string, part: ManifestPart): Promise<string | undefined> => {
    if (looked.has(name)) return looked.get(name);
    const problem = names.has(name) ? await problemOfState(directory, name, part) : 'it is missing';
    looked.set(name, problem);
    if (problem !== undefined) skipped.push({ file: name, reason: problem });
    return problem;
  };

  const find = async (component: string): Promise<SavedPart | string> => {
    const reasons: string[] = [];
    for (const manifest of usable) {
      const part = manifest.parts.find((one) => one.component === component);
      // where it was gone for a while, what was before is not its past
      if (part === undefined) break;
      for (const name of part.files) {
        const problem = await problemOf(name, part);
        if (problem === undefined) return savedPart(directory, name, part, manifest);
        const reason = `${name}: ${problem}`;
        if (!reasons.includes(reason)) reasons.push(reason);
      }
    }
    return reasons.join('; ');
  };

  for (const { component } of usable[0]?.parts ?? []) {
    const found = await find(component);
    if (typeof found === 'string') lost.set(component, found);
    else parts.set(component, found);
  }
  return { parts, lost, skipped };
}
