#!/usr/bin/env node
import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { CheckpointInfo, VerifyReport } from '../../checkpoint-store.js';
import { reasonOf } from './failures.js';
import { isKeyError, Keyring } from './keyring.js';
import { nodeFileSystem } from './node-file-system.js';
import { verifyDirectory } from './verify.js';

const USAGE = `bulwark-verify <directory>

Reads and checks the checkpoints and the journal in a directory, changes nothing, and may run beside
the application that uses it. Ends with 0 if all is whole, 1 if something is damaged, 2 if it could not look.

The keys of a sealed directory are taken from the environment: BULWARK_INTEGRITY_KEY and
BULWARK_ENCRYPTION_KEY, each 64 hex digits, or several of those with commas between. Without them only the
checksums of its journal can be checked.
`;

const size = (bytes: number): string =>
  bytes < 10_000
    ? `${bytes} B`
    : bytes < 1e7
      ? `${(bytes / 1e3).toFixed(1)} kB`
      : `${(bytes / 1e6).toFixed(1)} MB`;

const linesOf = ({
  id,
  named,
  createdAt,
  sequence,
  bytes,
  components,
}: CheckpointInfo): string[] => [
  `${named ? 'named' : 'generation'} ${id}, made ${new Date(createdAt).toISOString()}, after entry ${sequence}, ${size(bytes)}`,
  ...components.map(
    ({ component, meta, bytes }) => `    ${component}: ${size(bytes)} ${JSON.stringify(meta)}`,
  ),
];

/** What a look showed, for people. */
export function describeReport(
  { ok, checkpoints, journal, findings }: VerifyReport,
  whole = 'everything is whole',
): string {
  const entries =
    journal.to >= journal.from ? `entries ${journal.from} to ${journal.to}` : 'no entries';
  const lines = [
    ...checkpoints.flatMap(linesOf),
    `journal: ${entries}, ${size(journal.bytes)}`,
    ...findings.map(({ level, file, problem }) => `${level}: ${file}: ${problem}`),
    ok ? whole : 'DAMAGED',
  ];
  return `${lines.join('\n')}\n`;
}

/** The command; answers its exit code. */
export async function verifyCommand(
  args: readonly string[],
  say: (text: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<0 | 1 | 2> {
  const [directory] = args;
  if (directory === undefined || args.length > 1 || directory.startsWith('-')) {
    say(USAGE);
    return 2;
  }
  try {
    const keys = keysFrom(env);
    try {
      const report = await verifyDirectory(directory, nodeFileSystem, keys);
      say(describeReport(report));
      return report.ok ? 0 : 1;
    } catch (error) {
      if (!isKeyError(error) || keys !== Keyring.none) throw error;
      const report = await verifyDirectory(directory, nodeFileSystem, Keyring.blind);
      say(describeReport(report, 'nothing damaged that can be told without the key'));
      return report.ok ? 2 : 1;
    }
  } catch (error) {
    say(`${reasonOf(error)}\n`);
    return 2;
  }
}

function keysFrom(env: NodeJS.ProcessEnv): Keyring {
  const read = (name: string): Buffer[] | undefined => {
    const texts = env[name]?.split(',').map((text) => text.trim());
    if (texts?.every((text) => /^[0-9a-f]{64}$/i.test(text)) === false) {
      throw new Error(`${name} is no key: 64 hex digits, or several of those with commas between`);
    }
    return texts?.map((text) => Buffer.from(text, 'hex'));
  };
  return Keyring.of({
    integrityKey: read('BULWARK_INTEGRITY_KEY'),
    encryptionKey: read('BULWARK_ENCRYPTION_KEY'),
  });
}

const [, script, ...args] = process.argv;
// `npx` starts it through a link
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  process.exitCode = await verifyCommand(args, (text) => process.stdout.write(text));
}
