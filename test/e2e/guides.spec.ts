// The guides for those who come from elsewhere, and for those who run it: what they name is there.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Type } from '@nestjs/common';
import { ADAPTERS, boot, closeAll, serve } from '../nest/support/app.js';
import { blocks, root, section, writeBlocks } from '../support/documents.js';

const { place, files } = writeBlocks();
afterEach(closeAll);
afterAll(() => rmSync(place, { recursive: true, force: true }));

const sources = readdirSync(join(root, 'lib'), { recursive: true })
  .filter((path) => String(path).endsWith('.ts'))
  .map((path) => readFileSync(join(root, 'lib', String(path)), 'utf8'))
  .join('\n');

/** The cells of the rows of a table, back-ticks and all. */
const rowsIn = (document: string, heading: string): string[][] =>
  section(document, heading)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1));

it.each(['opossum', 'cockatiel', 'nestjs-resilience', 'resilience4j'])(
  'the table of %s names options and methods that there are',
  (peer) => {
    const answers = rowsIn('docs/coming-from.md', peer).map(([, here]) => here!);
    const codes = answers.flatMap((here) => [...here.matchAll(/`([^`]+)`/g)].map(([, c]) => c!));
    const words = new Set(
      codes.flatMap((code) => code.replaceAll(/'[^']*'/g, '').match(/[A-Za-z]\w{3,}/g) ?? []),
    );

    expect(words.size).toBeGreaterThan(12);
    expect([...words].filter((w) => !new RegExp(`\\b${w}\\b`).test(sources))).toEqual([]);
  },
);

it.each(['FromOpossum', 'FromCockatiel', 'FromNestResilience'])('%s runs', async (name) => {
  const i = blocks.findIndex(({ code }) => code.includes(`export class ${name} `));
  const type = ((await import(pathToFileURL(files[i]!).href)) as Record<string, Type>)[name]!;
  const { app } = await boot({ bulwark: {}, providers: [type] });
  const service = app.get<{ load(what: string): Promise<string> }>(type);

  expect(await service.load('data:,7')).toBe(name === 'FromOpossum' ? '7' : 'loaded data:,7');
});

it.each(ADAPTERS)('the probes of the guide are answered on %s', async (_name, make) => {
  const [, yaml] = /```yaml\n(.*?)```/s.exec(section('docs/health.md', 'Kubernetes'))!;
  const paths = [...yaml!.matchAll(/path: ([\w/]+)/g)].map(([, path]) => path!);
  const world = await serve(make, { bulwark: {} });

  expect(paths).toHaveLength(3);
  for (const path of paths) expect([path, (await world.get(path)).status]).toEqual([path, 200]);
});
