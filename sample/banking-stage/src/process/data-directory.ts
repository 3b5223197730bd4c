import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where a node keeps its state, and for how long. */
export interface DataDirectory {
  readonly path: string;
  /** Whether it was named by the user: then it is theirs, and stays. */
  readonly named: boolean;
  /** Removes what nobody named. */
  remove(): Promise<void>;
}

/** The one that was named, or a new one for this run only: who names none expects a fresh chain. */
export async function dataDirectory(name: string | undefined): Promise<DataDirectory> {
  if (name !== undefined && name !== '') {
    return { path: resolve(name), named: true, remove: async () => {} };
  }
  const path = await mkdtemp(join(tmpdir(), 'banking-stage-'));
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true });
  return { path, named: false, remove };
}
