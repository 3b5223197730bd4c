import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where a node keeps its state, and for how long. */
export interface DataDirectory {
  readonly path: string;
  /** Whether the user named it: then it is theirs, and stays. Else it goes when this process ends. */
  readonly named: boolean;
}

/** The one that was named, or a new one for this run only: who names none expects a fresh chain. */
export async function dataDirectory(name?: string): Promise<DataDirectory> {
  if (name !== undefined && name !== '') return { path: resolve(name), named: true };
  const path = await mkdtemp(join(tmpdir(), 'banking-stage-'));
  process.once('exit', () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return { path, named: false };
}
