// What a process of its own does: it lives as long as a retry waits, it forgets, and it warns of nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
let place: string;

beforeAll(() => {
  // inside the repository, so that `nestjs-bulwark` resolves to this very package
  place = mkdtempSync(join(root, 'test/e2e/.life-'));
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

const PREAMBLE = `
  import 'reflect-metadata';
  import { NestFactory } from '@nestjs/core';
  import { currentCall, ResilienceModule, ResilienceService } from 'nestjs-bulwark';

  class App {}
  const app = await NestFactory.createApplicationContext(
    { module: App, imports: [ResilienceModule.forRoot({ health: false })] },
    { logger: false },
  );
  const service = app.get(ResilienceService);
  const down = () => Promise.reject(new Error('down'));
`;

interface Life {
  readonly code: number | null;
  readonly said: unknown;
  readonly errors: string;
}

/** Runs a program to its end; what it says is its last line, as JSON. */
async function live(name: string, program: string, ...flags: string[]): Promise<Life> {
  const file = join(place, `${name}.mjs`);
  writeFileSync(file, PREAMBLE + program);
  const child = spawn(process.execPath, [...flags, '--unhandled-rejections=strict', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  const last = output.trim().split('\n').at(-1)!;
  return { code, said: last === '' ? undefined : JSON.parse(last), errors };
}

it('#60 a retry that waits keeps the process alive, and its result is printed', async () => {
  const life = await live(
    'backoff',
    `
    const began = performance.now();
    let n = 0;
    const value = await service.execute('a', () => ((n += 1) < 2 ? down() : Promise.resolve('up')), {
      retry: { delay: 1_000, jitter: 'none' },
    });
    console.log(JSON.stringify({ value, waited: performance.now() - began >= 990 }));
    `,
  );

  expect(life).toEqual({ code: 0, said: { value: 'up', waited: true }, errors: '' });
}, 30_000);

it('#60 a hundred idle open breakers do not', async () => {
  const life = await live(
    'idle',
    `
    for (let i = 0; i < 100; i += 1) {
      await service
        .execute('n' + i, down, { circuitBreaker: { failureThreshold: 1, openFor: 60_000 }, bulkhead: {}, timeLimit: 60_000 })
        .catch(() => {});
    }
    const done = performance.now();
    process.on('exit', () => console.log(JSON.stringify({ soon: performance.now() - done < 500 })));
    `,
  );

  expect(life).toEqual({ code: 0, said: { soon: true }, errors: '' });
}, 30_000);

it('#47 the longest delay makes no warning, and leaves no timer when its caller leaves', async () => {
  const life = await live(
    'month',
    `
    const longest = 2_147_483_647; // more is refused at the start
    const leaving = new AbortController();
    const call = service.execute(
      'a',
      down,
      { retry: { delay: longest, maxDelay: longest, jitter: 'none' } },
      { signal: leaving.signal },
    );
    setTimeout(() => leaving.abort(new Error('left')), 50);
    const error = await call.catch((e) => e.message);
    console.log(JSON.stringify({ error }));
    `,
  );

  expect(life).toEqual({ code: 0, said: { error: 'left' }, errors: '' });
}, 30_000);

describe('#65 200,000 calls add less than 1 MB; 50,000 where they fail', () => {
  const MEASURE = `
    const grown = async (one, calls = 200_000) => {
      const some = async (n) => {
        for (let i = 0; i < n; i += 100) await Promise.all(Array.from({ length: 100 }, one));
      };
      const heap = async () => {
        for (let i = 0; i < 3; i += 1) {
          await new Promise((resolve) => setImmediate(resolve));
          gc();
        }
        return process.memoryUsage().heapUsed;
      };
      await some(calls / 10);
      const before = await heap();
      await some(calls);
      return (await heap()) - before;
    };
    const forever = new Promise(() => {});
    const { signal } = new AbortController();
    const ALL = {
      retry: { totalTimeout: 60_000 }, circuitBreaker: {}, timeLimit: 60_000,
      bulkhead: { maxConcurrent: 1_000 }, fallback: { value: 1 },
    };
  `;

  it.each<[string, string]>([
    [
      'under a signal that never aborts',
      `const bytes = await grown(() => service.execute('a', async () => 1, ALL, { signal }));`,
    ],
    [
      'beside a call that never ends, on the same policies',
      `
      void service.execute('a', () => forever, { ...ALL, timeLimit: { ms: 2_000_000_000 }, retry: {} });
      const bytes = await grown(() => service.execute('a', async () => 1));
      `,
    ],
    [
      'inside a call that never ends and passes its deadline on',
      `
      const bytes = await new Promise((resolve) => {
        void service.execute(
          'outer',
          async () => {
            currentCall();
            resolve(await grown(() => service.execute('inner', async () => 1, ALL)));
            return forever;
          },
          { timeLimit: { ms: 2_000_000_000, propagateDeadline: true } },
        );
      });
      `,
    ],
    [
      'that fail, are retried, and end in a fallback',
      `
      const policies = { ...ALL, retry: { delay: 0, maxDelay: 0 }, circuitBreaker: undefined };
      const bytes = await grown(() => service.execute('a', down, policies), 50_000);
      `,
    ],
    [
      'that fail, are retried, and whose errors are explained',
      `
      const policies = { retry: { delay: 0, maxDelay: 0, maxAttempts: 2 } };
      const bytes = await grown(() => service.execute('a', down, policies).catch(() => {}), 50_000);
      `,
    ],
  ])(
    '%s',
    async (name, program) => {
      const life = await live(
        name.replaceAll(/\W/g, '-'),
        `${MEASURE}${program}
        console.log(JSON.stringify({ bytes }));
        process.exit(0);
        `,
        '--expose-gc',
      );

      expect(life).toMatchObject({ code: 0, errors: '' });
      expect((life.said as { bytes: number }).bytes).toBeLessThan(1_048_576);
    },
    120_000,
  );
});
