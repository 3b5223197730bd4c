import { readFile, writeFile } from 'node:fs/promises';

/** Flips one bit in the middle of a file; zeros behind its end, as journals have them, are no part of it. */
export async function rotInTheMiddle(path: string): Promise<void> {
  const bytes = await readFile(path);
  const end = bytes.findLastIndex((byte) => byte !== 0);
  bytes[Math.floor(end / 2)]! ^= 0x10;
  await writeFile(path, bytes);
}
