// `node --import ./test/support/typescript.mjs test/crash/golden/make-application.ts <directory>`: writes what
// golden-application.spec.ts reads. Once for each version of the format of entries and pieces, never over an old one.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { live, open } from './application.js';

const [, , directory] = process.argv;
if (directory === undefined) throw new Error('the directory to write to is missing');
const application = await open(directory);
await live(application);
// as if it were killed: the half that is only in the journal stays there; who held the lock is nobody's business
for (const name of readdirSync(directory))
  if (name.startsWith('lock-')) rmSync(join(directory, name));
process.exit(0);
