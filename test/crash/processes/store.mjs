// The built store, as the processes of these tests use it.
export { FileCheckpointStore } from '../../../dist/checkpoint/stores/file/file-checkpoint-store.js';
export { verifyDirectory } from '../../../dist/checkpoint/stores/file/verify.js';
export { nodeFileSystem } from '../../../dist/checkpoint/stores/file/node-file-system.js';

export const entryText = (sequence) => `entry ${sequence} ${'x'.repeat(sequence % 50)}`;
export const stateText = (sequence) => `state at ${sequence} ${'y'.repeat(sequence % 3_000)}`;

/** Throws if what was recovered is not what the writer wrote; answers the last entry. */
export async function check(contents) {
  const part = contents.parts.get('ledger');
  if (part !== undefined) {
    const pieces = [];
    for await (const piece of part.pieces()) pieces.push(piece);
    const state = Buffer.concat(pieces).toString();
    if (state !== stateText(part.sequence)) throw new Error(`state ${part.sequence}: ${state}`);
  }
  if (contents.lost.size > 0) throw new Error(`lost ${[...contents.lost]}`);
  let next = (part?.sequence ?? 0) + 1;
  for await (const { sequence, entry } of contents.entries()) {
    const text = Buffer.from(entry).toString();
    if (sequence !== next || text !== entryText(next)) throw new Error(`${sequence}: ${text}`);
    next += 1;
  }
  if (next !== contents.sequence + 1) throw new Error(`ends at ${next - 1}`);
  return contents.sequence;
}
