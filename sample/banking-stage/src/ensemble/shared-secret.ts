import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the keys of a cluster are made from: with it anybody is any of its validators. */
export async function sharedSecret(directory: string): Promise<string> {
  const file = join(directory, 'validators.secret');
  try {
    await writeFile(file, randomBytes(32).toString('hex'), {
      flag: 'wx',
      mode: 0o600,
      flush: true,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const secret = await readFile(file, 'utf8');
  if (!/^[0-9a-f]{64}$/.test(secret)) throw new Error(`${file} holds no secret`);
  return secret;
}
