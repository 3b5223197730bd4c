// `node --import ./test/support/typescript.mjs test/crash/crash-runs.ts <first seed> <how many> [cover | where]`: crash runs outside jest, in
// which every await costs five times as much. Says as JSON what was interrupted how often, and what calls there were.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { observeFileSystem } from '../../lib/testing/checkpoint/observe-file-system.js';
import { seededRandom } from '../../lib/testing/seeded-random.js';
import { crashRun, type CrashRunOptions, type Interrupted } from './crash-run.js';
import { roleOf } from './roles.js';

const [first = 1, count = 1_000] = process.argv.slice(2, 4).map(Number);
/** So many runs tell which calls there are at all; each is then interrupted. */
const how = process.argv[4];
const WATCHED = how === 'cover' ? 300 : 0;
/** How often each of them is interrupted at least. */
const ENOUGH = 3;

/** The names and salts of the store, which nobody may guess, fall by the seed as well: a seed does the same each time. */
let dice = seededRandom(0);
crypto.randomBytes = ((length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i += 1) bytes[i] = dice() * 256;
  return bytes;
}) as typeof crypto.randomBytes;
syncBuiltinESMExports();

const interrupted: Record<string, number> = {};
const made = new Set<Interrupted>();

/** Notes the calls by what they are about, as far as one can tell from outside. */
const watching: CrashRunOptions['wrap'] = (fs, phase) => {
  const begins = new Map<string, Buffer>();
  return observeFileSystem(fs, (call, proceed) => {
    const { call: kind, path, bytes } = call;
    if (kind === 'close') return proceed(); // nothing happens that could be interrupted
    if (kind === 'write' && !begins.has(path)) begins.set(path, Buffer.from(bytes!));
    const isOpen = ['write', 'read', 'datasync', 'sync'].includes(kind);
    const role = roleOf(isOpen ? { ...call, content: begins.get(path) } : call);
    const at: Interrupted = `${phase()}: ${role}`;
    const answer = proceed();
    // what comes after the end is no call any more
    const note = (): void => void (fs.isOff || made.add(at));
    answer.then(note, note);
    return answer;
  });
};

const run = (seed: number, options: CrashRunOptions): Promise<number> => {
  dice = seededRandom(~seed);
  return crashRun(seed, options);
};

let crashes = 0;
const onCrash = (at: string): void => void (interrupted[at] = (interrupted[at] ?? 0) + 1);

async function crashed(seed: number, options: CrashRunOptions): Promise<void> {
  try {
    // an error is an everyday thing here, and its stack is dear
    Error.stackTraceLimit = 0;
    crashes += await run(seed, { ...options, onCrash });
  } catch (failure) {
    Error.stackTraceLimit = 50;
    const again: unknown = await run(seed, options).catch((error: unknown) => error);
    const { stack } = (again instanceof Error ? again : failure) as Error;
    const where = target === undefined ? '' : `"${target}"`;
    const command = `node --import ./test/support/typescript.mjs test/crash/crash-runs.ts`;
    process.stderr.write(`${command} ${seed} 1 ${where}\n${stack}\n`);
    process.exit(1);
  }
}

let target = how === 'cover' ? undefined : (how as Interrupted | undefined);
const atTarget = (at: Interrupted): boolean => at === target;
for (let seed = first; seed < first + count; seed += 1) {
  const watched = seed - first < WATCHED ? { wrap: watching } : {};
  await crashed(seed, target === undefined ? watched : { crashWhen: atTarget });
}
// chance comes seldom to the rare ones, and never to those that change nothing
for (target of made) {
  for (let seed = first; seed < first + 2 * WATCHED; seed += 1) {
    if ((interrupted[target] ?? 0) >= ENOUGH) break;
    await crashed(seed, { crashWhen: atTarget });
  }
}
process.stdout.write(JSON.stringify({ crashes, interrupted, made: [...made].toSorted() }));
