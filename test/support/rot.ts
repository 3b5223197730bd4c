import { readFile, writeFile } from 'node:fs/promises';

/** Where the zeros begin that go on to the end of a file: journals have some behind their last batch. */
export const contentEnd = (bytes: Uint8Array): number =>
  bytes.findLastIndex((byte) => byte !== 0) + 1;

/** Flips one bit in the middle of what a file holds. */
export async function rotInTheMiddle(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[Math.floor(contentEnd(bytes) / 2)]! ^= 0x10;
  await writeFile(path, bytes);
}
