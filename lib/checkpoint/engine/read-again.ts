import type { EventBody } from '../../kernel/event.js';
import type { StoreContents } from '../checkpoint-store.js';
import { Recovered } from '../component/recovered.js';
import { adopt, prepare } from './adopt.js';
import { loadContents } from './load.js';
import { inOrder } from './order.js';
import type { Reading } from './reading.js';

/**
 * Opens a store that has failed, and gives all components the state that is on disk.
 *
 * @param atRest resolves when no method that was called off changes anything in place any more
 */
export async function readAgain(
  { store, codec, values, components }: Reading,
  atRest: () => Promise<void>,
): Promise<StoreContents> {
  // it has not failed itself where a component did
  if (store.state === 'open') await store.close();
  const contents = await store.open();
  const recovered = await loadContents(contents, codec, values);
  await atRest();
  for (const component of inOrder([...components.values()])) {
    const known = recovered.get(component.name) ?? new Recovered(component.name, values);
    await adopt(component, prepare(component, known, values), values);
    component.pending = undefined;
    component.isSaved = known.meta !== undefined;
    component.unsaved = known.journaled;
  }
  return contents;
}

/** Tells what was found. */
export function recoveredEvent({ sequence, report }: StoreContents): EventBody {
  return {
    type: 'checkpoint-recovered',
    target: 'checkpoint',
    sequence,
    tailTruncatedBytes: report.tailTruncatedBytes,
    skipped: report.skipped.length,
  };
}
