// What was once written is read for ever, and what is written now is what was: or the format has another number.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import type { SavedPart } from '../../lib/checkpoint/checkpoint-store.js';
import type { KeyOptions } from '../../lib/checkpoint/stores/key-input.js';
import { parseFileName } from '../../lib/checkpoint/stores/file/file-names.js';
import { FileCheckpointStore } from '../../lib/checkpoint/stores/file/file-checkpoint-store.js';
import { contentEnd } from '../support/rot.js';
import { bytesOf, entriesOf } from './support.js';

const GOLDEN = join('test', 'crash', 'golden');
const VERSIONS = readdirSync(GOLDEN).filter((name) => /^\d+$/.test(name));
const NEWEST = String(Math.max(...VERSIONS.map(Number)));
const KEYS: Record<string, KeyOptions> = {
  plain: {},
  integrity: { integrityKey: Buffer.alloc(32, 'golden integrity') },
  encryption: { encryptionKey: Buffer.alloc(32, 'golden encryption') },
};

const root = mkdtempSync(join(tmpdir(), 'bulwark-golden-'));
afterAll(() => rmSync(root, { recursive: true }));

/** All files below a directory, by their path in it. */
const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .toSorted();

const told = async (parts: ReadonlyMap<string, SavedPart>): Promise<unknown> => {
  const all: Record<string, unknown> = {};
  for (const [component, part] of parts) {
    const { meta, sequence } = part;
    all[component] = { meta, sequence, state: (await bytesOf(part)).toString() };
  }
  return all;
};

const metaOf = (of: string, pieces: number): object => ({ pieces, of, whole: true, next: null });

describe.each(VERSIONS.flatMap((version) => Object.keys(KEYS).map((kind) => [version, kind])))(
  'golden files of version %s, %s',
  (version, kind) => {
    const keys = KEYS[kind!]!;
    const directory = join(root, version!, kind!);
    let store: FileCheckpointStore;
    beforeAll(() => {
      cpSync(join(GOLDEN, version!, kind!), directory, { recursive: true });
      store = new FileCheckpointStore({ directory, ...keys });
    });
    afterAll(() => store.close());

    test('are of every kind', () => {
      const kinds = filesIn(directory).map((path) =>
        path.startsWith('named') ? 'named' : parseFileName(path)?.kind,
      );
      expect(new Set(kinds)).toEqual(
        new Set(['lock', 'segment', 'state', 'manifest', 'named'] as const),
      );
    });

    test('are whole, and read as they were written', async () => {
      const contents = await store.open();

      expect((await store.verify()).findings.filter(({ level }) => level === 'damage')).toEqual([]);
      expect(contents.report).toMatchObject({
        tailTruncatedBytes: 0,
        skipped: [],
        removed: [],
        weakened: false,
      });
      expect(await told(contents.parts)).toEqual({
        ledger: { meta: metaOf('ledger', 1), sequence: 7, state: 'x'.repeat(20_000) },
        pool: { meta: metaOf('pool', 1), sequence: 7, state: 'pool at 4' },
      });
      expect(contents.lost.size).toBe(0);
      expect(
        (await entriesOf(contents)).map(({ sequence, entry }) => [sequence, String(entry)]),
      ).toEqual([
        [8, 'entry 8'],
        [9, 'é'.repeat(100)],
      ]);
      expect(contents.sequence).toBe(9);
      expect((await store.list()).map(({ id, sequence }) => [id, sequence])).toEqual([
        ['3', 7],
        ['2', 4],
        ['before-restore', 4],
        ['1', 3],
      ]);
      expect(await told(await store.read('before-restore'))).toEqual({
        ledger: { meta: metaOf('ledger', 1), sequence: 4, state: 'named at 4' },
      });
      expect(await told(await store.read('1'))).toEqual({
        ledger: { meta: metaOf('ledger', 2), sequence: 3, state: 'ledger at 3' },
        pool: { meta: metaOf('pool', 0), sequence: 3, state: '' },
      });
    });
  },
);

test('the entries from before a rotten generation are read too', async () => {
  for (const [kind, keys] of Object.entries(KEYS)) {
    const directory = join(root, 'older', kind);
    cpSync(join(GOLDEN, NEWEST, kind), directory, { recursive: true });
    for (const name of filesIn(directory).filter((one) => one.startsWith('g-0000000003'))) {
      rmSync(join(directory, name));
    }
    const store = new FileCheckpointStore({ directory, ...keys });
    const contents = await store.open();
    expect((await entriesOf(contents)).map(({ entry }) => String(entry))).toEqual([
      'entry 5',
      'entry 6',
      'entry 7',
      'entry 8',
      'é'.repeat(100),
    ]);
    await store.close();
  }
});

test('what the code writes now is what it wrote then', () => {
  const made = join(root, 'made');
  execFileSync(process.execPath, [join(GOLDEN, 'make.mjs'), made]);
  const newest = join(GOLDEN, NEWEST);
  const wish =
    'The files of a store are not any more what they were. If that was meant: raise FORMAT in segment-header.ts, ' +
    `manifest.ts or the signature in state-file.ts (and the sealed ones), keep reading the old, and run \`node ${GOLDEN}/make.mjs ` +
    `${GOLDEN}/${Number(NEWEST) + 1}\`.`;
  const bytesIn = (directory: string): [string, string][] =>
    filesIn(directory).map((path) => {
      const bytes = readFileSync(join(directory, path));
      // how many zeros are kept behind the end of a journal is the file system's, and may change
      const end = basename(path).startsWith('j-') ? contentEnd(bytes) : bytes.length;
      return [path, bytes.toString('hex', 0, end)];
    });
  const [now, then] = [new Map(bytesIn(made)), new Map(bytesIn(newest))];
  const others = [...new Set([...now.keys(), ...then.keys()])].filter(
    (path) => now.get(path) !== then.get(path),
  );
  if (others.length > 0) throw new Error(`${wish} Others: ${others.join(', ')}`);
});
