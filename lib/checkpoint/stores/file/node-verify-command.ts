#!/usr/bin/env node
import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { CheckpointInfo, VerifyReport } from '../../checkpoint-store.js';
import { reasonOf } from './failures.js';
import { nodeFileSystem } from './node-file-system.js';
import { verifyDirectory } from './verify.js';

const USAGE = `bulwark-verify <directory>

Reads and checks the checkpoints and the journal in a directory, changes nothing, and may run beside
the application that uses it. Ends with 0 if all is whole, 1 if something is damaged, 2 if it could not look.
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
export function describeReport({ ok, checkpoints, journal, findings }: VerifyReport): string {
  const entries =
    journal.to >= journal.from ? `entries ${journal.from} to ${journal.to}` : 'no entries';
  const lines = [
    ...checkpoints.flatMap(linesOf),
    `journal: ${entries}, ${size(journal.bytes)}`,
    ...findings.map(({ level, file, problem }) => `${level}: ${file}: ${problem}`),
    ok ? 'everything is whole' : 'DAMAGED',
  ];
  return `${lines.join('\n')}\n`;
}

/** The command; answers its exit code. */
export async function verifyCommand(
  args: readonly string[],
  say: (text: string) => void,
): Promise<0 | 1 | 2> {
  const [directory] = args;
  if (directory === undefined || args.length > 1 || directory.startsWith('-')) {
    say(USAGE);
    return 2;
  }
  try {
    const report = await verifyDirectory(directory, nodeFileSystem);
    say(describeReport(report));
    return report.ok ? 0 : 1;
  } catch (error) {
    say(`${reasonOf(error)}\n`);
    return 2;
  }
}

const [, script, ...args] = process.argv;
// `npx` starts it through a link
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  process.exitCode = await verifyCommand(args, (text) => process.stdout.write(text));
}
