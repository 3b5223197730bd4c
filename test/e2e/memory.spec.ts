import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

// in a process of its own each, of what `npm run build` made: Jest keeps what it should let go
const run = promisify(execFile);
const MB = 1024 * 1024;

async function measure(script: string): Promise<Record<string, number> & { sizes: number[] }> {
  const path = fileURLToPath(new URL(`memory/${script}.mjs`, import.meta.url));
  const { stdout, stderr } = await run(process.execPath, ['--expose-gc', path]);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as never;
}

beforeAll(() => {
  if (!existsSync(new URL('../../dist/index.js', import.meta.url)))
    throw new Error('not built: run `npm run build` first');
});

it('#87 a million distinct keys are a thousand in memory, and those that are open stay', async () => {
  const facts = await measure('keys');

  expect(facts.sizes).toEqual([1_000, 1_000, 1_000]);
  expect(facts['open']).toBe(50);
  expect(facts['rss']).toBeLessThan(50 * MB);
  expect(facts['heap']).toBeLessThan(2 * MB);
}, 240_000);

it('an idle breaker is small', async () => {
  const facts = await measure('idle');
  const bytes = (what: string): number => Math.round(facts[what]!);
  process.stdout.write(
    `one idle breaker: ${bytes('alone')} bytes; of a key ${bytes('keyed')}; with its target ${bytes('named')}\n`,
  );

  expect(facts['alone']).toBeLessThan(1_024);
  expect(facts['keyed']).toBeLessThan(2_048);
  expect(facts['named']).toBeLessThan(4_096);
}, 60_000);

it('#88 of ten thousand runtimes made and dropped none is reachable', async () => {
  const facts = await measure('runtimes');

  expect(facts['reachable']).toBe(0);
  expect(facts['collected']).toBeGreaterThan(30_000);
  expect(facts['heap']).toBeLessThan(2 * MB);
}, 120_000);

it('#89 a million calls, one in ten of them failing, leave nothing behind', async () => {
  const facts = await measure('soak');

  expect(facts).toMatchObject({ good: 890_000, bad: 110_000, running: 0, queued: 0, handles: 0 });
  expect(facts['heap']).toBeLessThan(2 * MB);
}, 240_000);
