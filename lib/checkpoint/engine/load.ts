import { CheckpointError } from '../checkpoint.error.js';
import type { SavedPart, StoreContents } from '../checkpoint-store.js';
import { FORMAT, type EntryData } from '../component/format.js';
import { Recovered, replay } from '../component/recovered.js';
import type { Codec } from '../value/codec.js';
import type { Values } from '../value/values.js';

/** What all components were when the store was left, or as much of them as is told. */
export async function loadContents(
  contents: StoreContents,
  codec: Codec,
  values: Values,
): Promise<Map<string, Recovered>> {
  const found = await loadParts(contents.parts, codec, values);
  for await (const { sequence, entry } of contents.entries()) {
    replay(entryFrom(codec.decode(entry)), (name) => {
      if (contents.lost.has(name)) return undefined;
      if (sequence <= (contents.parts.get(name)?.sequence ?? 0)) return undefined;
      const known = found.get(name) ?? new Recovered(name, values);
      found.set(name, known);
      known.journaled += 1;
      return known;
    });
  }
  return found;
}

/** The saved states of a checkpoint. */
export async function loadParts(
  parts: ReadonlyMap<string, SavedPart>,
  codec: Codec,
  values: Values,
): Promise<Map<string, Recovered>> {
  const found = new Map<string, Recovered>();
  for (const [name, part] of parts) {
    const recovered = new Recovered(name, values);
    await recovered.load(part, codec);
    found.set(name, recovered);
  }
  return found;
}

/** An entry as it was encoded. @throws CheckpointError `CHECKPOINT_VERSION` */
export function entryFrom(data: unknown): EntryData {
  const [format] = data as EntryData;
  if (format === FORMAT) return data as EntryData;
  const message = `an entry of the journal has format ${String(format)}, and this code knows ${FORMAT}`;
  throw new CheckpointError('CHECKPOINT_VERSION', message);
}
