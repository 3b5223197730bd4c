// What the documents say of the score: the points are those of the code, and the program runs.
import { rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Type } from '@nestjs/common';
import { HEALTH_LIMITS, HEALTH_WEIGHTS } from '../../lib/health/weights.js';
import { boot, closeAll } from '../nest/support/app.js';
import { blocks, section, table, Types, writeBlocks } from '../support/documents.js';

const { place, files } = writeBlocks();
afterEach(closeAll);
afterAll(() => rmSync(place, { recursive: true, force: true }));

const rows = (column: string): Record<string, string>[] =>
  table(section('docs/health.md', 'The score'), column);

it('the points of the document are those of the code, in its order', () => {
  const told = rows('Trouble').map((row) => row['Points off']!.replace(' at most', ''));
  const real = Object.values(HEALTH_WEIGHTS).map((weight) =>
    typeof weight === 'number' ? String(weight) : `${weight.warn} to ${weight.critical}`,
  );
  expect(told).toEqual(real);
});

it('the limits of the document are those of the code', () => {
  const text = rows('Trouble')
    .map((row) => row['Trouble']!)
    .join('\n');
  for (const [name, { warn, critical }] of Object.entries(HEALTH_LIMITS)) {
    const isShare = name !== 'loopDelay';
    for (const limit of [warn, critical]) {
      const shown = isShare ? `${limit * 100} %` : `${limit.toLocaleString('en-US')} ms`;
      expect(text).toContain(shown);
    }
  }
});

it('the options of a metric are those of the code', () => {
  const docs = new Types(files).properties('HealthMetricOptions');
  expect(rows('Option').map((row) => row['Option'])).toEqual([...docs.keys()]);
  expect([...docs.values()].every((doc) => doc !== '')).toBe(true);
}, 60_000);

it('the dashboard says what stands beside it', async () => {
  const i = blocks.findIndex(({ code }) => code.includes('export class Dashboard '));
  const { Mempool, Dashboard } = (await import(pathToFileURL(files[i]!).href)) as Record<
    string,
    Type
  >;
  const { app } = await boot({ bulwark: {}, providers: [Mempool!, Dashboard!] });
  const [, said] = /\/\/ '(.*)'/.exec(blocks[i]!.code)!;

  expect(await app.get<{ line(): Promise<string> }>(Dashboard!).line()).toBe(said);
});
