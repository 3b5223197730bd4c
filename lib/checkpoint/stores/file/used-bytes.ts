import { NAMED } from './file-names.js';
import type { StoreDirectory } from './store-directory.js';

/** The bytes of all files of a store: journal, generations, and what has a name. */
export async function usedBytes(root: StoreDirectory): Promise<number> {
  let bytes = await bytesIn(root);
  const named = await root.inside(NAMED);
  for (const name of (await named?.list()) ?? []) {
    const directory = await named!.inside(name);
    if (directory !== undefined) bytes += await bytesIn(directory);
  }
  return bytes;
}

async function bytesIn(directory: StoreDirectory): Promise<number> {
  let bytes = 0;
  for (const name of await directory.list()) {
    const info = await directory.look(name);
    if (info?.kind === 'file') bytes += info.size;
  }
  return bytes;
}
