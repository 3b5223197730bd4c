// The lines of docs/recovery.md, typed into a shell against the application of its first block.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pathToFileURL } from 'node:url';
import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { blocks, documents, writeBlocks } from '../support/documents.js';

const run = promisify(execFile);
const PAGE = 'docs/recovery.md';
const lines = [...documents.get(PAGE)!.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block]) =>
  block!.trim().split('\n'),
);
const token = (): string => randomBytes(32).toString('hex');

let place: string;
let files: readonly string[];
let directory: string;
let app: INestApplication | undefined;

beforeAll(() => {
  ({ place, files } = writeBlocks());
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bulwark-docs-'));
  process.env['DATA_DIR'] = directory;
  for (const level of ['READ', 'OPERATE', 'DANGER']) process.env[`RECOVERY_${level}`] = token();
});
afterEach(async () => {
  await app?.close();
  rmSync(directory, { recursive: true });
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Loaded anew, so that it reads the environment of this test. */
async function load(i: number): Promise<Record<string, unknown>> {
  const own = blocks.map(({ document }, at) => [document, at] as const);
  const at = own.filter(([document]) => document === PAGE)[i]![1];
  const url = `${pathToFileURL(files[at]!).href}?${token()}`;
  return (await import(url)) as Record<string, unknown>;
}

/** What `curl` on this machine makes of a line, or where there is none, `fetch`. */
async function type(line: string, port: number): Promise<Record<string, unknown>> {
  const here = line.replace('localhost:3000', `127.0.0.1:${port}`);
  const { stdout } = await run('sh', ['-c', `${SHIM}\n${here}`], { env: process.env });
  return JSON.parse(stdout) as Record<string, unknown>;
}

const SHIM = `command -v curl >/dev/null || curl() { '${process.execPath}' -e '
  const args = process.argv.slice(1);
  const init = { method: "GET", headers: {} };
  let url;
  while (args.length > 0) {
    const arg = args.shift();
    if (arg === "-X") init.method = args.shift();
    else if (arg === "-d") init.body = args.shift();
    else if (arg === "-H") { const [name, ...value] = args.shift().split(": "); init.headers[name] = value.join(": "); }
    else if (!arg.startsWith("-")) url = "http://" + arg;
  }
  fetch(url, init).then((answer) => answer.text()).then((text) => process.stdout.write(text));
' -- "$@"; }`;

it.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
] as const)(
  'every line answers with success on %s, and the last one ends the application',
  async (_, adapter) => {
    const [module, main] = [await load(0), await load(1)];
    app = await NestFactory.create(module['BankModule'] as Type, adapter(), { logger: false });
    await (main['start'] as (app: INestApplication, port: number) => Promise<void>)(app, 0);
    const { port } = app.getHttpServer().address() as { port: number };
    expect(lines.length).toBe(8);

    const answers: Record<string, unknown>[] = [];
    for (const line of lines) answers.push(await type(line, port));

    expect(answers.map(({ success }) => success)).toEqual(lines.map(() => true));
    expect(answers[0]).toMatchObject({ recovery_status: { state: 'healthy' } });
    expect(answers[1]).toMatchObject({ backup_path: join(directory, 'named', 'manual_backup') });
    expect(answers[2]).toMatchObject({ is_corrupted: false, issue_count: 0 });
    expect(answers[4]).toMatchObject({
      message: 'Restored from backup: manual_backup',
      accounts: 1,
    });
    expect(answers[7]).toMatchObject({ message: 'Graceful shutdown initiated' });
    const server = app.getHttpServer() as { listening: boolean };
    while (server.listening) await new Promise((resolve) => setTimeout(resolve, 20));
  },
);
