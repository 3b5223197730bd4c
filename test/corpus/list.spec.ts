// The published list is the corpus: every test with its thread, and the number of those that pass.
import { readFileSync } from 'node:fs';
// @ts-expect-error -- a script without types
import { corpus, listOf, summaryOf } from './corpus.mjs';

interface Entry {
  readonly link: string;
  readonly bug: string | undefined;
  readonly promise: string | undefined;
}

const entries = (corpus as () => Entry[])();
const published = readFileSync(new URL('../../docs/peer-faults.md', import.meta.url), 'utf8');

it('every link stands above the test that its thread is about', () => {
  const wrong = entries.filter(({ link, bug }) => /\d+$/.exec(link)![0] !== bug?.split('#')[1]);

  expect(wrong).toEqual([]);
});

it('no thread is counted twice', () => {
  expect(new Set(entries.map(({ link }) => link)).size).toBe(entries.length);
});

it('#199 docs/peer-faults.md lists the corpus as it is (npm run peers -- --write)', () => {
  expect(published).toContain((summaryOf as (all: Entry[]) => string)(entries));
  const lines = (listOf as (all: Entry[]) => string)(entries).split('\n');
  expect(lines.filter((line) => !published.includes(line))).toEqual([]);
  expect(published.match(/^- \[/gm)).toHaveLength(entries.length);
});
