import { strict as assert } from 'node:assert';
import type {
  CheckpointStore,
  PartToSave,
  SavedPart,
  StoreContents,
} from '../../checkpoint/checkpoint-store.js';
import type { CheckpointErrorCode } from '../../checkpoint/checkpoint.error.js';

/** A promise of every store, and how it is tried. */
export type Case = readonly [name: string, run: (store: CheckpointStore) => Promise<void>];

export const text = (value: string): Buffer => Buffer.from(value);

export const part = (component: string, state: string): PartToSave => ({
  component,
  meta: { height: state.length },
  pieces: [text(state)],
});

export async function read(saved: SavedPart | undefined): Promise<string> {
  assert.ok(saved, 'the part is there');
  const pieces: Uint8Array[] = [];
  for await (const piece of saved.pieces()) pieces.push(piece);
  const all = Buffer.concat(pieces);
  assert.equal(saved.bytes, all.length);
  return all.toString();
}

export async function entriesOf(contents: StoreContents): Promise<[number, string][]> {
  const entries: [number, string][] = [];
  for await (const { sequence, entry } of contents.entries()) {
    entries.push([sequence, Buffer.from(entry).toString()]);
  }
  return entries;
}

export async function append(store: CheckpointStore, ...entries: string[]): Promise<void> {
  await Promise.all(entries.map((entry) => store.append(text(entry)).durable));
}

export async function reopen(store: CheckpointStore): Promise<StoreContents> {
  await store.close();
  return store.open();
}

/** Whether something is refused with this word. */
export const refusedWith =
  (code: CheckpointErrorCode) =>
  (error: unknown): boolean => {
    const { name, code: found } = error as { name?: unknown; code?: unknown };
    assert.deepEqual([name, found], ['CheckpointError', code], String(error));
    return true;
  };
