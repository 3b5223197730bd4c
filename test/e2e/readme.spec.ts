// The README's promises about itself: its code compiles and runs, its defaults are the code's.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { transformSync } from '@swc/core';
import ts from 'typescript';
import {
  BULKHEAD_DEFAULTS,
  CIRCUIT_BREAKER_DEFAULTS,
  ResilienceModule,
  RETRY_DEFAULTS,
} from 'nestjs-bulwark';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);
let place: string;

beforeAll(() => {
  // inside the repository, so that `nestjs-bulwark` resolves to this very package
  place = mkdtempSync(join(root, 'test/e2e/.readme-'));
  blocks.forEach((code, i) => {
    writeFileSync(join(place, `block-${i}.ts`), code);
    const { code: compiled } = transformSync(code, {
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
      },
      module: { type: 'es6' },
    });
    writeFileSync(join(place, `block-${i}.mjs`), compiled);
  });
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Looks again and again until it succeeds; gives up with the process that is looked at. */
async function poll<T>(child: ChildProcess, look: () => Promise<T>): Promise<T> {
  let errors = '';
  child.stderr?.on('data', (chunk) => (errors += String(chunk)));
  while (child.exitCode === null && child.signalCode === null) {
    try {
      return await look();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`the program ended by itself: ${errors}`);
}

it('every block of code compiles in strict mode', () => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) =>
    readFileSync(path, 'utf8'),
  ) as {
    config: { compilerOptions: Record<string, unknown> };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const program = ts.createProgram(
    blocks.map((_, i) => join(place, `block-${i}.ts`)),
    options,
  );

  const problems = ts
    .getPreEmitDiagnostics(program)
    .map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'));

  expect(blocks.length).toBeGreaterThan(8);
  expect(problems).toEqual([]);
}, 60_000);

it('the first program answers with its fallback while the rates are away, and tells its health', async () => {
  const port = await freePort();
  const child = spawn(process.execPath, [join(place, 'block-0.mjs')], {
    env: { ...process.env, PORT: String(port), RATES_URL: `http://127.0.0.1:${await freePort()}` },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const get = async (path: string): Promise<unknown> =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).json();
    expect(await poll(child, () => get('/health'))).toEqual({ status: 'ok' });
    for (let i = 0; i < 3; i += 1)
      expect(await get('/rates')).toEqual({ EUR: 1.1, degraded: true });
    expect(await get('/health')).toEqual({ status: 'degraded' });
  } finally {
    child.kill('SIGKILL');
  }
}, 30_000);

it('the other blocks run, and an application made of their classes boots', async () => {
  const loaded = await Promise.all(
    blocks.slice(1).map((_, i) => {
      const file = pathToFileURL(join(place, `block-${i + 1}.ts`)).href;
      return import(file) as Promise<Record<string, unknown>>;
    }),
  );
  const providers = loaded
    .flatMap((module) => Object.values(module))
    .filter(
      (value): value is Type => typeof value === 'function' && /^class\b/.test(String(value)),
    );

  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot()],
    providers,
  }).compile();
  await module.init();
  const call = (name: string, method: string, ...args: unknown[]): Promise<unknown> => {
    const service = module.get<Record<string, (...a: unknown[]) => Promise<unknown>>>(
      providers.find((type) => type.name === name)!,
    );
    return service[method]!(...args);
  };

  expect(await call('Quotes', 'price', 'ABC')).toBe(3);
  expect(await call('Quotes', 'describe', 'ABC')).toBe('ABC: no such symbol as ABC');
  expect(await call('Operations', 'ping')).toBe('pong');
  await module.close();
});

it.each([
  ['Retry', RETRY_DEFAULTS],
  ['Circuit breaker', CIRCUIT_BREAKER_DEFAULTS],
  ['Bulkhead', BULKHEAD_DEFAULTS],
])('the defaults in the table of %s are those of the code', (heading, defaults) => {
  const section = readme.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const cells = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  const told = Object.fromEntries(cells.map((row) => [row[1]!, row.at(-2)!]));

  for (const [option, value] of Object.entries(defaults)) {
    const shown = typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
    expect([option, told[option]]).toEqual([
      option,
      expect.stringMatching(new RegExp(`^${shown.replace('.', '\\.')}(?:$|, or)`)),
    ]);
  }
});
